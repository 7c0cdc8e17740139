"""plan: what has to change, decided and proved before a byte is encoded. Pure.

The fixes of broken rules are folded over the facts until nothing changes (at most ``ROUNDS`` times); what remains None because only the
made file
can tell it is covered by promises, and the wanted facts must pass the same rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, TypeAlias

from mediaprep.check import check, limit_of
from mediaprep.constraint import Constraint
from mediaprep.finding import Finding, Report, Safety
from mediaprep.media import Media, Video, leaves
from mediaprep.promise import Near, Promise, assume
from mediaprep.rules import REGISTRY, Case, Refused
from mediaprep.rules.video import _settle as video_settle
from mediaprep.spec import Spec
from mediaprep.wishes import Wishes

ROUNDS = 4
PLAN_VERSION = 1
Span: TypeAlias = tuple[Fraction, Fraction]
_DERIVED = ("size_bytes", "video.bit_rate", "audio.bit_rate")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One fact that differs between source and output, the rules or wishes that asked for it, and what the change costs."""

    fact: str
    before: Any
    after: Any
    because: tuple[str, ...]
    safety: Safety


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One file to make: from which source, which span of it in seconds (None = all), the facts wanted, for which placement, and what is
    promised where ``want`` is None.
    """

    source: Media
    span: Span | None = None
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
    """What to do with one source (and what goes with it): no outputs and no refusals = it is fine as it is."""

    sources: tuple[Media, ...]
    outputs: tuple[Output, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    report: Report

    @property
    def status(self) -> Literal["already_ok", "planned", "refused"]:
        """already_ok, planned or refused."""
        return "refused" if self.refusals else "planned" if self.outputs else "already_ok"


def plan(sources: tuple[Media, ...], spec: Spec, wishes: Wishes | None = None) -> Plan:
    """The smallest repair of the first source that its placement takes; further sources (captions) go along.

    Never raises for a bad file: what cannot or may not be repaired is in ``refusals``.
    """
    wishes = wishes or Wishes()
    have = sources[0]
    report = check(have, spec)
    hopeless = tuple(
        Refusal(rule=f.rule, reason=_reason(f, have)) for f in report.findings if f.level == "must" and REGISTRY[f.rule].fix is None
    )
    if hopeless:
        return Plan(sources=sources, refusals=hopeless, report=report)
    spans = _spans(have, spec, wishes)
    if isinstance(spans, Refused):
        return Plan(
            sources=sources, refusals=(Refusal(rule="video-duration", reason=spans.reason, ways_out=spans.ways_out),), report=report
        )
    outputs: list[Output] = []
    for span in spans:
        made = _output(have, span, report, spec, wishes)
        if isinstance(made, tuple):
            return Plan(sources=sources, refusals=made, report=report)
        if made is not None:
            outputs.append(made)
    return Plan(sources=sources, outputs=tuple(outputs), report=report)


def _spans(have: Media, spec: Spec, wishes: Wishes) -> tuple[Span | None, ...] | Refused:
    return video_settle.spans(have, spec, wishes) if isinstance(have, Video) and spec.kind == "video" else (None,)


def _reason(finding: Finding, have: Media) -> str:
    return finding.message.removeprefix(f"{have.name}: ")


def _output(have: Media, span: Span | None, report: Report, spec: Spec, wishes: Wishes) -> Output | tuple[Refusal, ...] | None:
    """The fold. None: nothing has to change."""
    want = _start(have, span, spec, wishes)
    causes = _Causes(have)
    causes.note(have, want, "wish", "destructive" if span else "lossless")
    for _ in range(ROUNDS):
        before = want
        settled, promises = _settle(have, want, spec, wishes)
        for finding in check(assume(settled, promises), spec).findings:
            if not _mended(finding, report, wishes):
                continue
            rule = REGISTRY[finding.rule]
            if rule.fix is None:
                return (Refusal(rule=rule.id, reason=_reason(finding, have)),)
            fixed = rule.fix(want, _case(have, spec, wishes, limit_of(spec.requirements[rule.id], spec)))
            if isinstance(fixed, Refused):
                return (Refusal(rule=rule.id, reason=fixed.reason, ways_out=fixed.ways_out),)
            causes.note(want, fixed, rule.id, rule.safety)
            want = fixed
        if want == before:
            break
    settled, promises = _settle(have, want, spec, wishes)
    if settled == have:
        return None
    doubts = [f for f in check(assume(settled, promises), spec).findings if f.level == "must"]
    if doubts:
        return tuple(Refusal(rule=f.rule, reason=_reason(f, have)) for f in doubts)
    return Output(
        source=have, span=span, want=settled, spec=spec, wishes=wishes, changes=causes.changes(settled, promises), promises=promises
    )


def _case(have: Media, spec: Spec, wishes: Wishes, limit: Constraint | None = None) -> Case:
    return Case(have=have, limit=limit, spec=spec, wishes=wishes)


def _start(have: Media, span: Span | None, spec: Spec, wishes: Wishes) -> Media:
    if span is None or not isinstance(have, Video):
        return have
    return video_settle.cut(have, span, _case(have, spec, wishes))


def _settle(have: Media, want: Media, spec: Spec, wishes: Wishes) -> tuple[Media, tuple[Promise, ...]]:
    if isinstance(have, Video) and isinstance(want, Video):
        return video_settle.settle(have, want, _case(have, spec, wishes))
    return want, ()


def _mended(finding: Finding, report: Report, wishes: Wishes) -> bool:
    """Whether the fold mends a finding: a must always; private metadata unless it is to be kept; what is only observed where the file is
    rewritten
    for a must anyway, or on request; advice on request, where a fix exists."""
    if finding.level == "must":
        return True
    if finding.state == "unknown" or REGISTRY[finding.rule].fix is None:
        return False
    if finding.rule == "file-private-metadata":
        return not wishes.keep_metadata
    if finding.level == "observed":
        return report.verdict != "pass" or wishes.mend != "must"
    return wishes.mend == "should"


class _Causes:
    """Which rule changed which fact, while the fold goes."""

    def __init__(self, have: Media) -> None:
        self._have = dict(leaves(have))
        self._because: dict[str, list[tuple[str, Safety]]] = {}

    def note(self, before: Media, after: Media, cause: str, safety: Safety) -> None:
        old = dict(leaves(before))
        for path, value in leaves(after):
            if old.get(path) != value:
                self._because.setdefault(path, []).append((cause, safety))

    def changes(self, settled: Media, promises: tuple[Promise, ...]) -> tuple[Change, ...]:
        """What differs between source and ``settled``, and each promised value that lies beyond its tolerance from the source's."""
        near = {p.fact: p for p in promises if isinstance(p, Near)}
        made: list[Change] = []
        for path, after in leaves(assume(settled, near.values())):
            before = self._have.get(path)
            kept = path in near and before is not None and abs(before - after) <= near[path].tolerance
            if after is None or before == after or kept or path in _DERIVED:
                continue
            because = self._because.get(path, [("written", "lossless")])
            order: tuple[Safety, ...] = ("lossless", "lossy", "destructive")
            worst = max((safety for _, safety in because), key=order.index)
            made.append(Change(fact=path, before=before, after=after, because=tuple(dict.fromkeys(c for c, _ in because)), safety=worst))
        return tuple(made)
