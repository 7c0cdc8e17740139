"""Several sources as the attachments of one post: checked as a set, prepared only if they can be
posted together.
"""

from __future__ import annotations

from collections.abc import Sequence

from mediaprep.errors import UsageProblem
from mediaprep.model.report import PostReport, Report
from mediaprep.pipeline.inspect import inspect_steps, source_path
from mediaprep.pipeline.outcome import Outcome, PostOutcome
from mediaprep.pipeline.prepare import prepare_steps
from mediaprep.pipeline.request import Request
from mediaprep.planning.check import check_post
from mediaprep.profile import Profile
from mediaprep.runtime.context import Context
from mediaprep.runtime.effects import Steps


def check_post_steps(requests: Sequence[Request], context: Context) -> Steps[PostReport]:
    """Steps: inspect each attachment, then check the set.

    Raises: UsageProblem if there are no attachments; as ``inspect_steps``.
    """
    if not requests:
        raise UsageProblem("a post without attachments: name the files that belong to it")
    reports: list[Report] = []
    for request in requests:
        inspection = yield from inspect_steps(request, context)
        reports.append(inspection.report)
    return PostReport(whole=check_set(reports, requests[0].profile), attachments=tuple(reports))


def prepare_post_steps(requests: Sequence[Request], context: Context) -> Steps[PostOutcome]:
    """Steps: check the set, and prepare each attachment if they can be posted together.

    Raises: as ``check_post_steps`` and ``prepare_steps``.
    """
    report = yield from check_post_steps(requests, context)
    if report.whole.verdict == "fail":
        return PostOutcome(report=report.whole, outcomes=refused_post(requests, report))
    outcomes: list[Outcome] = []
    for request in requests:
        outcomes.append((yield from prepare_steps(request, context)))
    return PostOutcome(report=report.whole, outcomes=tuple(outcomes))


def check_set(reports: Sequence[Report], profile: Profile) -> Report:
    """Check the attachments as a set. A profile without limits for posts accepts every set."""
    if profile.post is None:
        return Report(path="", placement=profile.name, verdict="pass", kind=None)
    return check_post(tuple(report.media for report in reports), profile.post, profile.name)


def refused_post(requests: Sequence[Request], report: PostReport) -> tuple[Outcome, ...]:
    """Return the outcomes of attachments that cannot be posted together: nothing is written."""
    outcomes = []
    for request, attachment in zip(requests, report.attachments, strict=True):
        unreadable = attachment.verdict == "unreadable"
        findings = attachment.findings if unreadable else report.whole.findings
        outcomes.append(
            Outcome(
                path=source_path(request.source),
                status="unreadable" if unreadable else "refused",
                profile=request.profile.name,
                before=attachment,
                problems=tuple(finding.message for finding in findings),
            )
        )
    return tuple(outcomes)
