"""Several files as the attachments of one post: judged together, and prepared only where the set can be posted."""

from __future__ import annotations

from mediaprep.errors import UsageProblem
from mediaprep.model.report import PostReport, Report
from mediaprep.pipeline.outcome import Outcome, PostOutcome
from mediaprep.pipeline.prepare import inspect_steps, prepare_steps
from mediaprep.pipeline.request import Request
from mediaprep.planning.check import check_post
from mediaprep.profile import Profile
from mediaprep.runtime.context import Context
from mediaprep.runtime.effects import Steps


def check_post_steps(orders: tuple[Request, ...], context: Context) -> Steps[PostReport]:
    """Steps: probe and check each attachment, then the set. Raises: UsageProblem without attachments; as ``inspect_steps``."""
    reports: list[Report] = []
    for order in orders:
        report, _ = yield from inspect_steps(order, context)
        reports.append(report)
    return PostReport(whole=as_one(tuple(reports), _profile(orders)), attachments=tuple(reports))


def prepare_post_steps(orders: tuple[Request, ...], context: Context) -> Steps[PostOutcome]:
    """Steps: judge the set by what its files are; where it can be one post, prepare each. Raises: as ``prepare_steps``."""
    judged = yield from check_post_steps(orders, context)
    if judged.whole.verdict == "fail":
        return PostOutcome(report=judged.whole, outcomes=refused(judged, _profile(orders)))
    outcomes: list[Outcome] = []
    for order in orders:
        outcomes.append((yield from prepare_steps(order, context)))
    return PostOutcome(report=judged.whole, outcomes=tuple(outcomes))


def as_one(reports: tuple[Report, ...], profile: Profile) -> Report:
    """The judgement of the set alone; a profile that says nothing of posts lets every set pass."""
    if profile.post is None:
        return Report(path="", placement=profile.name, verdict="pass", kind=None)
    return check_post(tuple(report.media for report in reports), profile.post, profile.name)


def refused(judged: PostReport, profile: Profile) -> tuple[Outcome, ...]:
    """The attachments of a set that cannot be posted: nothing is made of any of them."""
    said = tuple(finding.message for finding in judged.whole.findings)
    return tuple(
        Outcome(
            path=report.path, status="refused", profile=profile.name, before=report, problems=said
        )
        if report.kind is not None
        else Outcome(
            path=report.path,
            status="unreadable",
            profile=profile.name,
            before=report,
            problems=tuple(finding.message for finding in report.findings),
        )
        for report in judged.attachments
    )


def _profile(orders: tuple[Request, ...]) -> Profile:
    if not orders:
        raise UsageProblem("a post without attachments: name the files that go into it")
    return orders[0].profile
