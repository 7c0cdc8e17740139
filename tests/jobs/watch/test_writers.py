"""Writers are detected by lease and by open descriptors."""

from __future__ import annotations

from pathlib import Path

import pytest

from mediaprep.jobs.ledger.discover import found_file
from mediaprep.jobs.watch import writers
from mediaprep.jobs.watch.writers import OpenWriters


@pytest.mark.parametrize("lease", [True, False])
def test_a_writer_is_detected_by_lease_and_by_descriptors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lease: bool
) -> None:
    if not lease:
        monkeypatch.setattr(writers, "is_leased_to_writer", lambda path: None)
    path = tmp_path / "a"
    path.write_bytes(b"x")
    file = found_file(path, "a")
    assert file is not None
    with path.open("r+b"):
        assert OpenWriters().has_writer(str(path))
    with path.open("rb"):
        assert not OpenWriters().has_writer(str(path))
