"""check: facts and a placement's limits in, a report out. Pure."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Literal

from mediaprep.errors import SourceUnreadable
from mediaprep.model.limits import Constraint, OneOf
from mediaprep.model.media import Media, Post, ReportedFact
from mediaprep.model.placement import Placement, Requirement, takes
from mediaprep.model.report import Finding, Report, verdict_of
from mediaprep.rules import REGISTRY, Failed, Passed, Rule
from mediaprep.rules.registry import Unknown


def check(source: Media, placement: Placement) -> Report:
    """Judges a file by the placement's rules, in the order of the rules. See ``Verdict`` for what comes out."""
    findings = tuple(
        finding
        for rule_id, rule in REGISTRY.items()
        if (requirement := placement.requirements.get(rule_id)) is not None
        and source.kind in rule.kinds
        for finding in _judge(rule, requirement, source, placement)
    )
    return Report(
        path=source.name,
        placement=placement.name,
        verdict=verdict_of(findings),
        kind=source.kind,
        findings=findings,
        media=source,
    )


def unreadable(path: str, problem: SourceUnreadable, placement: str) -> Report:
    """The report of a file of which nothing can be read."""
    finding = Finding(
        rule=problem.rule,
        level="must",
        state="unknown",
        measured="",
        limit="a readable media file",
        message=f"{path}: {problem.reason}",
    )
    return Report(
        path=path, placement=placement, verdict="unreadable", kind=None, findings=(finding,)
    )


def check_post(
    attachments: tuple[Media | None, ...], requirement: Requirement, profile: str
) -> Report:
    """Judges files as the attachments of one post; None stands for one that cannot be read. The report has no path, kind or media."""
    rule = REGISTRY[requirement.rule]
    known = tuple(media for media in attachments if media is not None)
    judged = rule.test(Post(attachments=known), requirement.limit)
    limit = requirement.limit.describe()
    if isinstance(judged, Failed):
        found = f"{judged.measured} ({judged.detail})" if judged.detail else judged.measured
        state: Literal["broken", "unknown"] = "broken"
        words = f"one post is {found}; {profile} takes {limit} ({requirement.source}). Fix: {judged.remedy}."
    elif len(known) < len(attachments):
        state, words = (
            "unknown",
            f"one post cannot be told: an attachment cannot be read; {profile} takes {limit} ({requirement.source}).",
        )
    else:
        return Report(path="", placement=profile, verdict="pass", kind=None)
    measured, fix = (judged.measured, judged.remedy) if isinstance(judged, Failed) else ("", None)
    finding = Finding(
        rule=rule.id, level=requirement.level, state=state, measured=measured, limit=limit, message=words, fix=fix, gate=requirement.gate,
        facts=rule.facts,
    )  # fmt: skip
    return Report(
        path="", placement=profile, verdict=verdict_of((finding,)), kind=None, findings=(finding,)
    )


def limit_of(requirement: Requirement, placement: Placement) -> Constraint:
    """The requirement's limit; for ``file-kind`` the kinds that the placement takes."""
    return OneOf(values=takes(placement)) if requirement.rule == "file-kind" else requirement.limit


def _judge(
    rule: Rule, requirement: Requirement, source: Media, placement: Placement
) -> tuple[Finding, ...]:
    limit = limit_of(requirement, placement)
    judged = rule.test(source, limit)
    if isinstance(judged, Passed):
        return ()
    evidence = tuple(
        witness for witness in source.reported_facts if _decides(witness.fact, rule.facts)
    )
    common = Finding(
        rule=rule.id,
        level=requirement.level,
        measured="",
        limit=limit.describe(),
        message="",
        gate=requirement.gate,
        facts=rule.facts,
        evidence=evidence,
    )
    if isinstance(judged, Unknown):
        return (_untold(common, judged, rule, requirement, source, placement),)
    remedy = judged.remedy or rule.says
    found = f"{judged.measured} ({judged.detail})" if judged.detail else judged.measured
    message = (
        f"{source.name}: {rule.subject} is {found}; {_wanted(common, requirement, placement)}."
        + _disputed(evidence)
        + (f" Fix: {remedy}." if remedy else "")
    )
    return (replace(common, measured=judged.measured, message=message, fix=remedy),)


def _untold(
    common: Finding,
    judged: Unknown,
    rule: Rule,
    requirement: Requirement,
    source: Media,
    placement: Placement,
) -> Finding:
    reason = next(
        (
            u.reason
            for u in source.unknown
            if judged.fact == u.fact or judged.fact.startswith(u.fact + ".")
        ),
        "it could not be read",
    )
    remedy = judged.remedy or rule.says
    message = f"{source.name}: {rule.subject} cannot be told: {reason}; {_wanted(common, requirement, placement)}."
    return replace(
        common,
        state="unknown",
        message=message + (f" Fix: {remedy}." if remedy else ""),
        fix=remedy,
    )


def _wanted(common: Finding, requirement: Requirement, placement: Placement) -> str:
    verb = "takes" if requirement.level == "must" else "asks for"
    return f"{placement.name} {verb} {common.limit} ({requirement.source})"


@lru_cache(maxsize=8192)
def _decides(told: str, facts: tuple[str, ...]) -> bool:
    """Whether a witness's word on one fact bears on others. Both are names of facts, so there are few pairs."""
    return any(
        told == fact or fact.startswith(told + ".") or told.startswith(fact + ".") for fact in facts
    )


def _disputed(evidence: tuple[ReportedFact, ...]) -> str:
    others = [witness for witness in evidence if not witness.agrees]
    return (
        ""
        if not others
        else " Not all readers agree: "
        + ", ".join(f"{w.source} says {w.value}" for w in others)
        + "."
    )


__all__ = ["Failed", "check", "check_post", "limit_of", "unreadable"]
