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
from mediaprep.model.options import Wishes
from mediaprep.model.placement import Spec
from mediaprep.model.report import Finding, Report
from mediaprep.model.tolerance import Promise, assume
from mediaprep.planning import kinds
from mediaprep.planning.changes import Causes, Change
from mediaprep.planning.check import check, limit_of
from mediaprep.rules import REGISTRY, Passed
from mediaprep.targets.cues import within

ROUNDS = 4
PLAN_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One file to make: from which source, which span of it in seconds (None = all), the facts wanted, for which placement, and what is
    promised where ``want`` is None.
    """

    source: Media
    span: kinds.Span | None = None
    want: Media
    spec: Spec
    wishes: Wishes
    changes: tuple[Change, ...] = ()
    promises: tuple[Promise, ...] = ()

    @property
    def placement(self) -> str:
        """profile/category."""
        return self.spec.placement


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why nothing is planned for a rule, and the ways out."""

    rule: str
    reason: str
    ways_out: tuple[str, ...] = ()


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
    spec: Spec,
    wishes: Wishes | None = None,
    *,
    others: Mapping[Kind, Spec] | None = None,
) -> Plan:
    """The smallest repair of the first source that its placement takes; captions go along, cut by the same spans. ``others``: the
    placements for what becomes another kind because a wish asks for it, and for captions; they are judged by theirs.

    Never raises for a bad file: what cannot or may not be repaired is in ``refusals``.
    """
    wishes = wishes or Wishes()
    report = check(sources[0], spec)
    have = kinds.told(sources[0], wishes)
    target = _target(have, spec, wishes, others or {})
    if isinstance(target, Refusal):
        return Plan(sources=sources, refusals=(target,), report=report)
    settled_by_kind = ("file-kind",) if kinds.becomes(have, wishes) else ()
    hopeless = tuple(
        _refusal(f, spec)
        for f in report.findings
        if f.level == "must" and REGISTRY[f.rule].fix is None and f.rule not in settled_by_kind
    )
    if hopeless:
        return Plan(sources=sources, refusals=hopeless, report=report)
    spec = target
    spans = kinds.spans(have, spec, wishes)
    if isinstance(spans, Refused):
        return Plan(
            sources=sources,
            refusals=(
                Refusal(rule="video-duration", reason=spans.reason, ways_out=spans.ways_out),
            ),
            report=report,
        )
    outputs: list[Output] = []
    for span in spans:
        made = _output(have, span, report, spec, wishes)
        if isinstance(made, tuple):
            return Plan(sources=sources, refusals=made, report=report)
        if made is not None:
            outputs.append(made)
    whole = Plan(sources=sources, outputs=tuple(outputs), report=report)
    for captions in sources[1:]:
        whole = _with_captions(whole, captions, spans, (others or {}).get("subtitle"), wishes)
    return whole


def _with_captions(
    video: Plan,
    captions: Media,
    spans: tuple[kinds.Span | None, ...],
    spec: Spec | None,
    wishes: Wishes,
) -> Plan:
    """The plan with captions, which follow the part of the video that they belong to; a part in which nobody speaks has none."""
    if spec is None or not isinstance(captions, Subtitle):
        problem = Refusal(
            rule="file-kind",
            reason="the placement takes no captions"
            if spec is None
            else "what should be captions is none",
        )
        return replace(video, outputs=(), refusals=(problem,))
    report = check(captions, spec)
    hopeless = tuple(
        _refusal(f, spec)
        for f in report.findings
        if f.level == "must" and REGISTRY[f.rule].fix is None
    )
    outputs: list[Output] = []
    for number, span in enumerate(spans):
        outputs += video.outputs[number : number + 1]
        if span is not None and captions.cues is not None and not within(captions.cues, span):
            continue
        made = hopeless or _output(captions, span, report, spec, wishes)
        if isinstance(made, tuple):
            return replace(video, outputs=(), refusals=made, along=(*video.along, report))
        if made is not None:
            outputs.append(made)
    return replace(video, outputs=tuple(outputs), along=(*video.along, report))


