"""The names of a job's outputs: those of its source, numbered if they are taken."""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from mediaprep.jobs.ledger.ledger import Ledger
from mediaprep.jobs.ledger.records import JobRow, Publication
from mediaprep.jobs.run.files import digest_of
from mediaprep.jobs.run.output_folder import OutputFolder
from mediaprep.jobs.workers.records import WorkFile
from mediaprep.runtime.paths import fit_name


def choose_names(
    folder: OutputFolder,
    ledger: Ledger,
    row: JobRow,
    work_files: Sequence[WorkFile],
    *,
    fixed: bool,
) -> tuple[Publication, ...]:
    """Choose free names for the outputs of a job.

    The parts of a split are ``clip.01.mp4``, ``clip.02.mp4`` and so on. If a name is taken, all of
    them get a number: ``clip.2.mp4``.
    """
    previous = {output.name: output.sha256 for output in ledger.outputs(row.id)}
    for number in count(1):
        publications = []
        names = _numbered_names(row, work_files, number)
        for name, work_file in zip(names, work_files, strict=True):
            if ledger.is_name_taken(name, row.id):
                break
            target = folder.out / name
            if not _is_free(target, work_file, previous.get(name)):
                break
            publications.append(
                Publication(
                    name=name,
                    sha256=work_file.sha256,
                    size_bytes=work_file.size_bytes,
                    work_file=work_file.path,
                    fixed=fixed,
                    replaces_sha256=previous.get(name),
                )
            )
        else:
            return tuple(publications)
    raise AssertionError("count() is infinite")


def _numbered_names(row: JobRow, work_files: Sequence[WorkFile], number: int) -> list[str]:
    path = Path(row.relative_path)
    tag = "" if number == 1 else f".{number}"
    digits = max(2, len(str(len(work_files))))
    names = []
    for part, work_file in enumerate(work_files, start=1):
        part_tag = f".{part:0{digits}d}" if len(work_files) > 1 else ""
        names.append(str(path.parent / fit_name(path.stem, f"{tag}{part_tag}{work_file.suffix}")))
    return names


def _is_free(target: Path, work_file: WorkFile, previous: str | None) -> bool:
    """Return True if nothing has this name, or the same content or our own earlier output has it.

    ``previous`` is the digest of that output, which only counts while it is unchanged.
    """
    if not os.path.lexists(target):
        return True
    existing = digest_of(target)
    return existing is not None and existing in (work_file.sha256, previous)
