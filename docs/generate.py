"""Write the generated parts of the documentation: ``python docs/generate.py``.

Everything here is derived from the code. ``tests/test_docs.py`` compares the committed files with
what this would write, and names this command when they differ.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from docs import (  # noqa: E402 (needs the path above when run as a script)
    cli_tables,
    diagrams,
    format_page,
)
from mediaprep.profile.build import derived_files  # noqa: E402


def generated() -> dict[Path, str]:
    """Return the text of every generated file by its path."""
    images = ROOT / "docs" / "images"
    return {
        images / "layers.svg": diagrams.layers(),
        images / "one-file.svg": diagrams.one_file(),
        cli_tables.PAGE: cli_tables.cli_page(),
        ROOT / "docs" / "formats.md": format_page.formats_page(),
        **derived_files(),
    }


def main() -> None:
    """Write the files that changed."""
    for path, text in generated().items():
        if not path.is_file() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            sys.stdout.write(f"wrote {path.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
