"""The names of a job's outputs: those of its source, so that they do not depend on other jobs.

``clip.mov`` becomes ``clip.mp4``, and the parts of a split are ``clip.01.mp4``, ``clip.02.mp4`` and
so on. If another file of the folder has the same stem and could get the same name, the extension of
the source is included: ``IMG_1.heic.jpg`` beside ``IMG_1.jpg``. A name that is taken nevertheless
is numbered.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from mediaprep.jobs.ledger.ledger import Ledger
from mediaprep.jobs.ledger.records import JobRow, Publication
from mediaprep.jobs.run.files import digest_of
from mediaprep.jobs.run.output_folder import OutputFolder
from mediaprep.jobs.workers.records import WorkFile
from mediaprep.pipeline.output_paths import candidate_names


def choose_names(
    folder: OutputFolder,
    ledger: Ledger,
    settings_id: int,
    row: JobRow,
    work_files: Sequence[WorkFile],
    *,
    fixed: bool,
) -> tuple[Publication, ...]:
    """Choose free names for the outputs of a job: those of an earlier run, if they still fit.

    Raises: OSError.
    """
    previous = {output.name: output.sha256 for output in ledger.outputs(row.id)}
    suffixes = [work_file.suffix for work_file in work_files]
    others = ledger.suffixes_of_stem(settings_id, row.relative_path)
    candidates = candidate_names(row.relative_path, suffixes, others)
    if suffixes == [Path(name).suffix for name in previous]:
        candidates = chain([list(previous)], candidates)
    for names in candidates:
        publications = []
        for name, work_file in zip(names, work_files, strict=True):
            if ledger.is_name_taken(name, row.id):
                break
            if not _is_free(folder.out / name, work_file, previous.get(name)):
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
    raise AssertionError("candidate_names() is infinite")


def _is_free(target: Path, work_file: WorkFile, previous: str | None) -> bool:
    """Return True if nothing has this name, or the same content or our own earlier output has it.

    ``previous`` is the digest of that output, which only counts while it is unchanged.
    """
    if not os.path.lexists(target):
        return True
    existing = digest_of(target)
    return existing is not None and existing in (work_file.sha256, previous)
