"""Where outputs go, under which names, and how they appear: all or none."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from mediaprep.model.media import Image, Media, Subtitle
from mediaprep.model.tolerance import Among, fill_in
from mediaprep.pipeline import upload_record as handoff
from mediaprep.pipeline.request import Request
from mediaprep.planning.plan import Output
from mediaprep.runtime import atomic as workfiles
from mediaprep.runtime.paths import fit_name, is_folder
from mediaprep.runtime.source import Source


def publish(parts: list[Path], targets: list[Path], force: bool) -> None:
    """All or none: where a later one cannot be published, the earlier ones are taken back (unless they replaced something)."""
    done: list[Path] = []
    try:
        for part, target in zip(parts, targets, strict=True):
            workfiles.publish(part, target, force=force)
            done.append(target)
    except BaseException:
        for target in () if force else done:
            target.unlink(missing_ok=True)
        raise


def targets(order: Request, source: Source, outputs: tuple[Output, ...]) -> list[Path]:
    """Where each output goes; several get numbers of two digits and more before the suffix."""
    suffix = handoff.suffix(fill_in(outputs[0].target, outputs[0].tolerances))
    stem = Path(source.path).stem if source.path else "upload"
    named = fit_name(stem, f".{order.profile.name}{suffix}")
    target = order.target
    if target is None:
        base = (Path(source.path).parent if source.path else Path.cwd()) / named
    elif is_folder(target) or str(target).endswith(os.sep):
        base = target / named
    else:
        base = target
    base = base.absolute()
    spans = list(dict.fromkeys(output.span for output in outputs))
    digits = max(2, len(str(len(spans))))
    names = (
        [base]
        if len(spans) == 1
        else [
            base.with_name(fit_name(base.stem, f".{n:0{digits}d}{base.suffix or suffix}"))
            for n in range(1, len(spans) + 1)
        ]
    )
    by_span = dict(zip(spans, names, strict=True))
    return [
        by_span[output.span].with_suffix(handoff.suffix(output.target))
        if isinstance(output.target, Subtitle) and order.captions is not None
        else by_span[output.span]
        for output in outputs
    ]


def possible(target: Path, output: Output, order: Request) -> tuple[Path, ...]:
    """Every name that an output may get: where its format is still open and the name is ours, one for each."""
    formats = next(
        (p.values for p in output.tolerances if isinstance(p, Among) and p.fact == "format"), ()
    )
    if not (isinstance(output.target, Image) and formats and _ours(order)):
        return (target,)
    return tuple(
        target.with_suffix(handoff.suffix(replace(output.target, format=form))) for form in formats
    )


def final(target: Path, media: Media | None, order: Request) -> Path:
    """The name of an output whose format is known by now."""
    return (
        target.with_suffix(handoff.suffix(media))
        if isinstance(media, Image) and _ours(order)
        else target
    )


def _ours(order: Request) -> bool:
    """Whether the output's name is ours to choose."""
    return order.target is None or is_folder(order.target) or str(order.target).endswith(os.sep)
