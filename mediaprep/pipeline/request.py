"""What one run is to do: the value that a caller gives to the pipeline."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from mediaprep.model.options import Options
from mediaprep.probing.probe import ProbeResult
from mediaprep.profile import Profile
from mediaprep.runtime.source import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What one run is to do: the source, the profile and category (None = inferred from the content), the wishes, where to (None = beside
    the source; a folder ends in a separator or exists), whether an existing output may be replaced.

    source   a path, a binary file, or an opened source, which then stays open
    captions what goes with a video: cut and timed as it is, published together with it
    looked   what an earlier look at this very content gave; None: look now
    hold     keep the verified outputs as work files in this folder, for somebody else to publish; the outcome's outputs name them
    """

    source: str | bytes | os.PathLike[Any] | BinaryIO | Source
    profile: Profile
    category: str | None = None
    options: Options = field(default_factory=Options)
    target: Path | None = None
    force: bool = False
    captions: str | bytes | os.PathLike[Any] | BinaryIO | Source | None = None
    probed: ProbeResult | None = None
    hold: Path | None = None
