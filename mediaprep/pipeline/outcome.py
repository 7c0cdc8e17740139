"""What became of one source: the value that ``prepare`` returns, and what an uploader needs of it."""

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
    """One file as an uploader's first call wants it: path, exact media type, media category, total bytes, and whether the chunked
    (asynchronous) path is required.
    """

    path: str
    media_type: str
    category: str
    total_bytes: int
    chunked: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """
    status     already_ok (no outputs; the upload names the source), fixed, refused (why: plan.refusals), unreadable, failed (why: problems)
    outputs    absolute or as-given paths of what was published, in order
    uploads    what to hand to an uploader
    changes    facts that were changed, with their reasons
    before, after   reports of the source and of each output
    problems   one line each: why nothing, or less than asked, was made
    measured   the likeness to the source of each output that was encoded, where a wish asks for it
    stderr     the last lines (50 at most) of the tool that failed; () where none did
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
    evidence: tuple[VerificationRecord, ...] = ()
    measured: tuple[QualityMeasurement, ...] = ()
    seconds: float = 0.0
    stderr: tuple[str, ...] = ()

    @property
    def upload(self) -> Upload | None:
        """The one file to upload; None where there is none, or where a split made several."""
        return self.uploads[0] if len(self.uploads) == 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class PostOutcome:
    """What became of the attachments of one post: the judgement of the set, and of each what ``prepare`` says. Where the set breaks the
    post's limits nothing is made, and each is refused."""

    report: Report
    outcomes: tuple[Outcome, ...]

    @property
    def uploads(self) -> tuple[Upload, ...]:
        """What to hand to an uploader, in order."""
        return tuple(upload for outcome in self.outcomes for upload in outcome.uploads)

    @property
    def ready(self) -> bool:
        """Whether every attachment is accepted or fixed, so that the post can be made."""
        return all(outcome.status in ("already_ok", "fixed") for outcome in self.outcomes)
