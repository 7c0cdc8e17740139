"""plan: what has to change, decided and proved before a byte is encoded. Pure.

The fixes of broken rules are folded over the facts until nothing changes (at most ``ROUNDS`` times); what remains None because only the
made file can tell it is covered by promises, and the wanted facts must pass the same rules.
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
from mediaprep.planning.check import check, limit_of
from mediaprep.rules import REGISTRY
from mediaprep.rules.registry import Passed
from mediaprep.targets.cues import within_span

ROUNDS = 4
PLAN_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One file to make: from which source, which span of it in seconds (None = all), the facts wanted, for which placement, and what is
    promised where ``target`` is None.
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
    """Why nothing is planned for a rule, and the ways out."""

    rule: str
    reason: str
    remedies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to do with one source (and what goes with it): no outputs and no refusals = it is fine as it is. ``along``: the reports of the
    further sources."""

    sources: tuple[Media, ...]
    outputs: tuple[Output, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    report: Report
    along: tuple[Report, ...] = ()

    @property
    def status(self) -> Literal["already_ok", "planned", "refused"]:
        """already_ok, planned or refused."""
        return "refused" if self.refusals else "planned" if self.outputs else "already_ok"


def plan(
    sources: tuple[Media, ...],
    placement: Placement,
    options: Options | None = None,
    *,
    others: Mapping[Kind, Placement] | None = None,
) -> Plan:
    """The smallest repair of the first source that its placement takes; captions go along, cut by the same spans. ``others``: the
    placements for what becomes another kind because a wish asks for it, and for captions; they are judged by theirs.

    Never raises for a bad file: what cannot or may not be repaired is in ``refusals``.
    """
    options = options or Options()
    report = check(sources[0], placement)
    source = kinds.with_declared_facts(sources[0], options)
    target = _target(source, placement, options, others or {})
    if isinstance(target, Refusal):
        return Plan(sources=sources, refusals=(target,), report=report)
    settled_by_kind = ("file-kind",) if kinds.target_kind(source, options) else ()
    hopeless = tuple(
        _refusal(f, placement)
        for f in report.findings
        if f.level == "must" and REGISTRY[f.rule].fix is None and f.rule not in settled_by_kind
    )
    if hopeless:
        return Plan(sources=sources, refusals=hopeless, report=report)
    placement = target
    spans = kinds.spans(source, placement, options)
    if isinstance(spans, Refused):
        return Plan(
            sources=sources,
            refusals=(
                Refusal(rule="video-duration", reason=spans.reason, remedies=spans.remedies),
            ),
            report=report,
        )
    outputs: list[Output] = []
    for span in spans:
        made = _output(source, span, report, placement, options)
        if isinstance(made, tuple):
            return Plan(sources=sources, refusals=made, report=report)
        if made is not None:
            outputs.append(made)
    whole = Plan(sources=sources, outputs=tuple(outputs), report=report)
    for captions in sources[1:]:
        whole = _with_captions(whole, captions, spans, (others or {}).get("subtitle"), options)
    return whole


def _with_captions(
    video: Plan,
    captions: Media,
    spans: tuple[kinds.Span | None, ...],
    placement: Placement | None,
    options: Options,
) -> Plan:
    """The plan with captions, which follow the part of the video that they belong to; a part in which nobody speaks has none."""
    if placement is None or not isinstance(captions, Subtitle):
        problem = Refusal(
            rule="file-kind",
            reason="the placement takes no captions"
            if placement is None
            else "what should be captions is none",
        )
        return replace(video, outputs=(), refusals=(problem,))
    report = check(captions, placement)
    hopeless = tuple(
        _refusal(f, placement)
        for f in report.findings
        if f.level == "must" and REGISTRY[f.rule].fix is None
    )
    outputs: list[Output] = []
    for number, span in enumerate(spans):
        outputs += video.outputs[number : number + 1]
        if span is not None and captions.cues is not None and not within_span(captions.cues, span):
            continue
        made = hopeless or _output(captions, span, report, placement, options)
        if isinstance(made, tuple):
            return replace(video, outputs=(), refusals=made, along=(*video.along, report))
        if made is not None:
            outputs.append(made)
    return replace(video, outputs=tuple(outputs), along=(*video.along, report))


def _target(
    source: Media, placement: Placement, options: Options, others: Mapping[Kind, Placement]
) -> Placement | Refusal:
    wanted = kinds.target_kind(source, options)
    picked = options.to == "image" and source.kind == "video"  # no frame is picked out of a video
    if wanted is None and not picked:
        return placement
    target = (
        placement if placement.kind == wanted else None if wanted is None else others.get(wanted)
    )
    if target is None or source.kind not in kinds.BY_WISH.values():
        return Refusal(
            rule="file-kind",
            reason=f"no {options.to} can be made of {source.kind} here",
            remedies=("--to auto",),
        )
    return target


def _refusal(finding: Finding, placement: Placement) -> Refusal:
    """For what no fix can mend; the remedy, where the rule knows one, is the way out."""
    subject = REGISTRY[finding.rule].subject
    found = "cannot be told" if finding.state == "unknown" else f"is {finding.measured}"
    ways = (finding.fix,) if finding.fix and REGISTRY[finding.rule].fix is None else ()
    return Refusal(
        rule=finding.rule,
        reason=f"{subject} {found}; {placement.name} takes {finding.limit}",
        remedies=ways,
    )


def _output(
    source: Media, span: kinds.Span | None, report: Report, placement: Placement, options: Options
) -> Output | tuple[Refusal, ...] | None:
    """The fold. None: nothing has to change."""
    target, causes = (
        source,
        ChangeTracker(
            source, [REGISTRY[f.rule] for f in report.findings if _to_fix(f, report, options)]
        ),
    )
    for option, asked in kinds.requested_changes(source, span, placement, options):
        if isinstance(asked, Refused):
            return (Refusal(rule="file-kind", reason=asked.reason, remedies=asked.remedies),)
        causes.note(target, asked, option, "destructive" if span else "lossy")
        target = asked
    for _ in range(ROUNDS):
        before = target
        settled, tolerances = kinds.derive(source, target, placement, options)
        for finding in check(fill_in(settled, tolerances), placement).findings:
            if not _to_fix(finding, report, options):
                continue
            rule, limit = (
                REGISTRY[finding.rule],
                limit_of(placement.requirements[finding.rule], placement),
            )
            causes.found(rule)
            if isinstance(rule.check(target, limit), Passed):
                continue  # an earlier fix of this round has mended it
            if rule.fix is None:
                return (_refusal(finding, placement),)
            fixed = rule.fix(target, kinds.case(source, placement, options, limit))
            if isinstance(fixed, Refused):
                return (Refusal(rule=rule.id, reason=fixed.reason, remedies=fixed.remedies),)
            causes.note(target, fixed, rule.id, kinds.safety(rule, fixed, options))
            target = fixed
        if target == before:
            break
    settled, tolerances = kinds.derive(source, target, placement, options)
    if settled == source:
        return None
    if (impossible := kinds.unsatisfiable(source, settled, tolerances, placement)) is not None:
        rule_id, refused = impossible
        return (Refusal(rule=rule_id, reason=refused.reason, remedies=refused.remedies),)
    doubts = [
        f for f in check(fill_in(settled, tolerances), placement).findings if f.level == "must"
    ]
    if doubts:
        return tuple(_refusal(f, placement) for f in doubts)
    return Output(
        source=source,
        span=span,
        target=settled,
        placement=placement,
        options=options,
        changes=causes.changes(settled, tolerances),
        tolerances=tolerances,
    )


def _to_fix(finding: Finding, report: Report, options: Options) -> bool:
    """Whether the fold mends a finding: a must always; private metadata unless it is to be kept; what is only observed where the file is
    rewritten for a must anyway, or on request; advice on request, where a fix exists."""
    if finding.level == "must":
        return True
    if finding.state == "unknown" or REGISTRY[finding.rule].fix is None:
        return False
    if finding.rule == "file-private-metadata":
        return not options.keep_metadata
    if finding.level == "observed":
        return report.verdict != "pass" or options.fix_level != "must"
    return options.fix_level == "should"