def _target(have: Media, spec: Spec, wishes: Wishes, others: Mapping[Kind, Spec]) -> Spec | Refusal:
    wanted = kinds.becomes(have, wishes)
    picked = wishes.to == "image" and have.kind == "video"  # no frame is picked out of a video
    if wanted is None and not picked:
        return spec
    target = spec if spec.kind == wanted else None if wanted is None else others.get(wanted)
    if target is None or have.kind not in kinds.BY_WISH.values():
        return Refusal(
            rule="file-kind",
            reason=f"no {wishes.to} can be made of {have.kind} here",
            ways_out=("--to auto",),
        )
    return target


def _refusal(finding: Finding, spec: Spec) -> Refusal:
    """For what no fix can mend; the remedy, where the rule knows one, is the way out."""
    subject = REGISTRY[finding.rule].subject
    found = "cannot be told" if finding.state == "unknown" else f"is {finding.measured}"
    ways = (finding.fix,) if finding.fix and REGISTRY[finding.rule].fix is None else ()
    return Refusal(
        rule=finding.rule,
        reason=f"{subject} {found}; {spec.placement} takes {finding.limit}",
        ways_out=ways,
    )


def _output(
    have: Media, span: kinds.Span | None, report: Report, spec: Spec, wishes: Wishes
) -> Output | tuple[Refusal, ...] | None:
    """The fold. None: nothing has to change."""
    want, causes = (
        have,
        Causes(have, [REGISTRY[f.rule] for f in report.findings if _mended(f, report, wishes)]),
    )
    for option, asked in kinds.asked(have, span, spec, wishes):
        if isinstance(asked, Refused):
            return (Refusal(rule="file-kind", reason=asked.reason, ways_out=asked.ways_out),)
        causes.note(want, asked, option, "destructive" if span else "lossy")
        want = asked
    for _ in range(ROUNDS):
        before = want
        settled, promises = kinds.settle(have, want, spec, wishes)
        for finding in check(assume(settled, promises), spec).findings:
            if not _mended(finding, report, wishes):
                continue
            rule, limit = REGISTRY[finding.rule], limit_of(spec.requirements[finding.rule], spec)
            causes.found(rule)
            if isinstance(rule.test(want, limit), Passed):
                continue  # an earlier fix of this round has mended it
            if rule.fix is None:
                return (_refusal(finding, spec),)
            fixed = rule.fix(want, kinds.case(have, spec, wishes, limit))
            if isinstance(fixed, Refused):
                return (Refusal(rule=rule.id, reason=fixed.reason, ways_out=fixed.ways_out),)
            causes.note(want, fixed, rule.id, kinds.safety(rule, fixed, wishes))
            want = fixed
        if want == before:
            break
    settled, promises = kinds.settle(have, want, spec, wishes)
    if settled == have:
        return None
    if (impossible := kinds.impossible(have, settled, promises, spec)) is not None:
        rule_id, refused = impossible
        return (Refusal(rule=rule_id, reason=refused.reason, ways_out=refused.ways_out),)
    doubts = [f for f in check(assume(settled, promises), spec).findings if f.level == "must"]
    if doubts:
        return tuple(_refusal(f, spec) for f in doubts)
    return Output(
        source=have,
        span=span,
        want=settled,
        spec=spec,
        wishes=wishes,
        changes=causes.changes(settled, promises),
        promises=promises,
    )


def _mended(finding: Finding, report: Report, wishes: Wishes) -> bool:
    """Whether the fold mends a finding: a must always; private metadata unless it is to be kept; what is only observed where the file is
    rewritten for a must anyway, or on request; advice on request, where a fix exists."""
    if finding.level == "must":
        return True
    if finding.state == "unknown" or REGISTRY[finding.rule].fix is None:
        return False
    if finding.rule == "file-private-metadata":
        return not wishes.keep_metadata
    if finding.level == "observed":
        return report.verdict != "pass" or wishes.mend != "must"
    return wishes.mend == "should"
