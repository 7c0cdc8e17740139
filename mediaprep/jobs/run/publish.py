"""Where outputs go: their names, the work folder of a run, and the receipts from which a ledger can be rebuilt.

In the output folder stands ``.mediaprep/``: the ledger (on a local disk), the receipts, and ``work/``, where outputs are made before they
get a name. A name is given by a hard link, which never overwrites, after the ledger knows it.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from mediaprep.errors import EnvironmentProblem, SourceUnreadable, UsageProblem
from mediaprep.jobs.ledger.ledger import Ledger
from mediaprep.jobs.ledger.owner import Owner, held, hold
from mediaprep.jobs.ledger.records import FoundFile, JobRow, Publication
from mediaprep.jobs.workers.worker import RunSettings, WorkFile
from mediaprep.runtime.atomic import publish, remove_part, rename_new, sync_folder, work_file
from mediaprep.runtime.crashpoints import step
from mediaprep.runtime.source import display_name, fitting, open_source

HOME = ".mediaprep"
NETWORK = (
    "nfs",
    "cifs",
    "smb",
    "9p",
    "fuse",
    "ceph",
    "glusterfs",
    "lustre",
    "afs",
    "vboxsf",
    "prl_fs",
    "virtiofs",
)


class OutputFolder:
    """The output folder of a run, and its work folder; a context manager."""

    def __init__(self, out: Path) -> None:
        """Raises: EnvironmentProblem where nothing can be written there."""
        self.out = out.absolute()
        self.home = self.out / HOME
        self.run = Owner.me().run
        self.work = self.home / "work" / self.run
        self._lock = -1
        try:
            self.work.parent.mkdir(parents=True, exist_ok=True)
            self._lock = hold(self._lock_of(self.work))
            self.work.mkdir()
        except OSError as problem:
            raise EnvironmentProblem(
                f"{display_name(self.out)}: nothing can be written there ({_why(problem)})"
            ) from problem

    def __enter__(self) -> OutputFolder:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    def close(self) -> None:
        """Remove the work folder: whoever still works in it stops."""
        _remove(self.work)
        if self._lock >= 0:
            self._lock_of(self.work).unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = -1

    def clear(self) -> None:
        """Remove the work folders of runs that are gone, and their locks."""
        for path in list(self.work.parent.iterdir()):
            folder = path if path.suffix != ".lock" else path.with_suffix("")
            lock = self._lock_of(folder)
            if folder != self.work and not held(lock):
                _remove(folder)
                lock.unlink(missing_ok=True)

    @staticmethod
    def _lock_of(folder: Path) -> Path:
        return folder.with_name(f"{folder.name}.lock")

    def job_folder(self, job: int, attempt: int) -> Path:
        """A folder for the work files of one attempt. Raises: EnvironmentProblem."""
        folder = self.work / f"{job}.{attempt}.{secrets.token_hex(2)}"
        try:
            folder.mkdir()
        except OSError as problem:
            raise EnvironmentProblem(
                f"{display_name(self.out)}: nothing can be written there ({_why(problem)})"
            ) from problem
        return folder

    def named(
        self, ledger: Ledger, row: JobRow, parts: Sequence[WorkFile], *, made: bool
    ) -> tuple[Publication, ...]:
        """Free names for the outputs of a job: those of its source, numbered where they are taken."""
        place = Path(row.place)
        digits = max(2, len(str(len(parts))))
        numbers = [f".{i:0{digits}d}" for i in range(1, len(parts) + 1)] if len(parts) > 1 else [""]
        before = {output.name: output.sha256 for output in ledger.outputs(row.id)}
        for again in count(1):
            tag = "" if again == 1 else f".{again}"
            tails = [
                f"{tag}{number}{part.suffix}" for number, part in zip(numbers, parts, strict=True)
            ]
            names = [str(place.parent / fitting(place.stem, tail)) for tail in tails]
            replaced = [
                self._free(ledger, row.id, name, part.sha256, before.get(name))
                for name, part in zip(names, parts, strict=True)
            ]
            if all(answer is not None for answer in replaced):
                return tuple(
                    Publication(
                        name=name,
                        sha256=part.sha256,
                        size=part.size,
                        part=part.path,
                        made=made,
                        replaces=answer or None,
                    )
                    for name, part, answer in zip(names, parts, replaced, strict=True)
                )
        raise AssertionError("count() has no end")

    def _free(
        self, ledger: Ledger, job: int, name: str, sha256: str, before: str | None
    ) -> str | None:
        """None: taken. "": free, or there with this very content. Else the digest of our own earlier output, which may be replaced."""
        if ledger.taken(name, job):
            return None
        there = digest_of(self.out / name)
        if there is None:
            return None if os.path.lexists(self.out / name) else ""
        if there == sha256:
            return ""
        return there if there == before else None

    def give(self, outputs: Sequence[Publication], *, doubt: bool = False) -> None:
        """Give each output its name, if it has not got it yet. ``doubt``: a killed run left the work files, look at their content first.
        Raises: MediaPrepError, OSError; what has a name by then keeps it."""
        for output in outputs:
            target = self.out / output.name
            there = digest_of(target) if os.path.lexists(target) else None
            if there == output.sha256:
                continue
            if output.part is None or (doubt and digest_of(Path(output.part)) != output.sha256):
                raise EnvironmentProblem(f"{display_name(target)}: its work file is gone")
            target.parent.mkdir(parents=True, exist_ok=True)
            force = there is not None and there == output.replaces
            publish(Path(output.part), target, force=force, durably=False)
            step("published")

    def synced(self, outputs: Sequence[Publication]) -> None:
        """Make the names durable. Raises: OSError."""
        for folder in {(self.out / output.name).parent for output in outputs}:
            sync_folder(folder)

    def receipt(self, lines: Sequence[dict[str, Any]]) -> None:
        """Append to the receipts. Raises: OSError."""
        if lines:
            data = "".join(json.dumps(line) + "\n" for line in lines).encode()
            descriptor = os.open(
                self.home / "receipts.ndjson",
                os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC,
                0o666,
            )
            try:
                os.write(descriptor, data)
            finally:
                os.close(descriptor)

    def receipts(self) -> Iterator[dict[str, Any]]:
        """What was appended; lines that a crash or a bad disk has spoilt are passed over."""
        with (
            contextlib.suppress(FileNotFoundError),
            (self.home / "receipts.ndjson").open("rb") as file,
        ):
            for line in file:
                with contextlib.suppress(ValueError):
                    content = json.loads(line)
                    if isinstance(content, dict):
                        yield content

    def rebuild(self, ledger: Ledger) -> int:
        """Enter what the receipts tell and the outputs prove: those that are still there, byte for byte; how many jobs."""
        kept = 0
        for line in self.receipts():
            with contextlib.suppress(KeyError, TypeError, ValueError):
                outputs = tuple(
                    Publication(
                        name=name, sha256=sha, size=size, part=None, made=line["status"] == "fixed"
                    )
                    for name, sha, size in line["outputs"]
                )
                if outputs and all(
                    digest_of(self.out / output.name) == output.sha256 for output in outputs
                ):
                    size, mtime, ctime, inode = line["stamp"]
                    entry = FoundFile(
                        source=line["source"],
                        place=line["place"],
                        stamp=(size, mtime, ctime, inode),
                    )
                    recipe = ledger.recipe(line["recipe"], line["content"], {})
                    kept += ledger.restore(recipe, entry, line["sha256"], line["status"], outputs)
        return kept


def receipt_of(
    row: JobRow, recipe: RunSettings, status: str, outputs: Sequence[Publication]
) -> dict[str, Any]:
    """One line for the receipts."""
    return {
        "version": 1, "source": row.source, "place": row.place, "stamp": list(row.stamp), "sha256": row.sha256, "recipe": recipe.digest,
        "content": recipe.content, "status": status, "outputs": [[o.name, o.sha256, o.size] for o in outputs],
    }  # fmt: skip


def default_ledger(out: Path) -> Path:
    """Where the ledger of an output folder is: in it, or, where that is on a network, with the user's state."""
    home = out.absolute() / HOME
    if not on_network(out):
        return home / "ledger.db"
    from platformdirs import user_state_path

    name = hashlib.sha256(os.fsencode(os.path.realpath(out))).hexdigest()[:16]
    return user_state_path("mediaprep", appauthor=False) / f"{name}.db"


