"""The encode job: one planned output, its source, and how ffmpeg reads and encodes it."""

from __future__ import annotations

from dataclasses import dataclass

from mediaprep.planning.plan import Output
from mediaprep.runtime.context import Context
from mediaprep.runtime.source import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodeJob:
    """One planned output and everything that producing it needs. Retries and trials are copies of
    a job with some fields replaced.

    output     the planned output
    source     the opened source; it outlives the job
    context    deadline, cancellation, listener and limits of the run
    binary     absolute path of ffmpeg; "" for stills and captions, which do without
    demuxer    the ffmpeg demuxer of the source
    whitelist  the formats that ffmpeg may open while it reads the source, separated by commas
    encoder    the H.264 encoder
    zscale     False if this ffmpeg has no zscale filter, so that swscale converts colours
    effort     0 for the first encode; each retry for a requested quality adds 1
    """

    output: Output
    source: Source
    context: Context
    binary: str
    demuxer: str
    whitelist: str
    encoder: str = "libx264"
    zscale: bool = True
    effort: int = 0

    @property
    def threads(self) -> int:
        """Threads that one child process may use."""
        return self.context.limits.threads
