"""``mediaprep check``: check files against a platform's limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mediaprep.cli._arguments import (
    captions_option,
    category_option,
    files_from_option,
    inputs_argument,
    json_option,
    option_group,
    profile_option,
)
from mediaprep.cli._console import Console, print_error
from mediaprep.cli._exit import ExitCode, worst
from mediaprep.cli._for_each import InputResult, for_each
from mediaprep.cli._inputs import captions_for, collect, source_of
from mediaprep.cli._placement import ChosenPlacement, find_placement
from mediaprep.cli._post import attachment, post_report
from mediaprep.config import SETTINGS
from mediaprep.model.level import LEVELS, Level
from mediaprep.model.option_spec import option, option_from
from mediaprep.model.options import Options, parse_options
from mediaprep.runtime.cores import available_cores
from mediaprep.runtime.startup import load_in_background

# The other imports are local: the first file is read while they are loaded (``_load``).
if TYPE_CHECKING:
    from mediaprep.model.media import Media
    from mediaprep.model.report import Report
    from mediaprep.pipeline.inspect import Inspection
    from mediaprep.planning.plan import Plan


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckArguments:
    """The arguments of ``check``."""

    inputs: Sequence[str] = inputs_argument()
    profile: str | None = profile_option()
    category: str | None = category_option()
    as_json: bool = json_option()
    fail_on: str | None = option_from(SETTINGS["fail-on"])
    options: Mapping[str, Any] = option_group("inspection")
    exit_zero: bool = option(False, "Exit with code 0 even if there are findings.")
    post: bool = option(False, "Also check all inputs together, as the attachments of one post.")
    captions: str | None = captions_option()
    files_from: str | None = files_from_option()
    timeout: float | None = option_from(SETTINGS["timeout"])


def check(console: Console, arguments: CheckArguments) -> ExitCode:
    """Check files against a platform's limits.

    Exit code 0: accepted; 1: findings of level must, or a required fact is unknown; 3: a file
    cannot be read.
    """

    names = collect(arguments.inputs, arguments.files_from)
    placement = find_placement(console, arguments.profile, arguments.category)
    options = parse_options(arguments.options, console.settings.values)
    lowest = arguments.fail_on or console.settings.text("fail-on") or "must"
    names_of_levels = list[str](LEVELS)
    failing = LEVELS[: names_of_levels.index(lowest) + 1]
    writer = _ReportWriter(console, arguments, placement)
    codes: list[ExitCode] = []
    for result in _results(console, arguments, names, placement, options):
        writer.add(result)
        if result.value is None:
            codes.append(result.code)
        else:
            reports = result.value.reports
            codes += [_exit_code(report, failing, arguments.exit_zero) for report in reports]
    post_fails = writer.end()
    if post_fails and not arguments.exit_zero:
        codes.append(ExitCode.FINDINGS)
    return worst(codes)


def _results(
    console: Console,
    arguments: CheckArguments,
    names: Sequence[str],
    placement: ChosenPlacement,
    options: Options,
) -> Iterator[InputResult[Inspection]]:
    """Yield the inspection of each file."""

    check_one = _checker(console, arguments, names, placement, options)
    with load_in_background(lambda: _load(arguments.as_json)):
        # One more than there are cores: one evaluates rules while the others wait for readers.
        yield from for_each(console, names, check_one, jobs=min(available_cores() + 1, len(names)))


def _checker(
    console: Console,
    arguments: CheckArguments,
    names: Sequence[str],
    placement: ChosenPlacement,
    options: Options,
) -> Callable[[str], Inspection]:
    """Return the function that checks one file."""
    from mediaprep.pipeline.inspect import inspect_steps
    from mediaprep.pipeline.request import Request
    from mediaprep.runtime.effects import drive

    captions = captions_for(names, arguments.captions)
    context = console.context(timeout=arguments.timeout)

    def check_one(path: str) -> Inspection:
        request = Request(
            source=source_of(path),
            profile=placement.profile,
            category=placement.category,
            options=options,
            captions=captions,
        )
        return drive(inspect_steps(request, context), context)

    return check_one


def _load(as_json: bool) -> None:
    """Import what evaluates and shows the facts, while a child process reads the first file."""
    import mediaprep.planning.check
    from mediaprep.model.media import Media
    from mediaprep.model.serialize import prepare_decoder

    prepare_decoder(Media)
    if as_json:
        import mediaprep.report.json
    else:
        import mediaprep.planning.plan
        import mediaprep.report.text  # noqa: F401 (all of them: for later)


class _ReportWriter:
    """Writes reports as they come, and checks all files as one post at the end.

    Only the kind and name of each file stay in memory.
    """

    def __init__(
        self,
        console: Console,
        arguments: CheckArguments,
        placement: ChosenPlacement,
    ) -> None:
        self._console, self._arguments, self._placement = console, arguments, placement
        self._attachments: list[Media | None] = []
        self._stream = None
        if arguments.as_json:
            self._stream = console.json_stream(profile=placement.profile.name)

    def add(self, result: InputResult[Inspection]) -> None:
        """Write the reports of one file, or its error."""

        inspection = result.value
        report, *along = inspection.reports if inspection is not None else (None,)
        self._attachments.append(attachment(report))
        if self._stream is not None:
            from mediaprep.report.json import check_file

            self._stream.add(check_file(result.name, report, result.error, along))
        elif inspection is not None and report is not None:
            from mediaprep.report import text

            plan, name = _plan(inspection), self._placement.name
            self._console.lines(text.check_lines(result.name, report, plan, name))
            for item in along:
                self._console.lines(text.check_lines(item.path, item, None, name))
        if report is None:
            print_error(result.error_line)

    def end(self) -> bool:
        """Write the report of all files as one post; return True if it was requested and fails."""

        requested = self._arguments.post
        report = post_report(self._attachments, self._placement.profile, requested=requested)
        if self._stream is not None:
            from mediaprep.report.json import post_body

            self._stream.end(post=post_body(report))
        elif requested and report is not None:
            from mediaprep.report import text

            self._console.lines(text.post_lines(report))
        return requested and report is not None and report.verdict != "pass"


def _plan(inspection: Inspection) -> Plan | None:
    """Plan the repair of a file with findings."""
    if inspection.media is None or not inspection.report.findings:
        return None
    return inspection.plan()


def _exit_code(report: Report, failing: tuple[Level, ...], exit_zero: bool) -> ExitCode:

    if report.verdict == "unreadable":
        return ExitCode.UNREADABLE
    fails = any(finding.level in failing for finding in report.findings)
    return ExitCode.FINDINGS if fails and not exit_zero else ExitCode.OK
