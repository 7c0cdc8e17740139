"""Where outputs go and what they are called. Decided before any work, for the command line, the
library, batches and posts alike.

An output is named after its source, ``clip.twitter.mp4``. Sources of one command that could give
the same name keep their extension in it, ``IMG_1.heic.twitter.jpg``; if that is not enough, they
are numbered. The names depend on the sources alone, not on their order or on what becomes of them.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from mediaprep.errors import SourceUnreadable, UsageProblem
from mediaprep.model.containers import kind_of_suffix
from mediaprep.model.media import Image, Kind, Media, Subtitle
from mediaprep.model.tolerance import Among, fill_in
from mediaprep.pipeline.request import Destination, OutputStem, Request
from mediaprep.pipeline.upload_record import suffix
from mediaprep.planning.plan import Output
from mediaprep.probing.identify.sniff import sniff
from mediaprep.runtime.paths import collision_key, display_name, fit_name, is_folder, os_error_text
from mediaprep.runtime.source import Source, open_source, refuse_target

STREAM_STEM = "upload"  # of a source without a name
_TAIL_BYTES = 64  # of a name that may follow the stem: profile, number and suffix
# Kinds of sources whose outputs may have the suffix of an output of this kind.
_COMPETING_KINDS: dict[Kind, tuple[Kind, ...]] = {
    "video": ("video", "animation"),
    "animation": ("video", "animation"),
    "image": ("image",),
    "subtitle": ("subtitle",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputPath:
    """The path of one output.

    path      the path, by the preferred format if several are possible
    possible  every path that the output may get; the encoder chooses the format of some stills
    """

    path: Path
    possible: tuple[Path, ...]

    def of(self, written: Media | None) -> Path:
        """Return the path for what was written."""
        if len(self.possible) == 1 or not isinstance(written, Image):
            return self.path
        return self.path.with_suffix(suffix(written))


def destination_of(target: str | os.PathLike[str] | None, *, folder: bool = False) -> Destination:
    """Return the destination that a user's target means: a folder if it exists as one, ends in a
    separator, or has to be one (``folder``). Checked before any work; nothing is created.

    Raises: UsageProblem if no output can be written there.
    """
    if target is None:
        return Destination()
    path, shown = Path(target), display_name(target)
    if folder or os.fspath(target).endswith(os.sep) or is_folder(path):
        _check_folder(path, shown)
        return Destination(folder=path)
    if not is_folder(path.parent):
        raise UsageProblem(
            f"{shown}: the folder {display_name(path.parent)} does not exist; create it"
        )
    return Destination(file=path)


def _check_folder(folder: Path, shown: str) -> None:
    """Raise UsageProblem if ``folder`` neither exists nor can be created, or is not writable."""
    existing = folder.absolute()
    while not os.path.lexists(existing) and existing != existing.parent:
        is_folder(existing)  # raises if no file can have this name
        existing = existing.parent
    if not is_folder(existing):
        raise UsageProblem(f"{shown}: {display_name(existing)} is not a folder; choose another")
    if not os.access(existing, os.W_OK | os.X_OK):
        raise UsageProblem(
            f"{shown}: the folder {display_name(existing)} is not writable; choose another"
        )


def output_stems(
    sources: Sequence[str | os.PathLike[str]], folder: Path | None, *, to: str = "auto"
) -> tuple[OutputStem, ...]:
    """Return a stem for each source of one command; "" stands for a stream without a name.

    folder  where outputs go; None for beside each source
    to      the option: the kind that every source is converted to, or auto

    Sources of one stem keep their extension if their outputs may be of one kind, which their first
    bytes tell: ``IMG_1.HEIC`` and ``IMG_1.MOV`` do not need it. Nothing depends on the order of
    the sources or on what becomes of them. Raises: UsageProblem for a path that is passed twice.
    """
    paths = [os.fsdecode(source) for source in sources]
    _refuse_repeated(paths)
    folders = [_output_folder(path, folder) for path in paths]
    plain = [OutputStem(name=_stem(path)) for path in paths]
    groups: dict[tuple[str, str], list[int]] = {}
    for index, stem in enumerate(plain):
        groups.setdefault((folders[index], _key(stem)), []).append(index)
    kinds: list[Kind | None] = [None] * len(paths)
    tagged = list(plain)
    for group in groups.values():
        if len(group) < 2:
            continue
        for index in group:
            kinds[index] = _kind(paths[index]) if to == "auto" else None
        for index in group:
            others = [kinds[other] for other in group if other != index]
            if any(_may_collide(kinds[index], other) for other in others):
                tagged[index] = replace(plain[index], tag=Path(paths[index]).suffix.lower())
    return _unique_stems(paths, folders, tagged, kinds)


def _unique_stems(
    paths: Sequence[str],
    folders: Sequence[str],
    stems: Sequence[OutputStem],
    kinds: Sequence[Kind | None],
) -> tuple[OutputStem, ...]:
    """Number the stems that are still the same, in the order of the paths."""
    unique = list(stems)
    taken: dict[tuple[str, str], list[Kind | None]] = {}
    for index in sorted(range(len(paths)), key=lambda index: (_identity(paths[index]), index)):
        for candidate in _numbered(stems[index]):
            others = taken.setdefault((folders[index], _key(candidate)), [])
            if not any(_may_collide(kinds[index], other) for other in others):
                others.append(kinds[index])
                unique[index] = candidate
                break
    return tuple(unique)


def _may_collide(kind: Kind | None, other: Kind | None) -> bool:
    """Return True if outputs of sources of these kinds may have the same suffix."""
    if kind is None or other is None:
        return True
    return other in _COMPETING_KINDS.get(kind, (kind,))


def _kind(path: str) -> Kind | None:
    """Return the kind of a file by its first bytes; None if it is unknown."""
    if not path:
        return None
    try:
        with open_source(path) as source:
            return sniff(source).kind_hint
    except SourceUnreadable:
        return None


def output_paths(
    request: Request, source_path: str, outputs: Sequence[Output]
) -> tuple[OutputPath, ...]:
    """Return the path of each output. The parts of a split are numbered, captions are named after
    the video or the part that they belong to.
    """
    first = outputs[0]
    ending = suffix(fill_in(first.target, first.tolerances))
    base = request.destination.file
    if base is None:
        stem = request.stem or OutputStem(name=_stem(source_path))
        folder = request.destination.folder or Path(source_path).parent
        tail = f"{stem.tag}.{request.profile.name}{ending}"
        base = folder / fit_name(stem.name, tail)
    base = base.absolute()
    spans = list(dict.fromkeys(output.span for output in outputs))
    by_span = {
        span: base.with_name(fit_name(base.stem, f"{number}{base.suffix or ending}"))
        if number
        else base
        for span, number in zip(spans, part_numbers(len(spans)), strict=True)
    }
    return tuple(_output_path(request, by_span[output.span], output) for output in outputs)


def part_numbers(parts: int) -> list[str]:
    """Return the number of each output of one source: ``.01``, ``.02``; "" for a single output."""
    if parts == 1:
        return [""]
    digits = max(2, len(str(parts)))
    return [f".{number:0{digits}d}" for number in range(1, parts + 1)]


def candidate_names(
    relative_path: str, suffixes: Sequence[str], other_suffixes: frozenset[str]
) -> Iterator[list[str]]:
    """Yield the names to try for the outputs of one file of a batch, the best ones first. They are
    paths below the output folder.

    relative_path   path of the file below its input folder
    suffixes        suffix of each output
    other_suffixes  suffixes of the files in its folder that have its stem

    A batch may get further files later, so unlike ``output_stems`` it keeps the plain name unless
    another file, by its suffix, may get the same one.
    """
    path = Path(relative_path)
    own_suffix = path.suffix.lower()
    keeps_suffix = all(ending.lower() == own_suffix for ending in suffixes)
    is_ambiguous = _may_get_same_name(suffixes[0], other_suffixes - {path.suffix})
    if keeps_suffix or not is_ambiguous:
        yield _names(path, OutputStem(name=path.stem), suffixes)
    stem = OutputStem(name=path.stem, tag=own_suffix if is_ambiguous else "")
    for number, candidate in enumerate(_numbered(stem)):
        if number > 0 or stem.tag:
            yield _names(path, candidate, suffixes)


def _may_get_same_name(ending: str, other_suffixes: frozenset[str]) -> bool:
    kind = kind_of_suffix(ending)
    competing = _COMPETING_KINDS.get(kind, ()) if kind else ()
    return any(kind_of_suffix(other) in competing for other in other_suffixes)


def _names(path: Path, stem: OutputStem, suffixes: Sequence[str]) -> list[str]:
    return [
        str(path.parent / fit_name(stem.name, f"{stem.tag}{number}{ending}"))
        for number, ending in zip(part_numbers(len(suffixes)), suffixes, strict=True)
    ]


def check_paths(paths: Sequence[OutputPath], request: Request, sources: Sequence[Source]) -> None:
    """Check every possible path. Raises: UsageProblem if one exists (unless replaced), is one of
    the sources, or cannot be written.
    """
    for path in paths:
        for possible in path.possible:
            folder = request.destination.folder
            if folder is not None and not os.path.lexists(folder):
                _check_folder(folder, display_name(folder))
                continue
            for source in sources:
                refuse_target(source, possible, request.force)


def create_folder(destination: Destination) -> None:
    """Create the folder of a destination, and its parents. Raises: UsageProblem."""
    if destination.folder is None:
        return
    try:
        destination.folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise UsageProblem(
            f"{display_name(destination.folder)}: cannot be created"
            f" ({os_error_text(problem)}); choose another"
        ) from problem


def _output_path(request: Request, path: Path, output: Output) -> OutputPath:
    if isinstance(output.target, Subtitle) and request.captions is not None:
        path = path.with_suffix(suffix(output.target))
    derived = request.destination.file is None
    if not (derived and isinstance(output.target, Image)):
        return OutputPath(path=path, possible=(path,))
    for item in output.tolerances:
        if isinstance(item, Among) and item.fact == "format":
            formats = [suffix(replace(output.target, format=form)) for form in item.values]
            return OutputPath(path=path, possible=tuple(map(path.with_suffix, formats)))
    return OutputPath(path=path, possible=(path,))


def _refuse_repeated(paths: Sequence[str]) -> None:
    passed: dict[tuple[str, str], str] = {}
    for path in paths:
        if not path:
            continue
        key = _identity(path)
        if key in passed:
            other = "" if passed[key] == path else f" (also as {display_name(passed[key])})"
            raise UsageProblem(f"{display_name(path)}: passed twice{other}; pass it once")
        passed[key] = path


def _identity(path: str) -> tuple[str, str]:
    """Return the folder, with links resolved, and the name of a path."""
    folder, name = os.path.split(os.path.abspath(path)) if path else ("", "")  # noqa: PTH100
    return os.path.realpath(folder) if folder else "", name


def _output_folder(path: str, folder: Path | None) -> str:
    if folder is not None:
        return os.path.realpath(folder)
    return _identity(path)[0] if path else os.path.realpath(Path.cwd())


def _stem(path: str) -> str:
    return Path(path).stem if path else STREAM_STEM


def _key(stem: OutputStem) -> str:
    """Return the key under which two stems collide on some file system."""
    return collision_key(fit_name(stem.name, stem.tag + "x" * _TAIL_BYTES))


def _numbered(stem: OutputStem) -> Iterator[OutputStem]:
    yield stem
    for number in count(2):
        yield replace(stem, tag=f"{stem.tag}.{number}")
