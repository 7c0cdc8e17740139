"""plan: what has to change, decided and proved before a byte is encoded. Pure.

The fixes of broken rules are folded over the facts until nothing changes (at most ``ROUNDS`` times); what remains None because only the
made file
can tell it is covered by promises, and the wanted facts must pass the same rules.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Literal, TypeAlias

from mediaprep.check import check, limit_of
from mediaprep.constraint import Constraint
from mediaprep.finding import Finding, Report, Safety
from mediaprep.media import Animation, Image, Kind, Media, Subtitle, Video, leaves
from mediaprep.promise import Among, AtMost, AtMostBytes, Near, Promise, assume
from mediaprep.rules import REGISTRY, Case, Passed, Refused, Rule
from mediaprep.rules.animation import _convert as conversion
from mediaprep.rules.animation import _settle as animation_settle
from mediaprep.rules.image import _settle as image_settle
from mediaprep.rules.subtitle import _settle as subtitle_settle
from mediaprep.rules.subtitle._cues import within as cut_cues
from mediaprep.rules.video import _encode as video_encode
from mediaprep.rules.video import _settle as video_settle
from mediaprep.spec import Spec
from mediaprep.wishes import Wishes

ROUNDS = 4
PLAN_VERSION = 1
Span: TypeAlias = tuple[Fraction, Fraction]
_DERIVED = ("size_bytes", "video.bit_rate", "audio.bit_rate")
_SAFETIES: tuple[Safety, ...] = ("lossless", "lossy", "destructive")
WRITTEN = "written"  # the cause of what merely comes with writing a file anew


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


def plan(sources: tuple[Media, ...], spec: Spec, wishes: Wishes | None = None, *, others: Mapping[Kind, Spec] | None = None) -> Plan:
    """The smallest repair of the first source that its placement takes; captions go along, cut by the same spans. ``others``: the
    placements for what becomes another kind because a wish asks for it, and for captions; they are judged by theirs.

    Never raises for a bad file: what cannot or may not be repaired is in ``refusals``.
    """
    wishes = wishes or Wishes()
    report = check(sources[0], spec)
    have = _told(sources[0], wishes)
    target = _target(have, spec, wishes, others or {})
    if isinstance(target, Refusal):
        return Plan(sources=sources, refusals=(target,), report=report)
    settled_by_kind = ("file-kind",) if _becomes(have, wishes) else ()
    hopeless = tuple(
        _refusal(f, spec) for f in report.findings if f.level == "must" and REGISTRY[f.rule].fix is None and f.rule not in settled_by_kind
    )
    if hopeless:
        return Plan(sources=sources, refusals=hopeless, report=report)
    spec = target
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
    whole = Plan(sources=sources, outputs=tuple(outputs), report=report)
    for captions in sources[1:]:
        whole = _with_captions(whole, captions, spans, (others or {}).get("subtitle"), wishes)
    return whole


def _with_captions(video: Plan, captions: Media, spans: tuple[Span | None, ...], spec: Spec | None, wishes: Wishes) -> Plan:
    """The plan with captions, which follow the part of the video that they belong to; a part in which nobody speaks has none."""
    if spec is None or not isinstance(captions, Subtitle):
        problem = Refusal(rule="file-kind", reason="the placement takes no captions" if spec is None else "what should be captions is none")
        return replace(video, outputs=(), refusals=(problem,))
    report = check(captions, spec)
    hopeless = tuple(_refusal(f, spec) for f in report.findings if f.level == "must" and REGISTRY[f.rule].fix is None)
    outputs: list[Output] = []
    for number, span in enumerate(spans):
        outputs += video.outputs[number : number + 1]
        if span is not None and captions.cues is not None and not cut_cues(captions.cues, span):
            continue
        made = hopeless or _output(captions, span, report, spec, wishes)
        if isinstance(made, tuple):
            return replace(video, outputs=(), refusals=made, along=(*video.along, report))
        if made is not None:
            outputs.append(made)
    return replace(video, outputs=tuple(outputs), along=(*video.along, report))


_KINDS: Mapping[str, Kind] = {"video": "video", "gif": "animation"}


def _becomes(have: Media, wishes: Wishes) -> Kind | None:
    """The other kind that a wish asks for; None: it stays what it is."""
    wanted = _KINDS.get(wishes.to)
    return None if wanted == have.kind else wanted


def _target(have: Media, spec: Spec, wishes: Wishes, others: Mapping[Kind, Spec]) -> Spec | Refusal:
    wanted = _becomes(have, wishes)
    if wanted is None:
        return spec
    target = spec if spec.kind == wanted else others.get(wanted)
    if target is None or have.kind not in _KINDS.values():
        return Refusal(rule="file-kind", reason=f"no {wishes.to} can be made of {have.kind} here", ways_out=("--to auto",))
    return target


def _spans(have: Media, spec: Spec, wishes: Wishes) -> tuple[Span | None, ...] | Refused:
    seen = conversion.as_video(have, spec) if isinstance(have, Animation) and spec.kind == "video" else have
    if isinstance(seen, Refused):
        return seen
    if isinstance(seen, Video) and spec.kind == "video":
        return video_settle.spans(seen, spec, wishes)
    if isinstance(seen, Video) and spec.kind == "animation" and isinstance(wishes.trim, tuple):
        return (wishes.trim,)
    return (None,)


def _told(have: Media, wishes: Wishes) -> Media:
    return video_settle.told(have, wishes) if isinstance(have, Video) else have


def _refusal(finding: Finding, spec: Spec) -> Refusal:
    """For what no fix can mend; the remedy, where the rule knows one, is the way out."""
    subject = REGISTRY[finding.rule].subject
    found = "cannot be told" if finding.state == "unknown" else f"is {finding.measured}"
    ways = (finding.fix,) if finding.fix and REGISTRY[finding.rule].fix is None else ()
    return Refusal(rule=finding.rule, reason=f"{subject} {found}; {spec.placement} takes {finding.limit}", ways_out=ways)


def _output(have: Media, span: Span | None, report: Report, spec: Spec, wishes: Wishes) -> Output | tuple[Refusal, ...] | None:
    """The fold. None: nothing has to change."""
    want, causes = have, _Causes(have, [REGISTRY[f.rule] for f in report.findings if _mended(f, report, wishes)])
    for option, asked in _asked(have, span, spec, wishes):
        if isinstance(asked, Refused):
            return (Refusal(rule="file-kind", reason=asked.reason, ways_out=asked.ways_out),)
        causes.note(want, asked, option, "destructive" if span else "lossy")
        want = asked
    for _ in range(ROUNDS):
        before = want
        settled, promises = _settle(have, want, spec, wishes)
        for finding in check(assume(settled, promises), spec).findings:
            if not _mended(finding, report, wishes):
                continue
            rule, limit = REGISTRY[finding.rule], limit_of(spec.requirements[finding.rule], spec)
            causes.found(rule)
            if isinstance(rule.test(want, limit), Passed):
                continue  # an earlier fix of this round has mended it
            if rule.fix is None:
                return (_refusal(finding, spec),)
            fixed = rule.fix(want, _case(have, spec, wishes, limit))
            if isinstance(fixed, Refused):
                return (Refusal(rule=rule.id, reason=fixed.reason, ways_out=fixed.ways_out),)
            causes.note(want, fixed, rule.id, _safety(rule, fixed, wishes))
            want = fixed
        if want == before:
            break
    settled, promises = _settle(have, want, spec, wishes)
    if settled == have:
        return None
    if (refusal := _impossible(have, settled, promises, spec)) is not None:
        return (refusal,)
    doubts = [f for f in check(assume(settled, promises), spec).findings if f.level == "must"]
    if doubts:
        return tuple(_refusal(f, spec) for f in doubts)
    return Output(
        source=have, span=span, want=settled, spec=spec, wishes=wishes, changes=causes.changes(settled, promises), promises=promises
    )


def _case(have: Media, spec: Spec, wishes: Wishes, limit: Constraint | None = None) -> Case:
    return Case(have=have, limit=limit, spec=spec, wishes=wishes)


def _asked(have: Media, span: Span | None, spec: Spec, wishes: Wishes) -> Iterator[tuple[str, Media | Refused]]:
    case = _case(have, spec, wishes)
    becomes = _becomes(have, wishes)
    if isinstance(have, Video) and becomes == "animation":
        yield "--to", conversion.as_gif(have, span, case)
    elif isinstance(have, Animation) and becomes == "video":
        seen = conversion.as_video(have, spec)
        yield "--to", seen if isinstance(seen, Refused) else video_encode.picture_encoded(seen, case)
        if isinstance(seen, Video):
            yield from video_settle.asked(seen, span, case)
    elif isinstance(have, Video):
        yield from video_settle.asked(have, span, case)
    elif isinstance(have, Animation) and spec.kind == "animation":
        yield from animation_settle.asked(have, case)
    elif isinstance(have, Image) and spec.kind == "image":
        yield from image_settle.asked(have, case)
    elif isinstance(have, Subtitle) and span is not None and have.cues is not None:
        cut = replace(have, cues=cut_cues(have.cues, span), clip_duration=span[1] - span[0])
        yield "--trim" if wishes.trim is not None else "--split", cut


def _impossible(have: Media, want: Media, promises: tuple[Promise, ...], spec: Spec) -> Refusal | None:
    if not (isinstance(have, Video) and isinstance(want, Video)):
        return None
    found = video_settle.impossible(have, want, promises, spec)
    return None if found is None else Refusal(rule=found[0], reason=found[1].reason, ways_out=found[1].ways_out)


def _safety(rule: Rule, fixed: Media, wishes: Wishes) -> Safety:
    """The rule's word, save where its fix did without an encode, or cuts content off as wished."""
    if isinstance(fixed, Video) and not fixed.video.anew and not (fixed.audio and fixed.audio.anew):
        return "lossless"
    if isinstance(fixed, Image) and not fixed.anew:
        return "lossless"
    return "destructive" if rule.id == "video-aspect-ratio" and wishes.fit == "crop" else rule.safety


