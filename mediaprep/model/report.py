"""The result of a check: levels, findings, reports, verdicts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from mediaprep.model.level import Level
from mediaprep.model.media import Kind, Media, ReportedFact

Verdict = Literal["pass", "fail", "undecided", "unreadable"]
Safety = Literal["lossless", "lossy", "destructive"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One rule that a file breaks, or that cannot be decided.

    rule       the rule's id
    level      must, observed or should
    state      broken; or unknown: a fact that the rule needs is unknown
    measured   the value found, as text with its unit
    limit      the accepted values, as text with their unit
    reason     why the fact is unknown, or the file unreadable; "" if the rule is broken
    message    one line: fact, value, limit, source of the limit, remedy
    fix        what ``fix`` does about it, or what the user can do; None: nothing is known
    gate       where the platform enforces the limit, upload or post; None: unknown
    facts      dotted paths of the facts that decided
    evidence   what each reader reported about those facts
    """

    rule: str
    level: Level
    state: Literal["broken", "unknown"] = "broken"
    measured: str
    limit: str
    reason: str = ""
    message: str
    fix: str | None = None
    gate: str | None = None
    facts: tuple[str, ...] = ()
    evidence: tuple[ReportedFact, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The findings of one file.

    placement     profile/category, or the profile alone if the file is unreadable
    kind, media   None if nothing could be read
    """

    path: str
    placement: str
    verdict: Verdict
    kind: Kind | None
    findings: tuple[Finding, ...] = ()
    media: Media | None = field(default=None)

    @property
    def category(self) -> str:
        """The category of the placement."""
        return self.placement.rpartition("/")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class PostReport:
    """The report of a set of files as one post (``whole``), and that of each attachment."""

    whole: Report
    attachments: tuple[Report, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst verdict: unreadable, fail, undecided or pass."""
        verdicts = {self.whole.verdict, *(report.verdict for report in self.attachments)}
        order: tuple[Verdict, ...] = ("unreadable", "fail", "undecided", "pass")
        return next(verdict for verdict in order if verdict in verdicts)


def verdict_of(findings: tuple[Finding, ...]) -> Verdict:
    """Return fail if a must is broken, undecided if one is unknown, pass otherwise."""
    musts = [finding for finding in findings if finding.level == "must"]
    if any(finding.state == "broken" for finding in musts):
        return "fail"
    return "undecided" if musts else "pass"
