"""Where outputs go and what they are called. Decided before any work, for the command line, the
library, batches and posts alike.

An output is named after its source, ``clip.twitter.mp4``. Sources of one command that would give
one name keep their extension in it, ``IMG_1.heic.twitter.jpg``; if that is not enough, they are
numbered. The names depend on the sources alone, not on their order or on what becomes of them.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from mediaprep.errors import UsageProblem
from mediaprep.model.media import Image, Media, Subtitle
from mediaprep.model.tolerance import Among, fill_in
from mediaprep.pipeline.request import Destination, OutputStem, Request
from mediaprep.pipeline.upload_record import suffix
from mediaprep.planning.plan import Output
from mediaprep.runtime.paths import collision_key, display_name, fit_name, is_folder, os_error_text
from mediaprep.runtime.source import Source, refuse_target

STREAM_STEM = "upload"  # of a source without a name
_TAIL_BYTES = 64  # of a name that may follow the stem: profile, number and suffix


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
    sources: Sequence[str | os.PathLike[str]], folder: Path | None
) -> tuple[OutputStem, ...]:
    """Return a stem for each source of one command; "" stands for a stream without a name.

    folder  where outputs go; None for beside each source

    Raises: UsageProblem for a path that is given twice.
    """
    paths = [os.fsdecode(source) for source in sources]
    _refuse_repeated(paths)
    folders = [_output_folder(path, folder) for path in paths]
    plain = [OutputStem(name=_stem(path)) for path in paths]
    shared = Counter(zip(folders, map(_key, plain), strict=True))
    stems: dict[int, OutputStem] = {}
    taken: set[tuple[str, str]] = set()
    # Sorted, so that numbers do not depend on the order of the sources.
    for index in sorted(range(len(paths)), key=lambda index: (_identity(paths[index]), index)):
        stem = plain[index]
        if shared[folders[index], _key(stem)] > 1:
            stem = replace(stem, tag=Path(paths[index]).suffix.lower())
        for candidate in _numbered(stem):
            key = folders[index], _key(candidate)
            if key not in taken:
                taken.add(key)
                stems[index] = candidate
                break
    return tuple(stems[index] for index in range(len(paths)))


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
    """Return what tells the outputs of one source apart: ``.01``, ``.02``; "" for a single one."""
    if parts == 1:
        return [""]
    digits = max(2, len(str(parts)))
    return [f".{number:0{digits}d}" for number in range(1, parts + 1)]


def batch_names(
    place: str, suffixes: Sequence[str], *, stem_is_shared: bool
) -> Iterator[list[str]]:
    """Yield the names to try for the outputs of one file of a batch, below the output folder: those
    of the file, then numbered ones.

    place           path of the file below its input folder
    suffixes        suffix of each output
    stem_is_shared  another file of its folder differs only in the extension
    """
    path = Path(place)
    stem = OutputStem(name=path.stem, tag=path.suffix.lower() if stem_is_shared else "")
    numbers = part_numbers(len(suffixes))
    for candidate in _numbered(stem):
        tails = [
            f"{candidate.tag}{number}{ending}"
            for number, ending in zip(numbers, suffixes, strict=True)
        ]
        yield [str(path.parent / fit_name(candidate.name, tail)) for tail in tails]


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
    given: dict[tuple[str, str], str] = {}
    for path in paths:
        if not path:
            continue
        key = _identity(path)
        if key in given:
            other = "" if given[key] == path else f" (also as {display_name(given[key])})"
            raise UsageProblem(f"{display_name(path)}: given twice{other}; give it once")
        given[key] = path


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