def _settle(have: Media, want: Media, spec: Spec, wishes: Wishes) -> tuple[Media, tuple[Promise, ...]]:
    if isinstance(have, Video) and isinstance(want, Video):
        return video_settle.settle(have, want, _case(have, spec, wishes))
    if isinstance(have, Animation) and isinstance(want, Video):
        seen = conversion.as_video(have, spec)
        return (want, ()) if isinstance(seen, Refused) else video_settle.settle(seen, want, _case(have, spec, wishes))
    if isinstance(want, Animation) and spec.kind == "animation":
        return animation_settle.settle(have, want, _case(have, spec, wishes))
    if isinstance(have, Animation) and isinstance(want, Animation) and want != have and spec.kind == "image":
        if have.format != "gif" or have.size_bytes is None:
            return have, ()  # sent as a picture; only the comments of a GIF can be left out
        return replace(want, size_bytes=None), (AtMostBytes(limit=have.size_bytes, varies=()),)
    if isinstance(have, Image) and isinstance(want, Image) and spec.kind == "image":
        return image_settle.settle(have, want, _case(have, spec, wishes))
    if isinstance(have, Subtitle) and isinstance(want, Subtitle):
        return subtitle_settle.settle(have, want, _case(have, spec, wishes)), ()
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
    """Which rule was broken, and which one's fix changed which fact, while the fold goes."""

    def __init__(self, have: Media, found: Iterable[Rule]) -> None:
        self._have = dict(leaves(have))
        self._because: dict[str, list[tuple[str, Safety]]] = {}
        self._found = {rule.id: rule for rule in found}

    def found(self, rule: Rule) -> None:
        self._found[rule.id] = rule

    def note(self, before: Media, after: Media, cause: str, safety: Safety) -> None:
        old = dict(leaves(before))
        for path, value in leaves(after):
            if old.get(path) != value:
                self._because.setdefault(path, []).append((cause, safety))

    def changes(self, settled: Media, promises: tuple[Promise, ...]) -> tuple[Change, ...]:
        """What differs between source and ``settled``, and each promised value beyond its tolerance from the source's; of the size
        only that it was more than is promised."""
        near = {p.fact: p for p in promises if isinstance(p, Near)}
        smaller = [p for p in promises if isinstance(p, AtMost) and p.fact in self._because and (self._have.get(p.fact) or 0) > p.value]
        size = self._have.get("size_bytes")
        made = [
            Change(
                fact="size_bytes",
                before=size,
                after=p.limit,
                because=self._named("size_bytes", self._because.get("size_bytes", [(rule_id, "lossy") for rule_id in self._found])),
                safety="lossy" if p.varies else "lossless",
            )
            for p in promises
            if isinstance(p, AtMostBytes) and size is not None and size > p.limit
        ]
        likely = [p for p in promises if isinstance(p, Among) and self._have.get(p.fact) not in p.values]
        for path, after in leaves(assume(settled, [*near.values(), *smaller, *likely])):
            before = self._have.get(path)
            kept = path in near and before is not None and abs(before - after) <= near[path].tolerance
            if after is None or before == after or kept or path in _DERIVED:
                continue
            because = self._because.get(path) or self._in_passing(path, settled)
            worst = max((safety for _, safety in because), key=_SAFETIES.index)
            made.append(Change(fact=path, before=before, after=after, because=self._named(path, because), safety=worst))
        return tuple(made)

    def _in_passing(self, path: str, settled: Media) -> list[tuple[str, Safety]]:
        """For what no fix changed: a stream that cannot be copied is encoded since the file is written; the rest comes with writing."""
        stream = getattr(settled, path.partition(".")[0], None)
        if self._found and getattr(stream, "anew", False):
            return [(rule_id, "lossy") for rule_id in self._found]
        return [(WRITTEN, "lossless")]

    def _named(self, path: str, because: list[tuple[str, Safety]]) -> tuple[str, ...]:
        """The wishes, and the broken rules that judge this very fact, whichever fix came first; where there are none, the causing fix."""
        causes = tuple(dict.fromkeys(cause for cause, _ in because))
        wishes = tuple(cause for cause in causes if cause.startswith("--"))
        judging = tuple(id_ for id_ in REGISTRY if id_ in self._found and _judges(self._found[id_], path))
        return (*wishes, *judging) or causes


