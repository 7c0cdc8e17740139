"""prepare: the one function that knows all stages. Written once, as steps; a blocking driver and one for event loops carry them out.

Nothing of an output is visible before it is whole and verified; the source is opened once, for reading.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from mediaprep import files, handoff
from mediaprep.check import check, unreadable
from mediaprep.context import Context
from mediaprep.errors import SourceUnreadable, ToolError, UsageProblem, VerifyError
from mediaprep.events import Stage, StageDone, StageStarted
from mediaprep.evidence import Copied, Evidence
from mediaprep.files import Source
from mediaprep.finding import Report
from mediaprep.media import Animation, Image, Media, Subtitle, Video
from mediaprep.outcome import Outcome, Upload
from mediaprep.plan import Output, Plan, plan
from mediaprep.probe import Looked, looking
from mediaprep.profile import Profile
from mediaprep.promise import Among, assume
from mediaprep.rules.animation._convert import losses
from mediaprep.shortfall import efforts, reached, shortfalls
from mediaprep.spec import Spec
from mediaprep.tools import ffmpeg
from mediaprep.tools.effects import Steps, call
from mediaprep.transcode.choice import choosing
from mediaprep.transcode.cutting import by_packet, proving
from mediaprep.transcode.encoders import SOFTWARE
from mediaprep.transcode.execute import decode, execute
from mediaprep.transcode.fit import TooSmall
from mediaprep.transcode.measure import measuring
from mediaprep.transcode.video import Means
from mediaprep.verify import verify
from mediaprep.wishes import Wishes

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What one run is to do: the source, the profile and category (None = inferred from the content), the wishes, where to (None = beside
    the
    source; a folder ends in a separator or exists), whether an existing output may be replaced.

    source   a path, a binary file, or an opened source, which then stays open
    captions what goes with a video: cut and timed as it is, published together with it
    looked   what an earlier look at this very content gave; None: look now
    hold     keep the verified outputs as work files in this folder, for somebody else to publish; the outcome's outputs name them
    """

    source: str | bytes | os.PathLike[Any] | BinaryIO | Source
    profile: Profile
    category: str | None = None
    wishes: Wishes = field(default_factory=Wishes)
    target: Path | None = None
    force: bool = False
    captions: str | bytes | os.PathLike[Any] | BinaryIO | Source | None = None
    looked: Looked | None = None
    hold: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What a look at one source gave, at the captions that go with it, and what is planned for both."""

    looked: Looked
    plan: Plan
    captions: Looked | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """One output to make, the source that it is made of, and what a look at that gave."""

    output: Output
    source: Source
    looked: Looked


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """One verified work file, not yet published."""

    part: Path
    report: Report
    evidence: Evidence


def facts(source: Any, wishes: Wishes, context: Context) -> Steps[Media]:
    """Steps: the facts of one file. Raises: SourceUnreadable."""
    opened = yield from call(_opened, source, context)
    with opened:
        looked = yield from looking(opened, wishes, context)
    return looked.media


def judging(order: Order, context: Context) -> Steps[tuple[Report, Plan | None]]:
    """Steps: probe, check and plan, nothing written. A file of which nothing can be read has a report and no plan."""
    try:
        source = yield from call(_opened, order.source, context)
    except SourceUnreadable as problem:
        return unreadable(_name(order.source), problem, _placement(order)), None
    with _closing(source, order):
        try:
            seen = yield from _along(order, context, lambda captions: surveying(source, order, context, captions))
        except SourceUnreadable as problem:
            return unreadable(source.name, problem, _placement(order)), None
        return seen.plan.report, seen.plan


def surveying(source: Source, order: Order, context: Context, captions: Source | None = None) -> Steps[Survey]:
    """Steps: look at an opened source (and the captions that go with it), and plan.

    Raises: SourceUnreadable, UsageProblem (captions with what is no video), EnvironmentProblem, DeadlineExceeded, Cancelled.
    """
    looked = yield from _look(source, order, context)
    spec = order.profile.spec_for(looked.media.kind, order.category)
    said = None if captions is None else (yield from _look_along(captions, looked.media, context))
    sources = (looked.media,) if said is None else (looked.media, said.media)
    return Survey(looked=looked, plan=plan(sources, spec, order.wishes, others=order.profile.companions(spec)), captions=said)


def _along(order: Order, context: Context, work: Callable[[Source | None], Steps[T]]) -> Steps[T]:
    """Steps: the work, with the order's captions open while it goes on. Raises: SourceUnreadable, saying that it is the captions."""
    if order.captions is None:
        return (yield from work(None))
    try:
        captions = yield from call(_opened, order.captions, context)
    except SourceUnreadable as problem:
        raise SourceUnreadable(f"captions {_name(order.captions)}: {problem.reason}", rule=problem.rule) from problem
    with nullcontext() if captions is order.captions else captions:
        return (yield from work(captions))