def ledger_of(out: Path) -> Path:
    """The ledger that an output folder was given, else its default one."""
    with contextlib.suppress(OSError):
        return Path((out / HOME / "ledger").read_text(errors="surrogateescape").partition(":")[2])
    return default_ledger(out)


def one_ledger(out: Path, ledger: Path) -> None:
    """Hold an output folder to one ledger, so that two runs cannot do its jobs twice. Raises: UsageProblem where it has another one."""
    pointer = out.absolute() / HOME / "ledger"
    mine = f"{os.uname().nodename}:{os.path.realpath(ledger)}"
    with contextlib.suppress(FileExistsError), pointer.open("x", errors="surrogateescape") as file:
        file.write(mine)
        return
    said = pointer.read_text(errors="surrogateescape")
    if said != mine and Path(said.partition(":")[2]).exists():
        shown = display_name(said.partition(":")[2])
        raise UsageProblem(
            f"{display_name(out)}: its ledger is {shown}: give --state {shown}, or another output folder"
        )
    pointer.write_text(mine, errors="surrogateescape")


def on_network(path: Path, types: tuple[str, ...] = NETWORK) -> bool:
    """Whether a folder (or its nearest parent that exists) lies on a file system of such a type."""
    return filesystem_of(path).startswith(types)


def filesystem_of(path: Path) -> str:
    """The type of the file system, as mount(8) names it; "" where the host does not tell."""
    real = Path(os.path.realpath(path))
    while not real.exists() and real != real.parent:
        real = real.parent
    best, found = -1, ""
    with contextlib.suppress(OSError):
        for line in Path("/proc/self/mountinfo").read_text(errors="surrogateescape").splitlines():
            fields, _, rest = line.partition(" - ")
            mount = fields.split()[4].encode().decode("unicode_escape")
            if (mount == "/" or real == Path(mount) or Path(mount) in real.parents) and len(
                mount
            ) >= best:
                best, found = len(mount), rest.split()[0]
    return found


