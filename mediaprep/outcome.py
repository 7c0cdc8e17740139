"""What became of one source: the value that ``prepare`` returns, and what an uploader needs of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mediaprep.evidence import Evidence
from mediaprep.finding import Report
from mediaprep.plan import Change, Plan

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
    evidence: tuple[Evidence, ...] = ()
    seconds: float = 0.0

    @property
    def upload(self) -> Upload | None:
        """The one file to upload; None where there is none, or where a split made several."""
        return self.uploads[0] if len(self.uploads) == 1 else None