def _look_along(captions: Source, video: Media, context: Context) -> Steps[Looked]:
    if not isinstance(video, Video):
        raise UsageProblem(f"{captions.name}: captions go with a video, and {video.name} is none")
    try:
        said = yield from looking(captions, Wishes(), context, clip_duration=video.duration)
    except SourceUnreadable as problem:
        raise SourceUnreadable(f"captions {captions.name}: {problem.reason}", rule=problem.rule) from problem
    if not isinstance(said.media, Subtitle):
        raise UsageProblem(f"{captions.name}: is no captions but of the kind {said.media.kind}; give an SRT, WebVTT or ASS file")
    return said


def preparing(order: Order, context: Context) -> Steps[Outcome]:
    """Steps: the whole way from a source to a published, verified output.

    A bad file ends in an outcome with its status. Raises: UsageProblem (before any work), EnvironmentProblem, DeadlineExceeded, Cancelled.
    """
    began = time.monotonic()
    try:
        source = yield from call(_opened, order.source, context)
    except SourceUnreadable as problem:
        return _unreadable(_name(order.source), problem, order, began)
    with _closing(source, order):
        try:
            outcome = yield from _along(order, context, lambda captions: _preferably(source, order, context, captions))
        except SourceUnreadable as problem:
            return _unreadable(source.name, problem, order, began)
    return replace(outcome, seconds=time.monotonic() - began)


def _preferably(source: Source, order: Order, context: Context, captions: Source | None) -> Steps[Outcome]:
    """As planned; where the GIF would become smaller than is worth keeping, and nobody asked for one by name, as a video."""
    order = replace(order, looked=(yield from _look(source, order, context)))
    wishes = order.wishes
    if wishes.to == "auto" and _names_gif(order):
        return (yield from _prepared(source, replace(order, wishes=replace(wishes, to="gif")), context, captions))
    try:
        return (yield from _prepared(source, order, context, captions))
    except TooSmall as problem:
        outcome = yield from _prepared(source, replace(order, wishes=replace(wishes, to="video")), context, captions)
        return replace(outcome, problems=(*outcome.problems, f"{problem}: a video is made instead"))


def _names_gif(order: Order) -> bool:
    """Whether an animation is to stay one: by its category, or by the name of its output."""
    if order.looked is None or order.looked.media.kind != "animation":
        return False
    named = order.profile.specs.get(order.category or "")
    return (named is not None and named.kind == "animation") or (order.target is not None and order.target.suffix.lower() == ".gif")


