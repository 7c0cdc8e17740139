"""Where the ledger of an output folder lies, and that a folder has one ledger only."""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

from mediaprep.errors import UsageProblem
from mediaprep.jobs.run.filesystem import is_on_network
from mediaprep.jobs.run.output_folder import STATE_FOLDER
from mediaprep.runtime.paths import display_name


def default_ledger(out: Path) -> Path:
    """Return the default path: in the output folder, or in the user's state folder if the output
    folder is on a network file system.
    """
    if not is_on_network(out):
        return out.absolute() / STATE_FOLDER / "ledger.db"
    from platformdirs import user_state_path  # slow to import, and rarely needed

    name = hashlib.sha256(os.fsencode(os.path.realpath(out))).hexdigest()[:16]
    return user_state_path("mediaprep", appauthor=False) / f"{name}.db"


def find_ledger(out: Path) -> Path:
    """Return the path of the ledger that an output folder is bound to, else the default path."""
    with contextlib.suppress(OSError):
        return _parse(_pointer(out).read_text(errors="surrogateescape"))
    return default_ledger(out)


def bind_ledger(out: Path, ledger: Path) -> None:
    """Record the ledger of an output folder, so that two runs cannot do its jobs twice.

    Raises: UsageProblem if the folder is bound to another ledger.
    """
    pointer = _pointer(out)
    text = f"{os.uname().nodename}:{os.path.realpath(ledger)}"
    with contextlib.suppress(FileExistsError), pointer.open("x", errors="surrogateescape") as file:
        file.write(text)
        return
    existing = pointer.read_text(errors="surrogateescape")
    if existing != text and _parse(existing).exists():
        path = display_name(_parse(existing))
        raise UsageProblem(
            f"{display_name(out)}: its ledger is {path}:"
            f" pass --state {path}, or another output folder"
        )
    pointer.write_text(text, errors="surrogateescape")


def _pointer(out: Path) -> Path:
    return out.absolute() / STATE_FOLDER / "ledger"


def _parse(pointer: str) -> Path:
    return Path(pointer.partition(":")[2])
