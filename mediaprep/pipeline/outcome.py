"""The outcome of a run: the values that ``prepare`` and ``prepare_post`` return."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mediaprep.model.record import QualityMeasurement, VerificationRecord
from mediaprep.model.report import Report
from mediaprep.planning.changes import Change
from mediaprep.planning.plan import Plan

Status = Literal["already_ok", "fixed", "refused", "unreadable", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """What the first call of an upload needs to know of one file.

    media_type   exact media type, such as ``video/mp4``
    category     media category, such as ``tweet_video``
    total_bytes  size of the file
    chunked      the platform requires the chunked (asynchronous) upload
    """

    path: str
    media_type: str
    category: str
    total_bytes: int
    chunked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The outcome of preparing one source.

    path        the source as it was given; "" for a stream without a name
    status      already_ok: nothing had to change, ``uploads`` names the source
                fixed: ``outputs`` are published and verified
                refused: it cannot or may not be repaired; ``problems`` says why
                unreadable: nothing can be read from the source
                failed: the encode failed or its output failed verification; nothing was published
    outputs     absolute paths of the published files, in order
    uploads     what to upload, in order
    changes     the changed facts, with the rules that required the change
    before      report of the source
    after       report of each output
    problems    one line each: why nothing was published, or what falls short of the request
    plan        the plan; None if nothing could be read
    records     how each output was verified
    measured    similarity to the source of each encoded output, if requested
    seconds     time that the run took
    stderr      the last lines of the tool that failed, 50 at most
    """

    path: str
    status: Status
    profile: str
    outputs: tuple[str, ...] = ()
    uploads: tuple[Upload, ...] = ()
    changes: tuple[Change, ...] = ()
    before: Report | None = None
    after: tuple[Report, ...] = ()
    problems: tuple[str, ...] = ()
    plan: Plan | None = None
    records: tuple[VerificationRecord, ...] = ()
    measured: tuple[QualityMeasurement, ...] = ()
    seconds: float = 0.0
    stderr: tuple[str, ...] = ()

    @property
    def upload(self) -> Upload | None:
        """The one file to upload; None if there is none, or if a split gives several."""
        return self.uploads[0] if len(self.uploads) == 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class PostOutcome:
    """The outcome of preparing the attachments of one post.

    report    the set as a whole. If it breaks the limits of a post, every attachment is refused
    outcomes  the outcome of each attachment, in order
    """

    report: Report
    outcomes: tuple[Outcome, ...]

    @property
    def uploads(self) -> tuple[Upload, ...]:
        """What to upload, in order."""
        return tuple(upload for outcome in self.outcomes for upload in outcome.uploads)

    @property
    def ready(self) -> bool:
        """Whether every attachment is accepted or fixed, so that the post can be made."""
        return all(outcome.status in ("already_ok", "fixed") for outcome in self.outcomes)