def _prepared(source: Source, order: Order, context: Context, captions: Source | None) -> Steps[Outcome]:
    seen = yield from surveying(source, order, context, captions)
    made, media = seen.plan, seen.looked.media
    spec = order.profile.spec_for(media.kind, order.category)
    base = Outcome(path=source.path, status="already_ok", profile=order.profile.name, before=made.report, plan=made)
    if made.refusals:
        reasons = tuple(r.reason + (f"; ways out: {', '.join(r.ways_out)}" if r.ways_out else "") for r in made.refusals)
        return replace(base, status="refused", problems=reasons)
    as_they_are = (handoff.upload(source.path, media, spec.category), *_captions_upload(captions, seen, order, spec))
    if not made.outputs:
        return replace(base, uploads=as_they_are)
    tasks = [
        _Task(output=output, source=captions, looked=seen.captions)
        if captions and seen.captions and isinstance(output.want, Subtitle)
        else _Task(output=output, source=source, looked=seen.looked)
        for output in made.outputs
    ]
    targets = [] if order.hold else _targets(source, order, made.outputs)
    for task, target in zip(tasks, targets, strict=False):
        for name in _names(target, task.output, order):
            files.refuse_target(source, name, order.force)
            files.refuse_target(task.source, name, order.force)
    parts: list[_Made] = []
    held = False
    try:
        for index, task in enumerate(tasks):
            parts.append((yield from _made(task, order.hold or targets[index].parent, context, index, len(tasks))))
        if order.hold:
            targets, held = [item.part for item in parts], True
        else:
            targets = [_name_of_made(target, item, order) for item, target in zip(parts, targets, strict=True)]
            with _stage(context, source.name, "publish"):
                yield from call(_publish, [item.part for item in parts], targets, order.force)
    except TooSmall:
        raise
    except ToolError as problem:
        return replace(base, status="failed", problems=(str(problem),), stderr=tuple(problem.stderr_tail.splitlines()))
    except VerifyError as problem:
        return replace(base, status="failed", problems=problem.problems)
    finally:
        for item in () if held else parts:
            yield from call(files.remove_part, item.part)
    uploads = [_upload(item.report, target, task.output.spec) for item, target, task in zip(parts, targets, tasks, strict=True)]
    return replace(
        base,
        status="fixed",
        problems=tuple(
            dict.fromkeys(line for output in made.outputs for line in losses(output.source, output.want))
            | dict.fromkeys(note for item in parts for note in item.evidence.notes)
        ),
        measured=tuple(item.evidence.measured for item in parts if item.evidence.measured is not None),
        outputs=tuple(map(str, targets)),
        uploads=_with_untouched(tuple(uploads), as_they_are),
        changes=tuple(change for output in made.outputs for change in output.changes),
        after=tuple(_named(item.report, target, task.output.spec) for item, target, task in zip(parts, targets, tasks, strict=True)),
        evidence=tuple(item.evidence for item in parts),
    )


def _captions_upload(captions: Source | None, seen: Survey, order: Order, spec: Spec) -> tuple[Upload, ...]:
    if captions is None or seen.captions is None:
        return ()
    placement = order.profile.companions(spec)["subtitle"]
    return (handoff.upload(captions.path, seen.captions.media, placement.category),)


def _with_untouched(made: tuple[Upload, ...], as_they_are: tuple[Upload, ...]) -> tuple[Upload, ...]:
    """With a video that was made or its captions, the other goes along as it is, the video first; of parts each has its own."""
    kinds = {upload.category for upload in made}
    return (*(upload for upload in as_they_are[:1] if upload.category not in kinds and len(as_they_are) > 1), *made,
            *(upload for upload in as_they_are[1:] if upload.category not in kinds))  # fmt: skip


def _made(task: _Task, folder: Path, context: Context, index: int, count: int) -> Steps[_Made]:
    """One output in a hidden work file beside its target, verified; tried again where a quality is asked for. Raises: ToolError,
    VerifyError; leaves nothing then."""
    output, looked = task.output, task.looked
    binary = "" if isinstance(output.want, (Image, Subtitle)) else ffmpeg.locate(context.ffmpeg)  # which these do without
    means = Means(demuxer=looked.sniffed.demuxer or "", whitelist=looked.sniffed.format_whitelist or "", threads=context.limits.threads)
    choice = yield from choosing(output, means, binary, context)
    tried: list[_Made] = []
    kept: _Made | None = None
    try:
        for effort in range(efforts(output)):
            tried.append((yield from _tried(task, folder, binary, replace(choice.means, effort=effort), context, index, count)))
            if reached(output, tried[-1].evidence.measured):
                break
        kept = max(tried, key=lambda item: item.evidence.measured.mean if item.evidence.measured else 0.0)
    finally:
        for item in tried:
            if item is not kept:
                yield from call(files.remove_part, item.part)
    notes = (*choice.notes, *kept.evidence.notes, *shortfalls(output, kept.report.media, kept.evidence.measured))
    return replace(kept, evidence=replace(kept.evidence, notes=notes))


def _tried(task: _Task, folder: Path, binary: str, means: Means, context: Context, index: int, count: int) -> Steps[_Made]:
    """One try; where a hardware encoder fails, or what it wrote is not accepted, once more by x264."""
    try:
        return (yield from _encoded(task, folder, binary, means, context, index, count))
    except (ToolError, VerifyError) as problem:
        if means.encoder == SOFTWARE:
            raise
        note = f"{means.encoder} was given up for {SOFTWARE}: {getattr(problem, 'problems', (str(problem),))[0]}"
    made = yield from _encoded(task, folder, binary, replace(means, encoder=SOFTWARE), context, index, count)
    return replace(made, evidence=replace(made.evidence, notes=(note,)))


