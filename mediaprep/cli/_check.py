"""What ``mediaprep check`` does once its words are understood."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mediaprep.cli._console import Console
    from mediaprep.cli._exit import ExitCode
    from mediaprep.cli._for_each import InputResult
    from mediaprep.model.report import Level, Report
    from mediaprep.planning.plan import Plan
    from mediaprep.profile import Profile
    from mediaprep.runtime.context import Context

_DOWN_TO: dict[str, tuple[Level, ...]] = {
    "must": ("must",),
    "observed": ("must", "observed"),
    "should": ("must", "observed", "should"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckArguments:
    """The options of ``check``; ``inputs``: the names."""

    inputs: Sequence[str] = ()
    profile: str | None = None
    category: str | None = None
    as_json: bool = False
    fail_on: str | None = None
    deep: bool = False
    exit_zero: bool = False
    post: bool = False
    captions: str | None = None
    files_from: str | None = None
    timeout: float | None = None


def run(console: Console, asked: CheckArguments) -> ExitCode:
    """Judge each file and say so, as the answers come; the exit code. Raises: UsageProblem, ProfileError, Stopped."""
    from mediaprep.cli._exit import ExitCode, worst
    from mediaprep.cli._inputs import collect
    from mediaprep.cli._placement import placement

    names = collect(asked.inputs, asked.files_from)
    name, profile, category = placement(console, asked.profile, asked.category)
    levels = _DOWN_TO[asked.fail_on or console.settings.text("fail-on") or "must"]
    means = console.context(timeout=asked.timeout)
    whole = _AnswerWriter(console, asked, name, profile)
    codes: list[ExitCode] = []
    for done in _looks(console, asked, names, profile, category, means):
        whole.add(done)
        report, along = done.value if done.value is not None else (None, ())
        codes += (
            [done.code]
            if report is None
            else [_code(item, levels, asked.exit_zero) for item in (report, *along)]
        )
    refused = whole.end()
    return worst([*codes, ExitCode.FINDINGS] if refused and not asked.exit_zero else codes)


def _looks(
    console: Console,
    asked: CheckArguments,
    names: Sequence[str],
    profile: Profile,
    category: str | None,
    means: Context,
) -> Iterator[InputResult[tuple[Report, tuple[Report, ...]]]]:
    """Of each file the report, and that of the captions which go with it."""
    from mediaprep.cli._for_each import cores, each
    from mediaprep.cli._inputs import captions_for, source_of
    from mediaprep.model.options import Options
    from mediaprep.pipeline.inspect import judged
    from mediaprep.runtime.effects import drive

    options, captions = Options(deep=asked.deep), captions_for(names, asked.captions)
    meanwhile = threading.Thread(target=_load, args=(asked.as_json,), name="mediaprep-load")
    meanwhile.start()

    def one(path: str) -> tuple[Report, tuple[Report, ...]]:
        if captions is None:
            return drive(judged(source_of(path), profile, category, options, means), means), ()
        from mediaprep.pipeline.prepare import inspect_steps
        from mediaprep.pipeline.request import Request

        order = Request(
            source=source_of(path),
            profile=profile,
            category=category,
            options=options,
            captions=captions,
        )
        report, plan = drive(inspect_steps(order, means), means)
        return report, plan.along if plan is not None else ()

    try:
        yield from each(
            console, names, one, jobs=min(cores() + 1, len(names))
        )  # one judges while the others wait for readers
    finally:
        meanwhile.join()


def _load(as_json: bool) -> None:
    """Import what judges and what is said, while the first file is read by a child."""
    import mediaprep.planning.check
    from mediaprep.model.media import Media
    from mediaprep.model.serialize import prepare_decoder

    prepare_decoder(Media)
    if as_json:
        import mediaprep.report.json
    else:
        import mediaprep.planning.plan
        import mediaprep.report.text  # noqa: F401 (all of them: for later)


class _AnswerWriter:
    """The answer as it grows: text at once, JSON file by file; what all files are as one post. Keeps of each file a few bytes only."""

    def __init__(
        self, console: Console, asked: CheckArguments, name: str, profile: Profile
    ) -> None:
        self._console, self._asked, self._name, self._profile = console, asked, name, profile
        self._kinds: list[Any] = []
        self._document = console.growing(profile=profile.name) if asked.as_json else None

    def add(self, done: InputResult[tuple[Report, tuple[Report, ...]]]) -> None:
        """Say what came of one file."""
        from mediaprep.cli._console import complain
        from mediaprep.cli._for_each import attachment, complaint

        report, along = done.value if done.value is not None else (None, ())
        self._kinds.append(attachment(report))
        if self._document is not None:
            from mediaprep.report.json import check_file

            self._document.add(check_file(done.name, report, done.error, along))
        elif report is not None:
            from mediaprep.report import text

            self._console.lines(text.check_lines(done.name, report, self._plan(report), self._name))
            for item in along:
                self._console.lines(text.check_lines(item.path, item, None, self._name))
        if report is None:
            complain(complaint(done))

    def end(self) -> bool:
        """Say what concerns all files; whether they were to go together, and cannot."""
        from mediaprep.cli._for_each import as_post

        whole = as_post(self._kinds, self._profile, asked=self._asked.post)
        if self._document is not None:
            from mediaprep.report.json import post_body

            self._document.end(post=post_body(whole))
        elif self._asked.post and whole is not None:
            from mediaprep.report import text

            self._console.lines(text.post_lines(whole))
        return self._asked.post and whole is not None and whole.verdict != "pass"

    def _plan(self, report: Report) -> Plan | None:
        """What a repair would do about the findings."""
        if report.media is None or not report.findings:
            return None
        from mediaprep.model.options import Options
        from mediaprep.planning.plan import plan

        placement = self._profile.placement_for(report.media.kind, report.category)
        return plan(
            (report.media,),
            placement,
            Options(deep=self._asked.deep),
            others=self._profile.companions(placement),
        )


def _code(report: Report, levels: tuple[Level, ...], exit_zero: bool) -> ExitCode:
    from mediaprep.cli._exit import ExitCode

    if report.verdict == "unreadable":
        return ExitCode.UNREADABLE
    found = any(finding.level in levels for finding in report.findings)
    return ExitCode.FINDINGS if found and not exit_zero else ExitCode.OK
