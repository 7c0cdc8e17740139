"""``mediaprep check``: judge files by a platform's limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mediaprep.cli._options import AsJson, Captions, Category, FilesFrom, Inputs, LevelWord, Post, ProfileName, Timeout

if TYPE_CHECKING:
    from mediaprep.cli._exit import Code
    from mediaprep.finding import Level, Report

_DOWN_TO: dict[str, tuple[Level, ...]] = {"must": ("must",), "observed": ("must", "observed"), "should": ("must", "observed", "should")}


def check(
    context: typer.Context,
    inputs: Inputs = None,
    profile: ProfileName = None,
    category: Category = None,
    as_json: AsJson = False,
    fail_on: Annotated[
        LevelWord | None, typer.Option("--fail-on", help="Findings of which level, and above, make the exit code 1.", show_default="must")
    ] = None,
    deep: Annotated[bool, typer.Option("--deep", help="Decode as much as a sure verdict takes.")] = False,
    exit_zero: Annotated[bool, typer.Option("--exit-zero", help="Exit 0 in spite of findings.")] = False,
    post: Post = False,
    captions: Captions = None,
    files_from: FilesFrom = None,
    timeout: Timeout = None,
) -> None:
    """Judge files by a platform's limits. Nothing is written.

    Exit code 0: accepted; 1: findings remain, or a verdict cannot be told; 3: a file cannot be read.
    """
    from mediaprep.cli import _inputs, _options
    from mediaprep.cli._each import as_post, complaint, each
    from mediaprep.cli._exit import Code, worst
    from mediaprep.cli._face import Face, complain
    from mediaprep.pipeline import Order, judging
    from mediaprep.report import json, text
    from mediaprep.tools.effects import drive
    from mediaprep.wishes import Wishes

    face = Face.of(context)
    names = _inputs.collect(inputs or (), files_from)
    name, found, asked = _options.placement(face, profile, category)
    levels = _DOWN_TO[fail_on or face.settings.text("fail-on") or "must"]
    means = face.context(timeout=timeout)
    along = _options.captions_for(names, captions)

    def judged(path: str):  # type: ignore[no-untyped-def]  # noqa: ANN202 (the pipeline's own type)
        source = _inputs.source_of(path)
        order = Order(source=source, profile=found, category=asked, wishes=Wishes(deep=deep), captions=along)
        return drive(judging(order, means), means)

    codes: list[Code] = []
    entries, reports = [], []
    for done in each(face, names, judged):
        report, plan = done.value or (None, None)
        said = plan.along if plan is not None else ()
        codes += [done.code] if report is None else [_code(item, levels, exit_zero) for item in (report, *said)]
        reports.append(report)
        if as_json:
            entries.append(json.check_file(done.name, report, done.error, said))
        elif report is not None:
            face.lines(text.check_lines(done.name, report, plan, name))
            for item in said:
                face.lines(text.check_lines(item.path, item, None, name))
        if report is None:
            complain(complaint(done))
    whole = as_post([report and report.media for report in reports], found, asked=post)
    if post and whole is not None and whole.verdict != "pass" and not exit_zero:
        codes.append(Code.FINDINGS)
    if as_json:
        face.document(json.document(profile=found.name, files=entries, post=json.post_body(whole)))
    elif post and whole is not None:
        face.lines(text.post_lines(whole))
    raise typer.Exit(worst(codes))


def _code(report: Report, levels: tuple[Level, ...], exit_zero: bool) -> Code:
    from mediaprep.cli._exit import Code

    if report.verdict == "unreadable":
        return Code.UNREADABLE
    found = any(finding.level in levels for finding in report.findings)
    return Code.FINDINGS if found and not exit_zero else Code.OK
