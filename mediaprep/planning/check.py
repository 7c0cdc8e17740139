"""check: judge the facts of a file by the limits of a placement. Pure."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Literal

from mediaprep.errors import SourceUnreadable
from mediaprep.model.limits import Constraint, OneOf
from mediaprep.model.media import Media, Post, ReportedFact
from mediaprep.model.placement import Placement, Requirement, takes
from mediaprep.model.report import Finding, Report, verdict_of
from mediaprep.rules import REGISTRY, Rule
from mediaprep.rules.registry import Failed, Passed, Unknown


def check(source: Media, placement: Placement) -> Report:
    """Judge a file by the rules of the placement, in the order of the registry."""
    findings: list[Finding] = []
    for rule_id, rule in REGISTRY.items():
        requirement = placement.requirements.get(rule_id)
        if requirement is not None and source.kind in rule.kinds:
            finding = _finding(rule, requirement, source, placement)
            findings += () if finding is None else (finding,)
    return Report(
        path=source.name,
        placement=placement.name,
        verdict=verdict_of(tuple(findings)),
        kind=source.kind,
        findings=tuple(findings),
        media=source,
    )


def unreadable(path: str, problem: SourceUnreadable, placement: str) -> Report:
    """Return the report of a file that cannot be read at all."""
    finding = Finding(
        rule=problem.rule,
        level="must",
        state="unknown",
        measured="",
        limit="a readable media file",
        reason=problem.reason,
        message=f"{path}: {problem.reason}",
    )
    return Report(
        path=path, placement=placement, verdict="unreadable", kind=None, findings=(finding,)
    )


def check_post(
    attachments: tuple[Media | None, ...], requirement: Requirement, profile: str
) -> Report:
    """Judge files as the attachments of one post; None stands for a file that cannot be read.

    The report has no path, kind or media.
    """
    rule = REGISTRY[requirement.rule]
    known = tuple(media for media in attachments if media is not None)
    judgement = rule.check(Post(attachments=known), requirement.limit)
    limit = requirement.limit.describe()
    allowed = f"{profile} takes {limit} ({requirement.source})"
    state: Literal["broken", "unknown"]
    if isinstance(judgement, Failed):
        state, measured, remedy = "broken", judgement.measured, judgement.remedy
        message = f"one post is {_found(judgement)}; {allowed}. Fix: {remedy}."
    elif len(known) < len(attachments):
        state, measured, remedy = "unknown", "", None
        message = f"one post is undecided: an attachment cannot be read; {allowed}."
    else:
        return Report(path="", placement=profile, verdict="pass", kind=None)
    finding = Finding(
        rule=rule.id,
        level=requirement.level,
        state=state,
        measured=measured,
        limit=limit,
        message=message,
        fix=remedy,
        gate=requirement.gate,
        facts=rule.facts,
    )
    return Report(
        path="", placement=profile, verdict=verdict_of((finding,)), kind=None, findings=(finding,)
    )


def effective_limit(requirement: Requirement, placement: Placement) -> Constraint:
    """Return the limit of a requirement; of ``file-kind``, the kinds that the placement takes."""
    return OneOf(values=takes(placement)) if requirement.rule == "file-kind" else requirement.limit


def _finding(
    rule: Rule, requirement: Requirement, source: Media, placement: Placement
) -> Finding | None:
    """Return the finding of a rule, None if the file passes."""
    limit = effective_limit(requirement, placement)
    judgement = rule.check(source, limit)
    if isinstance(judgement, Passed):
        return None
    evidence = tuple(
        reported for reported in source.reported_facts if _related(reported.fact, rule.facts)
    )
    remedy = judgement.remedy or rule.fix_summary
    finding = Finding(
        rule=rule.id,
        level=requirement.level,
        measured="",
        limit=limit.describe(),
        message="",
        fix=remedy,
        gate=requirement.gate,
        facts=rule.facts,
        evidence=evidence,
    )
    allowed = _allowed(finding, requirement, placement)
    advice = f" Fix: {remedy}." if remedy else ""
    subject = f"{source.name}: {rule.subject}"
    if isinstance(judgement, Unknown):
        reason = _reason(judgement, source)
        message = f"{subject} is unknown ({reason}); {allowed}.{advice}"
        return replace(finding, state="unknown", reason=reason, message=message)
    message = f"{subject} is {_found(judgement)}; {allowed}.{_disagreement(evidence)}{advice}"
    return replace(finding, measured=judgement.measured, message=message)


def _found(judgement: Failed) -> str:
    return f"{judgement.measured} ({judgement.detail})" if judgement.detail else judgement.measured


def _reason(judgement: Unknown, source: Media) -> str:
    """Return why the fact is unknown."""
    for unknown in source.unknown:
        if judgement.fact == unknown.fact or judgement.fact.startswith(f"{unknown.fact}."):
            return unknown.reason
    return "it could not be read"


def _allowed(finding: Finding, requirement: Requirement, placement: Placement) -> str:
    if requirement.level == "must":
        return f"{placement.name} takes {finding.limit} ({requirement.source})"
    return f"recommended for {placement.name}: {finding.limit} ({requirement.source})"


@lru_cache(maxsize=8192)  # both arguments are names of facts: there are few pairs
def _related(fact: str, facts: tuple[str, ...]) -> bool:
    """Return True if ``fact`` equals, contains or lies within one of ``facts``."""
    return any(
        fact == other or other.startswith(f"{fact}.") or fact.startswith(f"{other}.")
        for other in facts
    )


def _disagreement(evidence: tuple[ReportedFact, ...]) -> str:
    """Return a sentence that names the readers that contradict the established fact."""
    others = [f"{item.source} reports {item.value}" for item in evidence if not item.agrees]
    return f" Readers disagree: {', '.join(others)}." if others else ""
