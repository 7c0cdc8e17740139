"""Write the files that are derived from the rules and the bundled profiles.

Run ``python -m mediaprep.profile.build`` in a checkout after a change of either; tests compare the
committed files. It writes the JSON Schema, the compiled profiles and the table in docs/profiles.md.
"""

from __future__ import annotations

import json
from pathlib import Path

from mediaprep.profile import compiled
from mediaprep.profile.find import SCHEMA_NAME, bundled, folder, locate
from mediaprep.profile.load import load_with_sources
from mediaprep.profile.reference import updated
from mediaprep.profile.schema import schema


def derived_files() -> dict[Path, str]:
    """Return the content of every derived file by its path."""
    files = {folder() / SCHEMA_NAME: json.dumps(schema(), indent=2) + "\n"}
    for path in map(locate, bundled()):
        files[compiled.place(path)] = compiled.text(*load_with_sources(path))
    guide = folder().parent / "docs" / "profiles.md"
    files[guide] = updated(guide.read_text(encoding="utf-8"))
    return files


if __name__ == "__main__":
    for path, text in derived_files().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
