"""The request: what one run is to do. A request is never changed."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

from mediaprep.model.options import Options
from mediaprep.profile import Profile
from mediaprep.runtime.source import Source

AnySource: TypeAlias = str | bytes | os.PathLike[Any] | BinaryIO | Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """Where outputs go: to ``file``, or into ``folder``, or (both None) beside the source.

    file    the path of the output; the parts of a split are numbered
    folder  gets a name derived from the source for each output; created with its first output
    """

    file: Path | None = None
    folder: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputStem:
    """The beginning of an output's name.

    name  stem of the source
    tag   what distinguishes it from the outputs of other sources of the same command: ``.heic``
    """

    name: str
    tag: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What one run is to do.

    source       a path, a binary file, or an opened source, which stays open
    profile      the profile that judges source and outputs
    category     media category; None to infer it from the content
    options      what the repair should do
    captions     captions that go with a video: cut as the video is, published together with it
    destination  where outputs go
    stem         beginning of the outputs' names; None for the source's stem
    force        replace existing outputs
    """

    source: AnySource
    profile: Profile
    category: str | None = None
    options: Options = field(default_factory=Options)
    captions: AnySource | None = None
    destination: Destination = field(default_factory=Destination)
    stem: OutputStem | None = None
    force: bool = False

    @property
    def placement_name(self) -> str:
        """The placement as it was requested: ``twitter`` or ``twitter/dm_video``."""
        if self.category is None:
            return self.profile.name
        return f"{self.profile.name}/{self.category}"
