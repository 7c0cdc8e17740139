"""``mediaprep jobs``: what the ledger of a batch or a watch knows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from mediaprep.cli._help import help_without_command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mediaprep.jobs.ledger.ledger import Ledger
    from mediaprep.jobs.ledger.records import JobRow

app = typer.Typer(
    name="jobs",
    help="Show and retry the jobs of a batch or a watch.",
    callback=help_without_command,
    invoke_without_command=True,
)

Out = Annotated[
    Path, typer.Argument(metavar="OUT", help="The output folder, or the ledger itself.")
]
AsJson = Annotated[bool, typer.Option("--json", help="JSON instead of text.")]


def _ledger(out: Path) -> Ledger:
    from mediaprep.jobs.ledger.open import open_existing
    from mediaprep.jobs.run.ledger_path import find_ledger

    return open_existing(out if out.is_file() else find_ledger(out))


@app.command("list")
def list_(
    context: typer.Context,
    out: Out,
    state: Annotated[
        list[str] | None,
        typer.Option(
            "--state", metavar="NAME", help="Only jobs that are new, run, publish or done."
        ),
    ] = None,
    status: Annotated[
        list[str] | None,
        typer.Option(
            "--status",
            metavar="NAME",
            help="Only jobs that ended so: fixed, already_ok, refused, failed ...",
        ),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", help="At most so many; -1: all.")
    ] = 100,
    as_json: AsJson = False,
) -> None:
    """One line for each job, in the order they were found; with --json one JSON object a line."""
    from mediaprep.cli._console import Console
    from mediaprep.jobs.ledger.records import State
    from mediaprep.jobs.run.events import JobStatus
    from mediaprep.report import json
    from mediaprep.report.lines import StyledText, line

    console = Console.of(context)
    _known("--state", state, get_args(State))
    _known("--status", status, get_args(JobStatus))
    with _ledger(out) as ledger:
        for row in ledger.jobs(states=state or (), statuses=status or (), limit=limit):
            if as_json:
                console.write(json.dumps(_body(row), indent=None) + "\n")
            else:
                words = f"  {row.status or row.state}" + (f": {row.problem}" if row.problem else "")
                console.lines(
                    [
                        line(
                            StyledText(f"{row.id:>7}  ", "dim"),
                            StyledText(row.source, "bold"),
                            words,
                        )
                    ]
                )


@app.command()
def show(
    context: typer.Context,
    out: Out,
    job: Annotated[int, typer.Argument(metavar="JOB")],
    as_json: AsJson = False,
) -> None:
    """All that is known of one job."""
    from mediaprep.cli._console import Console
    from mediaprep.errors import UsageProblem
    from mediaprep.model.units import bytes_text
    from mediaprep.report import json
    from mediaprep.report.lines import StyledText, columns

    console = Console.of(context)
    with _ledger(out) as ledger:
        row = ledger.job(job)
        if row is None:
            raise UsageProblem(f"no job {job} in {ledger.path}")
        facts = _body(row) | {
            "outputs": [
                {"name": o.name, "sha256": o.sha256, "bytes": o.size_bytes}
                for o in ledger.outputs(job)
            ]
        }
    if as_json:
        console.document(json.document(**facts))
        return
    rows = [
        (StyledText(name, "dim"), str(value))
        for name, value in facts.items()
        if value is not None and name != "outputs"
    ]
    rows += [
        (
            StyledText("output", "dim"),
            f"{o['name']}  {bytes_text(o['bytes'])}  sha256 {o['sha256']}",
        )
        for o in facts["outputs"]
    ]
    console.lines(columns(rows))


@app.command()
def retry(
    context: typer.Context,
    out: Out,
    jobs: Annotated[
        list[int] | None,
        typer.Argument(
            metavar="JOB...", help="Their numbers; none: all that ended without an output."
        ),
    ] = None,
) -> None:
    """Let the next run try jobs again that failed, were refused or could not be read."""
    from mediaprep.cli._console import Console

    console = Console.of(context)
    with _ledger(out) as ledger:
        count = ledger.retry(jobs)
    console.write(
        f"{count} job{'' if count == 1 else 's'} to be tried again by the next batch or watch\n"
    )


@app.command()
def stats(context: typer.Context, out: Out, as_json: AsJson = False) -> None:
    """How many jobs there are of each state, their bytes and playing time, by recipe."""
    from mediaprep.cli._console import Console
    from mediaprep.model.units import bytes_text
    from mediaprep.report import json
    from mediaprep.report.lines import StyledText, columns, line

    console = Console.of(context)
    with _ledger(out) as ledger:
        recipes = [(settings, ledger.counts(settings.id)) for settings in ledger.all_settings()]
    if as_json:
        entries = [
            {
                "recipe": settings.digest,
                **settings.content,
                "tools": settings.tools,
                "jobs": [_count(count) for count in counts],
            }
            for settings, counts in recipes
        ]
        console.document(json.document(recipes=entries))
        return
    for settings, counts in recipes:
        content = settings.content
        placement = (
            content["profile"]
            if content["category"] is None
            else f"{content['profile']}/{content['category']}"
        )
        console.lines(
            [
                line(
                    StyledText(placement, "bold"),
                    StyledText(
                        f"  recipe {settings.digest[:8]}, plan version {content['plan_version']}",
                        "dim",
                    ),
                )
            ]
        )
        rows = [
            (c.status or c.state, str(c.jobs), bytes_text(c.size_bytes), f"{c.media_seconds:.0f} s")
            for c in counts
        ]
        console.lines(columns(rows, indent="  "))


def _known(option: str, asked: Sequence[str] | None, words: Sequence[str]) -> None:
    """Raises: UsageProblem for a word that no job can have."""
    from mediaprep.errors import UsageProblem

    for word in asked or ():
        if word not in words:
            raise UsageProblem(f"{option} {word}: want {', '.join(words[:-1])} or {words[-1]}")


def _body(row: JobRow) -> dict[str, Any]:
    return {
        "job": row.id, "input": row.source, "state": row.state, "status": row.status, "attempts": row.attempts, "bytes": row.size_bytes,
        "sha256": row.sha256, "media_seconds": row.media_seconds, "seconds": row.work_seconds, "owner": row.owner, "problem": row.problem,
    }  # fmt: skip


def _count(count: Any) -> dict[str, Any]:
    return {
        "state": count.state, "status": count.status, "jobs": count.jobs, "bytes": count.size_bytes, "media_seconds": count.media_seconds,
    }  # fmt: skip
