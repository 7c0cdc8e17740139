"""What a check says: levels, findings, reports, verdicts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from mediaprep.model.media import Kind, Media, ReportedFact

Level = Literal["must", "observed", "should"]
LEVELS: tuple[Level, ...] = ("must", "observed", "should")  # most severe first
Verdict = Literal["pass", "fail", "undecided", "unreadable"]
Safety = Literal["lossless", "lossy", "destructive"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One rule that a file breaks, or that cannot be told.

    rule       the rule's id
    level      must, should or observed
    state      broken, or unknown: a fact that the rule needs could not be read
    measured, limit   found and wanted, as text with units
    message    one line: fact, found, wanted, source, remedy
    fix        what ``fix`` would do, or the ways out where it would lose content; None: there is none
    gate       where the platform enforces it: upload, post or None where not known
    facts      dotted paths of the facts that decided
    evidence   what each reader said about those facts
    """

    rule: str
    level: Level
    state: Literal["broken", "unknown"] = "broken"
    measured: str
    limit: str
    message: str
    fix: str | None = None
    gate: str | None = None
    facts: tuple[str, ...] = ()
    evidence: tuple[ReportedFact, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The judgement of one file. ``media`` and ``kind`` are None where nothing could be read. ``placement`` is profile/category."""

    path: str
    placement: str
    verdict: Verdict
    kind: Kind | None
    findings: tuple[Finding, ...] = ()
    media: Media | None = field(default=None)

    @property
    def category(self) -> str:
        """The category part of the placement."""
        return self.placement.rpartition("/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class PostReport:
    """The judgement of files as the attachments of one post: of the set (``whole``), and of each attachment by itself, in order."""

    whole: Report
    attachments: tuple[Report, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of all: unreadable, fail, undecided or pass."""
        said = {self.whole.verdict, *(report.verdict for report in self.attachments)}
        order: tuple[Verdict, ...] = ("unreadable", "fail", "undecided", "pass")
        return next(verdict for verdict in order if verdict in said)


def verdict_of(findings: tuple[Finding, ...]) -> Verdict:
    """``fail`` when a must is broken, ``undecided`` when a must cannot be told, ``pass`` otherwise."""
    musts = [finding for finding in findings if finding.level == "must"]
    if any(finding.state == "broken" for finding in musts):
        return "fail"
    return "undecided" if musts else "pass"