def digest_of(path: Path) -> str | None:
    """sha256 of a regular file; None for anything else, or nothing."""
    try:
        with open_source(path, follow=False) as source:
            return source.sha256()
    except SourceUnreadable:
        return None


def moved(source: Path, folder: Path, place: str) -> Path:
    """Move a file below a folder, numbered where its name is taken; its new path. Raises: OSError, MediaPrepError."""
    for target in _numbered(folder / place):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            rename_new(source, target)
        except FileExistsError:
            continue
        except OSError as problem:
            if problem.errno != errno.EXDEV:
                raise
            _copy_new(source, target)
            source.unlink()
        return target
    raise AssertionError("the numbers have no end")


def copied(source: Path, folder: Path, place: str) -> Path:
    """Copy a file below a folder, numbered where its name is taken by other content; its path. Raises: OSError, MediaPrepError."""
    digest = digest_of(source)
    for target in _numbered(folder / place):
        target.parent.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(target):
            if digest is not None and digest_of(target) == digest:
                return target
            continue
        _copy_new(source, target)
        return target
    raise AssertionError("the numbers have no end")


def _copy_new(source: Path, target: Path) -> None:
    part, descriptor = work_file(target.parent)
    try:
        with source.open("rb") as read, os.fdopen(descriptor, "wb") as write:
            shutil.copyfileobj(read, write, 2**20)
        publish(part, target, force=False)
    except BaseException:
        remove_part(part)
        raise


def _numbered(target: Path) -> Iterator[Path]:
    yield target
    for number in count(2):
        yield target.with_name(fitting(target.stem, f".{number}{target.suffix}"))


def _remove(folder: Path) -> None:
    """A folder of ours, out of the way first, so that whoever works in it stops, then deleted."""
    gone = folder.with_name(f"{folder.name}.gone")
    with contextlib.suppress(OSError):
        folder.rename(gone)
    for path in (gone, folder):
        shutil.rmtree(path, ignore_errors=True)


def remove(folder: Path) -> None:
    """Take a job's folder away."""
    _remove(folder)


def _why(problem: OSError) -> str:
    return (problem.strerror or type(problem).__name__).lower()