def _encoded(task: _Task, folder: Path, binary: str, means: Means, context: Context, index: int, count: int) -> Steps[_Made]:
    """Encodes one output into a work file, doubts it, and measures it where asked. Raises: ToolError, VerifyError; leaves nothing then."""
    output, source, looked = task.output, task.source, task.looked
    part, descriptor = yield from call(files.work_file, folder, handoff.suffix(assume(output.want, output.promises)))
    os.close(descriptor)
    kept = False
    try:
        with _stage(context, source.name, "encode", index, count):
            done = yield from execute(output, means, binary, source, part, context)
        with _stage(context, source.name, "verify", index, count):
            report, evidence = yield from _doubted(source, looked, output, part, binary, context)
        if output.wishes.measure or output.wishes.min_vmaf is not None:
            with _stage(context, source.name, "measure", index, count), files.open_source(part) as made:
                evidence = replace(evidence, measured=(yield from measuring(output, means, binary, source, made, context)))
        kept = True
        evidence = replace(evidence, argv=done.argv, sandbox=done.sandbox, ssim=done.ssim, quality=done.quality)
        return _Made(part=part, report=report, evidence=evidence)
    finally:
        if not kept:
            yield from call(files.remove_part, part)


def _doubted(source: Source, looked: Looked, output: Output, part: Path, binary: str, context: Context) -> Steps[tuple[Report, Evidence]]:
    """Probes the made file anew, decodes it where it was encoded, compares what was copied. Raises: VerifyError."""
    try:
        with files.open_source(part) as made_source:
            still = isinstance(output.want, Image)
            clip = output.want.clip_duration if isinstance(output.want, Subtitle) else None
            made = yield from looking(
                made_source, Wishes(deep=still, loudness=output.wishes.loudness), context, payload=_copies(output), clip_duration=clip
            )
            copied = _copied(output, looked.media, made.media)
            if by_packet(output):
                sniffed = looked.sniffed
                copied = yield from proving(
                    output, sniffed.demuxer or "", sniffed.format_whitelist or "", binary, source, made_source, context
                )
            evidence = Evidence(source_unchanged=source.unchanged(), copied=copied)
            if isinstance(output.want, Video) and output.want.video.anew:
                means = Means(demuxer="mov", whitelist="mov,mp4,m4a,3gp,3g2,mj2", threads=context.limits.threads)
                length = made.media.duration if isinstance(made.media, Video) else None
                frames, errors = yield from decode(made_source, means, binary, length or Fraction(0), context, name=source.name)
                evidence = replace(evidence, frames_decoded=frames, decode_errors=errors)
            elif isinstance(output.want, Animation) and output.want.anew:
                means = Means(demuxer="gif", whitelist="gif", threads=context.limits.threads)
                length = output.want.duration or Fraction(0)
                frames, errors = yield from decode(made_source, means, binary, length, context, name=source.name)
                evidence = replace(evidence, frames_decoded=frames, decode_errors=errors)
            elif still:
                evidence = replace(evidence, frames_decoded=int(made.media.complete is True))  # a deep look decodes it
    except SourceUnreadable as problem:
        raise VerifyError([f"the output cannot be read: {problem.reason}"]) from problem
    report, problems = verify(output, replace(made.media, name="the output"), evidence)
    if problems:
        raise VerifyError(problems)
    return report, evidence


def _named(report: Report, target: Path, spec: Spec) -> Report:
    """The report of a made file under its final name: until then its messages speak of "the output"."""
    if report.media is None:
        return replace(report, path=str(target))
    return replace(check(replace(report.media, name=files.display_name(target)), spec), path=str(target))


def _copies(output: Output) -> bool:
    want = output.want
    if isinstance(want, Image):
        return not want.anew
    return isinstance(want, Video) and (not want.video.anew or (want.audio is not None and not want.audio.anew))


def _copied(output: Output, have: Media, made: Media) -> tuple[Copied, ...]:
    if isinstance(output.want, Image) and isinstance(have, Image) and isinstance(made, Image) and not output.want.anew:
        return (Copied(track="image", source_digest=have.payload, made_digest=made.payload),)
    if not (isinstance(output.want, Video) and isinstance(have, Video) and isinstance(made, Video)):
        return ()
    copied = []
    if not output.want.video.anew and output.want.video.sars == have.video.sars:
        copied.append(Copied(track="video", source_digest=have.video.payload, made_digest=made.video.payload))
    if output.want.audio is not None and not output.want.audio.anew and have.audio and made.audio:
        copied.append(Copied(track="audio", source_digest=have.audio.payload, made_digest=made.audio.payload))
    return tuple(copied)