def _judges(rule: Rule, path: str) -> bool:
    return any(path == fact or path.startswith(f"{fact}.") for fact in rule.facts)


Action: TypeAlias = Literal["copied", "retagged", "encoded", "rewritten", "left out"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment:
    """What happens to one part of the source: ``track`` container, video, audio, the kind of a file that has no tracks, or a track that is
    not taken along (``subtitle 3``); ``because`` the rules and wishes that ask for it."""

    track: str
    action: Action
    because: tuple[str, ...] = ()


def streams(output: Output) -> tuple[Treatment, ...]:
    """What happens to each track: copied bit by bit, retagged (its description is corrected), encoded anew, or left out; the container is
    always written anew, without loss."""
    have, want = output.source, output.want
    if not (isinstance(have, Video) and isinstance(want, Video)):
        return (Treatment(track=want.kind, action="rewritten", because=_reasons(output, "")),)
    rows = [Treatment(track="container", action="rewritten", because=_reasons(output, "", but=("video.", "audio.")))]
    retagged = want.video.sars != have.video.sars
    picture: Action = "encoded" if want.video.anew else "retagged" if retagged else "copied"
    asked = _reasons(output, "video.") or _reasons(output, "size_bytes")
    rows.append(Treatment(track="video", action=picture, because=() if picture == "copied" else asked))
    if want.audio is not None:
        encoded = want.audio.anew
        rows.append(
            Treatment(track="audio", action="encoded" if encoded else "copied", because=_reasons(output, "audio.") if encoded else ())
        )
    others = (track for track in have.container.tracks or () if not track.chosen)
    return (*rows, *(Treatment(track=f"{track.kind} {track.index}", action="left out") for track in others))


def _reasons(output: Output, prefix: str, but: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Who asked for the changes of facts whose path begins so, in the order of the rules; wishes first."""
    asked = {cause for c in output.changes if c.fact.startswith(prefix) and not c.fact.startswith(but) for cause in c.because} - {WRITTEN}
    order = list(REGISTRY)
    return tuple(sorted(asked, key=lambda cause: order.index(cause) if cause in REGISTRY else -1))
