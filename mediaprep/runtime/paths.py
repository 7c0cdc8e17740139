"""File names: how they are displayed, compared, shortened and checked."""

from __future__ import annotations

import os
import stat
import unicodedata
from pathlib import Path
from typing import TypeAlias

from mediaprep.errors import UsageProblem

AnyPath: TypeAlias = str | bytes | os.PathLike[str] | os.PathLike[bytes]
MAX_NAME_BYTES = 255  # of one path component, on every common file system


def display_name(path: AnyPath) -> str:
    r"""Return a path as it may be shown in one line of a terminal or log.

    Bytes that are not UTF-8 become ``\xff``; control, bidirectional and line-breaking characters
    become escapes. Spaces stay.
    """
    return "".join(map(_display_character, os.fsdecode(path)))


def _display_character(char: str) -> str:
    if char.isprintable() or unicodedata.category(char) == "Zs":
        return char
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:  # PEP 383: a byte that is not UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return char.encode("unicode_escape", "backslashreplace").decode("ascii")


def os_error_text(problem: OSError) -> str:
    """Return the operating system's message of an error, in lower case."""
    return (problem.strerror or type(problem).__name__).lower()


def is_folder(path: Path) -> bool:
    """Return True if the path is an existing folder.

    Raises: UsageProblem if the name is invalid on this system (too long, a NUL byte, a loop of
    links).
    """
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as problem:
        raise _invalid_name(path, os_error_text(problem)) from problem
    except ValueError as problem:
        raise _invalid_name(path, "a NUL byte or an unpaired surrogate") from problem


def _invalid_name(path: Path, why: str) -> UsageProblem:
    return UsageProblem(
        f"{display_name(path)}: not a valid file name ({why}); choose another name with -o"
    )


def target_exists(target: AnyPath) -> UsageProblem:
    """Return the error for an output name that is taken."""
    return UsageProblem(
        f"{display_name(target)}: already exists; choose another name with -o,"
        " or replace it with --force"
    )


def fit_name(stem: str, tail: str) -> str:
    """Return ``stem + tail``, with the stem shortened if a file system would refuse the length."""
    while len(os.fsencode(stem + tail)) > MAX_NAME_BYTES and len(stem) > 1:
        stem = stem[:-1]
    return stem + tail


def collision_key(name: str) -> str:
    """Return a key that is equal for names which some file system regards as the same.

    The key is the name normalized to NFC and case-folded.
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