def _look(source: Source, order: Order, context: Context) -> Steps[Looked]:
    if order.looked is not None:
        return order.looked
    with _stage(context, source.name, "probe"):
        looked = yield from looking(source, order.wishes, context, payload=True)
    return looked


def _closing(source: Source, order: Order) -> AbstractContextManager[Any]:
    return nullcontext() if source is order.source else source


def _opened(source: Any, context: Context) -> Source:
    if isinstance(source, Source):
        return source
    return files.open_source(source, max_bytes=context.limits.max_source_bytes)


def _publish(parts: list[Path], targets: list[Path], force: bool) -> None:
    """All or none: where a later one cannot be published, the earlier ones are taken back (unless they replaced something)."""
    done: list[Path] = []
    try:
        for part, target in zip(parts, targets, strict=True):
            files.publish(part, target, force=force)
            done.append(target)
    except BaseException:
        for target in () if force else done:
            target.unlink(missing_ok=True)
        raise


def _upload(report: Report, target: Path, spec: Spec) -> Any:
    if report.media is None:
        raise VerifyError(["the output has no facts"])
    return handoff.upload(str(target), report.media, spec.category)


def _targets(source: Source, order: Order, outputs: tuple[Output, ...]) -> list[Path]:
    """Where each output goes; several get numbers of two digits and more before the suffix."""
    suffix = handoff.suffix(assume(outputs[0].want, outputs[0].promises))
    stem = Path(source.path).stem if source.path else "upload"
    named = f"{stem}.{order.profile.name}{suffix}"
    target = order.target
    if target is None:
        base = (Path(source.path).parent if source.path else Path.cwd()) / named
    elif target.is_dir() or str(target).endswith(os.sep):
        base = target / named
    else:
        base = target
    base = base.absolute()
    spans = list(dict.fromkeys(output.span for output in outputs))
    digits = max(2, len(str(len(spans))))
    names = (
        [base]
        if len(spans) == 1
        else [base.with_name(f"{base.stem}.{n:0{digits}d}{base.suffix or suffix}") for n in range(1, len(spans) + 1)]
    )
    by_span = dict(zip(spans, names, strict=True))
    return [
        by_span[output.span].with_suffix(handoff.suffix(output.want))
        if isinstance(output.want, Subtitle) and order.captions is not None
        else by_span[output.span]
        for output in outputs
    ]


def _names(target: Path, output: Output, order: Order) -> tuple[Path, ...]:
    """Every name that an output may get: where its format is still open and the name is ours, one for each."""
    formats = next((p.values for p in output.promises if isinstance(p, Among) and p.fact == "format"), ())
    if not (isinstance(output.want, Image) and formats and _names_itself(order)):
        return (target,)
    return tuple(target.with_suffix(handoff.suffix(replace(output.want, format=form))) for form in formats)


def _name_of_made(target: Path, item: _Made, order: Order) -> Path:
    media = item.report.media
    return target.with_suffix(handoff.suffix(media)) if isinstance(media, Image) and _names_itself(order) else target


def _names_itself(order: Order) -> bool:
    """Whether the output's name is ours to choose."""
    return order.target is None or order.target.is_dir() or str(order.target).endswith(os.sep)


def _unreadable(path: str, problem: SourceUnreadable, order: Order, began: float) -> Outcome:
    report = unreadable(path, problem, _placement(order))
    return Outcome(
        path=path,
        status="unreadable",
        profile=order.profile.name,
        before=report,
        problems=(problem.reason,),
        seconds=time.monotonic() - began,
    )


def _placement(order: Order) -> str:
    return order.profile.name if order.category is None else f"{order.profile.name}/{order.category}"


def _name(source: Any) -> str:
    if isinstance(source, Source):
        return source.name
    return files.display_name(source) if isinstance(source, (str, bytes, os.PathLike)) else "stream"


@contextmanager
def _stage(context: Context, path: str, stage: Stage, index: int = 0, count: int = 1) -> Iterator[None]:
    began = time.monotonic()
    context.listener(StageStarted(path=path, stage=stage, index=index, count=count))
    yield
    context.listener(StageDone(path=path, stage=stage, seconds=time.monotonic() - began))
