"""``mediaprep fix``: make files acceptable with the least work."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mediaprep.cli import _options as o

if TYPE_CHECKING:
    from mediaprep.cli._exit import Code
    from mediaprep.finding import Report
    from mediaprep.outcome import Outcome, Status


def fix(
    context: typer.Context,
    inputs: o.Inputs = None,
    output: Annotated[
        str | None, typer.Option("-o", "--output", metavar="FILE|DIR/", help="Where to; else beside each input as NAME.PROFILE.mp4.")
    ] = None,
    profile: o.ProfileName = None,
    category: o.Category = None,
    trim: o.Trim = None,
    split: o.Split = False,
    snap: o.Snap = None,
    fit: o.Fit = None,
    rung: o.Rung = None,
    to: o.To = "auto",
    quality: o.Quality = None,
    rate: o.Rate = None,
    max_size: o.MaxSize = None,
    loudness: o.Loudness = None,
    keep_metadata: o.KeepMetadata = None,
    square_pixels: o.SquarePixels = False,
    frame_rate: o.FrameRate = None,
    encoder: o.Encoder = None,
    measure: o.Measure = False,
    min_vmaf: o.MinVmaf = None,
    mend: o.Mend = None,
    force: Annotated[bool, typer.Option("-f", "--force", help="Replace an existing output; never the input.")] = False,
    dry_run: Annotated[bool, typer.Option("-n", "--dry-run", help="Only say what would be done, as plan does.")] = False,
    as_json: o.AsJson = False,
    report: Annotated[Path | None, typer.Option("--report", metavar="DIR", help="Write a receipt in JSON for each file.")] = None,
    files_from: o.FilesFrom = None,
    timeout: o.Timeout = None,
    jobs: Annotated[
        int | None, typer.Option("-j", "--jobs", min=1, metavar="N", help="Files to work on at a time.", show_default="1")
    ] = None,
) -> None:
    """Make files acceptable with the least work. What is fine is left alone; nothing is published that was not verified.

    Exit code 0: accepted or fixed; 1: refused; 3: a file cannot be read; 4: no ffmpeg or encoder; 5: the work or its verification failed.
    """
    from mediaprep.cli import _inputs
    from mediaprep.cli._each import as_post, complaint, each
    from mediaprep.cli._exit import worst
    from mediaprep.cli._face import Face, complain
    from mediaprep.cli.plan import show
    from mediaprep.pipeline import Order, preparing
    from mediaprep.report import json, text
    from mediaprep.tools.effects import drive

    face = Face.of(context)
    asked = o.wishes(
        face, trim=trim, split=split, snap=snap, fit=fit, rung=rung, to=to, quality=quality, rate=rate, max_size=max_size,
        loudness=loudness, keep_metadata=keep_metadata, square_pixels=square_pixels, frame_rate=frame_rate, encoder=encoder,
        measure=measure, min_vmaf=min_vmaf, mend=mend,
    )  # fmt: skip
    names = _inputs.collect(inputs or (), files_from)
    name, found, chosen = o.placement(face, profile, category)
    if dry_run:
        raise typer.Exit(show(face, names, name, found, chosen, asked, as_json=as_json, argv=False, timeout=timeout))
    target = _target(output, names, force, split=split)
    _inputs.refuse_collisions(names, target if target and target.is_dir() else None, to)
    receipts = None if report is None else Receipts(report)
    drawer = face.drawer()
    means = face.context(timeout=timeout, listener=drawer)

    def fixed(path: str) -> Outcome:
        order = Order(source=_inputs.source_of(path), profile=found, category=chosen, wishes=asked, target=target, force=force)
        return drive(preparing(order, means), means)

    codes, entries, media = [], [], []
    with drawer:
        for done in each(face, names, fixed, jobs=jobs or int(face.settings.number("jobs") or 1)):
            outcome = done.value
            media += [None if report is None else report.media for report in (_standing(outcome) if outcome else [None])]
            codes.append(done.code if outcome is None else _code(outcome.status))
            entry = json.fix_file(done.name, outcome, done.error)
            if receipts is not None:
                receipts.keep(done.name, json.document(profile=found.name, **entry))
            if as_json:
                entries.append(entry)
            with drawer.aside(_as_told(done.name)):
                if outcome is None:
                    complain(complaint(done))
                elif not as_json:
                    face.lines(text.fix_lines(done.name, outcome, name))
            face.log("done", path=done.name, status=entry["status"], outputs=entry["outputs"], seconds=entry["seconds"])
    if as_json:
        face.document(json.document(profile=found.name, files=entries, post=json.post_body(as_post(media, found))))
    raise typer.Exit(worst(codes))


def _as_told(name: str) -> str:
    """The name that events have for an input."""
    from mediaprep.cli._inputs import STDIN
    from mediaprep.files import display_name

    return "stream" if name == STDIN else display_name(name)


def _standing(outcome: Outcome) -> list[Report | None]:
    """The reports of what could be uploaded now: of the outputs, else of the source."""
    return [*outcome.after] or [outcome.before]


def _code(status: Status) -> Code:
    from mediaprep.cli._exit import Code

    codes = {"already_ok": Code.OK, "fixed": Code.OK, "refused": Code.FINDINGS, "unreadable": Code.UNREADABLE, "failed": Code.FAILED}
    return codes[status]


def _target(output: str | None, names: tuple[str, ...], force: bool, *, split: bool) -> Path | None:
    """Where to: a file, a folder, or beside each input. Looked at before any work. Raises: UsageProblem."""
    from mediaprep.errors import UsageProblem
    from mediaprep.files import display_name

    if output is None:
        return None
    path, shown = Path(output), display_name(output)
    if path.is_dir():
        return path
    if output.endswith(os.sep):
        raise UsageProblem(f"-o {shown}: no such folder: create it first")
    if len(names) > 1:
        raise UsageProblem(f"-o {shown}: several inputs need a folder: create it, or name one that exists")
    if os.path.lexists(path) and not force and not split:
        raise UsageProblem(f"{shown}: exists: choose another name with -o, or replace it with --force")
    if not path.parent.is_dir():
        raise UsageProblem(f"{shown}: its folder {display_name(path.parent)} does not exist: create it first")
    return path


class Receipts:
    """A folder with one JSON document for each source, never overwriting one of another source of the same run."""

    def __init__(self, folder: Path) -> None:
        """Raises: UsageProblem where the folder cannot be made."""
        from mediaprep.errors import UsageProblem

        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise UsageProblem(f"--report {folder}: cannot be made: {problem.strerror}") from problem
        self._folder = folder
        self._taken: set[str] = set()

    def keep(self, path: str, content: dict[str, object]) -> None:
        """Write one receipt; an older one of that name is replaced. Raises: EnvironmentProblem."""
        from mediaprep.errors import EnvironmentProblem
        from mediaprep.report.json import dumps, receipt_name

        name = receipt_name(path, self._taken)
        self._taken.add(name)
        try:
            (self._folder / name).write_text(dumps(content) + "\n", encoding="ascii")
        except OSError as problem:
            raise EnvironmentProblem(f"--report {self._folder / name}: cannot be written: {problem.strerror}") from problem
