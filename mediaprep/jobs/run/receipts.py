"""Receipts of published outputs, from which a lost ledger can be rebuilt.

They stand in ``OUT/.mediaprep/receipts.ndjson``, one JSON object a line.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from mediaprep.jobs.ledger.ledger import Ledger
from mediaprep.jobs.ledger.records import FoundFile, JobRow, Publication
from mediaprep.jobs.run.files import digest_of
from mediaprep.jobs.run.output_folder import STATE_FOLDER
from mediaprep.jobs.workers.records import RunSettings

VERSION = 1


def receipt(
    row: JobRow, settings: RunSettings, status: str, outputs: Sequence[Publication]
) -> dict[str, Any]:
    """Return the receipt of one job."""
    return {
        "version": VERSION,
        "source": row.source,
        "place": row.relative_path,
        "stamp": list(row.stamp),
        "sha256": row.sha256,
        "recipe": settings.digest,
        "content": settings.content,
        "status": status,
        "outputs": [[output.name, output.sha256, output.size_bytes] for output in outputs],
    }


def append_receipts(out: Path, receipts: Sequence[dict[str, Any]]) -> None:
    """Append receipts in one write, so that processes do not mix their lines. Raises: OSError."""
    if not receipts:
        return
    data = "".join(json.dumps(line) + "\n" for line in receipts).encode()
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
    descriptor = os.open(_path(out), flags, 0o666)
    try:
        os.write(descriptor, data)
    finally:
        os.close(descriptor)


def rebuild_ledger(out: Path, ledger: Ledger) -> int:
    """Add the jobs whose outputs exist unchanged to a new ledger; return how many.

    Lines that a crash or a bad disk has damaged are skipped.
    """
    restored = 0
    for line in _read(out):
        with contextlib.suppress(KeyError, TypeError, ValueError):
            restored += _restore(out, ledger, line)
    return restored


def _restore(out: Path, ledger: Ledger, line: dict[str, Any]) -> bool:
    outputs = tuple(
        Publication(
            name=name,
            sha256=sha256,
            size_bytes=size_bytes,
            work_file=None,
            fixed=line["status"] == "fixed",
        )
        for name, sha256, size_bytes in line["outputs"]
    )
    if not outputs or any(digest_of(out / output.name) != output.sha256 for output in outputs):
        return False
    size, mtime, ctime, inode = line["stamp"]
    file = FoundFile(
        source=line["source"], relative_path=line["place"], stamp=(size, mtime, ctime, inode)
    )
    settings_id = ledger.register_settings(line["recipe"], line["content"], {})
    return ledger.restore(settings_id, file, line["sha256"], line["status"], outputs)


def _read(out: Path) -> Iterator[dict[str, Any]]:
    with contextlib.suppress(FileNotFoundError), _path(out).open("rb") as file:
        for line in file:
            with contextlib.suppress(ValueError):
                content = json.loads(line)
                if isinstance(content, dict):
                    yield content


def _path(out: Path) -> Path:
    return out / STATE_FOLDER / "receipts.ndjson"
