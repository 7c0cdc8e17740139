"""plan: decide and prove a repair before a byte is encoded. Pure.

The fixes of broken rules are applied to the facts until nothing changes (at most ``_ROUNDS_MAX``
times). Facts that only the output can settle become None and are covered by tolerances. The target
must pass the same rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from mediaprep.model.fix import Refused
from mediaprep.model.media import Kind, Media, Subtitle
from mediaprep.model.options import Options
from mediaprep.model.placement import Placement
from mediaprep.model.report import Finding, Report
from mediaprep.model.tolerance import Tolerance, fill_in
from mediaprep.planning import kinds
from mediaprep.planning.changes import Change, ChangeTracker
from mediaprep.planning.check import check, effective_limit
from mediaprep.rules import REGISTRY
from mediaprep.rules.registry import Passed
from mediaprep.targets.cues import within_span

PLAN_VERSION = 1
_ROUNDS_MAX = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One file to make.

    span        the part of the source to use, in seconds; None: the whole source
    target      the facts that the output is to have
    tolerances  allowed values of facts that are None in the target
    """

    source: Media
    span: kinds.Span | None = None
    target: Media
    placement: Placement
    options: Options
    changes: tuple[Change, ...] = ()
    tolerances: tuple[Tolerance, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """The reason why a broken rule cannot be fixed, and what the user can do.

    remedies  options of the command, or advice in words
    """

    rule: str
    reason: str
    remedies: tuple[str, ...] = ()

    @property
    def message(self) -> str:
        """The reason, and the remedies."""
        if not self.remedies:
            return self.reason
        return f"{self.reason}; remedies: {', '.join(self.remedies)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to do with a source, and with the captions that belong to it.

    Neither outputs nor refusals: nothing has to be done.

    report           of the first source
    caption_reports  of the further sources
    """

    sources: tuple[Media, ...]
    outputs: tuple[Output, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    report: Report
    caption_reports: tuple[Report, ...] = ()

    @property
    def status(self) -> Literal["already_ok", "planned", "refused"]:
        """already_ok, planned or refused."""
        if self.refusals:
            return "refused"
        return "planned" if self.outputs else "already_ok"


def plan(
    sources: tuple[Media, ...],
    placement: Placement,
    options: Options | None = None,
    *,
    companions: Mapping[Kind, Placement] | None = None,
) -> Plan:
    """Return the smallest repair of the first source that its placement accepts.

    Further sources are captions, which are cut to the same spans. ``companions`` are the placements
    for captions, and for a source that an option converts to another kind, by kind.

    Never raises for a bad file: what cannot or must not be repaired is in ``refusals``.
    """
    options, companions = options or Options(), companions or {}
    report = check(sources[0], placement)
    source = kinds.with_declared_facts(sources[0], options)

    def refused(*refusals: Refusal) -> Plan:
        return Plan(sources=sources, refusals=refusals, report=report)

    target_placement = _target_placement(source, placement, options, companions)
    if isinstance(target_placement, Refusal):
        return refused(target_placement)
    converted = kinds.target_kind(source, options) is not None
    unfixable = _unfixable(report, placement, ignored=("file-kind",) if converted else ())
    if unfixable:
        return refused(*unfixable)
    spans = kinds.spans(source, target_placement, options)
    if isinstance(spans, Refused):
        return refused(_refusal("video-duration", spans))
    outputs: list[Output] = []
    for span in spans:
        output = _output(source, span, report, target_placement, options)
        if isinstance(output, tuple):
            return refused(*output)
        if output is not None:
            outputs.append(output)
    video = Plan(sources=sources, outputs=tuple(outputs), report=report)
    for captions in sources[1:]:
        video = _with_captions(video, captions, spans, companions.get("subtitle"), options)
    return video


def _with_captions(
    video: Plan,
    captions: Media,
    spans: tuple[kinds.Span | None, ...],
    placement: Placement | None,
    options: Options,
) -> Plan:
    """Return the plan with captions, each part after the part of the video that it belongs to.

    A span without cues has no captions.
    """
    if placement is None or not isinstance(captions, Subtitle):
        reason = "a further source is not a caption file"
        if placement is None:
            reason = "the placement takes no captions"
        return replace(video, outputs=(), refusals=(Refusal(rule="file-kind", reason=reason),))
    report = check(captions, placement)
    reports = (*video.caption_reports, report)
    unfixable = _unfixable(report, placement)
    outputs: list[Output] = []
    for number, span in enumerate(spans):
        outputs += video.outputs[number : number + 1]
        if span is not None and captions.cues is not None and not within_span(captions.cues, span):
            continue
        output = unfixable or _output(captions, span, report, placement, options)
        if isinstance(output, tuple):
            return replace(video, outputs=(), refusals=output, caption_reports=reports)
        if output is not None:
            outputs.append(output)
    return replace(video, outputs=tuple(outputs), caption_reports=reports)


def _target_placement(
    source: Media, placement: Placement, options: Options, companions: Mapping[Kind, Placement]
) -> Placement | Refusal:
    """Return the placement of the output: another one if an option converts the source."""
    kind = kinds.target_kind(source, options)
    frame_of_video = options.to == "image" and source.kind == "video"  # unsupported
    if kind is None and not frame_of_video:
        return placement
    found = None
    if kind is not None:
        found = placement if placement.kind == kind else companions.get(kind)
    if found is None or source.kind not in kinds.CONVERTIBLE.values():
        return Refusal(
            rule="file-kind",
            reason=f"the kind {source.kind} cannot be converted with --to {options.to} "
            f"for {placement.name}",
            remedies=("--to auto",),
        )
    return found


def _unfixable(
    report: Report, placement: Placement, ignored: tuple[str, ...] = ()
) -> tuple[Refusal, ...]:
    """Return a refusal for each must that is broken or unknown and has no fix."""
    return tuple(
        _finding_refusal(finding, placement)
        for finding in report.findings
        if finding.level == "must"
        and REGISTRY[finding.rule].fix is None
        and finding.rule not in ignored
    )


def _finding_refusal(finding: Finding, placement: Placement) -> Refusal:
    """Return the refusal for a finding that no fix removes."""
    rule = REGISTRY[finding.rule]
    found = "unknown" if finding.state == "unknown" else finding.measured
    return Refusal(
        rule=finding.rule,
        reason=f"{rule.subject} is {found}; {placement.name} takes {finding.limit}",
        remedies=(finding.fix,) if finding.fix and rule.fix is None else (),
    )


def _refusal(rule_id: str, refused: Refused) -> Refusal:
    return Refusal(rule=rule_id, reason=refused.reason, remedies=refused.remedies)


def _output(
    source: Media, span: kinds.Span | None, report: Report, placement: Placement, options: Options
) -> Output | tuple[Refusal, ...] | None:
    """Return the output for one span, or the refusals; None: nothing has to change."""
    broken = [REGISTRY[item.rule] for item in report.findings if _to_fix(item, report, options)]
    tracker = ChangeTracker(source, broken)
    target = source
    for option, requested in kinds.requested_changes(source, span, placement, options):
        if isinstance(requested, Refused):
            return (_refusal("file-kind", requested),)
        tracker.record(target, requested, option, "destructive" if span else "lossy")
        target = requested
    for _ in range(_ROUNDS_MAX):
        before = target
        fixed = _fixed(source, target, report, placement, options, tracker)
        if isinstance(fixed, Refusal):
            return (fixed,)
        target = fixed
        if target == before:
            break
    target, tolerances = kinds.derive(source, target, placement, options)
    if target == source:
        return None
    if (unsatisfiable := kinds.unsatisfiable(source, target, tolerances, placement)) is not None:
        return (_refusal(*unsatisfiable),)
    left = check(fill_in(target, tolerances), placement).findings
    if any(finding.level == "must" for finding in left):
        return tuple(_finding_refusal(item, placement) for item in left if item.level == "must")
    return Output(
        source=source,
        span=span,
        target=target,
        placement=placement,
        options=options,
        changes=tracker.changes(target, tolerances),
        tolerances=tolerances,
    )


def _fixed(
    source: Media,
    target: Media,
    report: Report,
    placement: Placement,
    options: Options,
    tracker: ChangeTracker,
) -> Media | Refusal:
    """Return the target after one round: the fix of each rule that it breaks was applied."""
    derived, tolerances = kinds.derive(source, target, placement, options)
    for finding in check(fill_in(derived, tolerances), placement).findings:
        if not _to_fix(finding, report, options):
            continue
        rule = REGISTRY[finding.rule]
        limit = effective_limit(placement.requirements[finding.rule], placement)
        tracker.add_broken(rule)
        if isinstance(rule.check(target, limit), Passed):
            continue  # an earlier fix of this round has fixed it, too
        if rule.fix is None:
            return _finding_refusal(finding, placement)
        fixed = rule.fix(target, kinds.case(source, placement, options, limit))
        if isinstance(fixed, Refused):
            return _refusal(rule.id, fixed)
        tracker.record(target, fixed, rule.id, kinds.safety(rule, fixed, options))
        target = fixed
    return target


def _to_fix(finding: Finding, report: Report, options: Options) -> bool:
    """Return True if the plan has to fix the finding.

    - must: always.
    - private metadata: unless the user keeps it.
    - observed: if the file is rewritten for a must anyway, or on request.
    - should: on request.

    An unknown fact, or a rule without a fix, matters only for a must.
    """
    if finding.level == "must":
        return True
    if finding.state == "unknown" or REGISTRY[finding.rule].fix is None:
        return False
    if finding.rule == "file-private-metadata":
        return not options.keep_metadata
    if finding.level == "observed":
        return report.verdict != "pass" or options.fix_level != "must"
    return options.fix_level == "should"
