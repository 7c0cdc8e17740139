"""What ``mediaprep fix`` does once its words are understood."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mediaprep.cli._console import Console
    from mediaprep.cli._exit import ExitCode
    from mediaprep.cli._repair_arguments import FixArguments
    from mediaprep.model.report import Report
    from mediaprep.pipeline.outcome import Outcome, Status


def run(console: Console, given: Mapping[str, Any]) -> ExitCode:
    """Repair files as the options say, by their parameters' names; the exit code. Raises: UsageProblem, ProfileError, Stopped."""
    from mediaprep.cli import _inputs, _repair_arguments
    from mediaprep.runtime.source import is_folder

    request = _repair_arguments.request(console, given)
    if given["dry_run"]:
        from mediaprep.cli.plan import show

        return show(console, request, argv=False)
    target = _target(given["output"], request.names, given["force"], split=given["split"])
    _inputs.refuse_collisions(
        request.names, target if target and is_folder(target) else None, given["to"]
    )
    receipts = None if given["report"] is None else ReceiptFolder(given["report"])
    orders = {"target": target, "force": given["force"]}
    if given["post"] and (code := _no_post(console, request)) is not None:
        return code
    return _repair(
        console,
        request,
        orders,
        receipts,
        given["jobs"] or int(console.settings.number("jobs") or 1),
    )


def _no_post(console: Console, request: FixArguments) -> ExitCode | None:
    """Judge all inputs as one post before any work; None: they can go together. Else what was said and the exit code: nothing is made.

    Raises: UsageProblem for stdin, which can be read once only.
    """
    from mediaprep.cli._exit import ExitCode
    from mediaprep.cli._inputs import STDIN
    from mediaprep.errors import UsageProblem
    from mediaprep.pipeline.post import check_post_steps, refused
    from mediaprep.pipeline.request import Request
    from mediaprep.report import json, text
    from mediaprep.runtime.effects import drive

    if STDIN in request.names:
        raise UsageProblem(
            "--post looks at every input before it begins: save stdin ('-') to a file first"
        )
    means = console.context(timeout=request.timeout)
    orders = tuple(
        Request(source=name, profile=request.profile, category=request.category)
        for name in request.names
    )
    judged = drive(check_post_steps(orders, means), means)
    if judged.whole.verdict != "fail":
        return None
    outcomes = refused(judged, request.profile)
    if request.as_json:
        entries = [
            json.fix_file(name, outcome)
            for name, outcome in zip(request.names, outcomes, strict=True)
        ]
        console.document(
            json.document(
                sandbox=console.confinement,
                profile=request.profile.name,
                files=entries,
                post=json.post_body(judged.whole),
            )
        )
    else:
        console.lines(text.post_lines(judged.whole))
    return (
        ExitCode.UNREADABLE
        if any(outcome.status == "unreadable" for outcome in outcomes)
        else ExitCode.FINDINGS
    )


def _repair(
    console: Console,
    request: FixArguments,
    orders: dict[str, Any],
    receipts: ReceiptFolder | None,
    jobs: int,
) -> ExitCode:
    """Repair each file and tell what came of it. ``orders``: the target and force of every ``Request``."""
    from mediaprep.cli import _inputs
    from mediaprep.cli._console import complain
    from mediaprep.cli._exit import worst
    from mediaprep.cli._for_each import as_post, complaint, each
    from mediaprep.pipeline.prepare import prepare_steps
    from mediaprep.pipeline.request import Request
    from mediaprep.report import json, text
    from mediaprep.runtime.effects import drive

    drawer = console.drawer()
    means = console.context(timeout=request.timeout, listener=drawer)
    name = request.profile.name

    def fixed(path: str) -> Outcome:
        source = _inputs.source_of(path)
        order = Request(
            source=source,
            profile=request.profile,
            category=request.category,
            options=request.options,
            captions=request.captions,
            **orders,
        )
        return drive(prepare_steps(order, means), means)

    codes, entries, media = [], [], []
    with _meanwhile(console), drawer:
        for done in each(console, request.names, fixed, jobs=jobs):
            outcome = done.value
            media += [
                None if report is None else report.media
                for report in (_standing(outcome) if outcome else [None])
            ]
            codes.append(done.code if outcome is None else _code(outcome.status))
            entries.append(json.fix_file(done.name, outcome, done.error))
            if receipts is not None:
                receipts.keep(
                    done.name,
                    json.document(sandbox=console.confinement, profile=name, **entries[-1]),
                )
            with drawer.aside(_as_told(done.name)):
                if outcome is None:
                    complain(complaint(done))
                elif not request.as_json:
                    console.lines(text.fix_lines(done.name, outcome, request.placement))
            console.log(
                "done",
                path=done.name,
                **{key: entries[-1][key] for key in ("status", "outputs", "seconds")},
            )
    if request.as_json:
        console.document(
            json.document(
                sandbox=console.confinement,
                profile=name,
                files=entries,
                post=json.post_body(as_post(media, request.profile)),
            )
        )
    return worst(codes)


@contextlib.contextmanager
def _meanwhile(console: Console) -> Iterator[None]:
    """Load what the repair needs while the first file is read by a child; what the reading itself waits for comes first."""
    import mediaprep.probing.identify.sniff  # noqa: F401 (for the thread that reads)

    def load() -> None:
        from mediaprep.model.media import Media
        from mediaprep.model.serialize import prepare_decoder
        from mediaprep.tools import ffmpeg

        prepare_decoder(Media)
        ffmpeg.ahead(console.ffmpeg)

    thread = threading.Thread(target=load, name="mediaprep-load")
    thread.start()
    try:
        yield
    finally:
        thread.join()


def _as_told(name: str) -> str:
    """The name that events have for an input."""
    from mediaprep.cli._inputs import STDIN
    from mediaprep.runtime.source import display_name

    return "stream" if name == STDIN else display_name(name)


def _standing(outcome: Outcome) -> list[Report | None]:
    """The reports of what could be uploaded now: of the outputs, else of the source."""
    return [*outcome.after] or [outcome.before]


def _code(status: Status) -> ExitCode:
    from mediaprep.cli._exit import ExitCode

    codes = {
        "already_ok": ExitCode.OK,
        "fixed": ExitCode.OK,
        "refused": ExitCode.FINDINGS,
        "unreadable": ExitCode.UNREADABLE,
        "failed": ExitCode.FAILED,
    }
    return codes[status]


def _target(output: str | None, names: tuple[str, ...], force: bool, *, split: bool) -> Path | None:
    """Where to: a file, a folder, or beside each input. Looked at before any work. Raises: UsageProblem."""
    from mediaprep.errors import UsageProblem
    from mediaprep.runtime.source import display_name, is_folder

    if output is None:
        return None
    path, shown = Path(output), display_name(output)
    if is_folder(path):
        return path
    if output.endswith(os.sep):
        raise UsageProblem(f"-o {shown}: no such folder: create it first")
    if len(names) > 1:
        raise UsageProblem(
            f"-o {shown}: several inputs need a folder: create it, or name one that exists"
        )
    if os.path.lexists(path) and not force and not split:
        raise UsageProblem(
            f"{shown}: exists: choose another name with -o, or replace it with --force"
        )
    if not is_folder(path.parent):
        raise UsageProblem(
            f"{shown}: its folder {display_name(path.parent)} does not exist: create it first"
        )
    return path


class ReceiptFolder:
    """A folder with one JSON document for each source, never overwriting one of another source of the same run."""

    def __init__(self, folder: Path) -> None:
        """Raises: UsageProblem where the folder cannot be made."""
        from mediaprep.errors import UsageProblem

        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise UsageProblem(
                f"--report {folder}: cannot be made: {problem.strerror}"
            ) from problem
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
            raise EnvironmentProblem(
                f"--report {self._folder / name}: cannot be written: {problem.strerror}"
            ) from problem
