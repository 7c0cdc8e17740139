"""``mediaprep jobs``: show and retry the jobs of a batch or a watch."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from mediaprep.cli._help import help_without_command
from mediaprep.cli._options import AsJson

# The other imports are local: help and completion do without them.
if TYPE_CHECKING:
    from collections.abc import Sequence

    from mediaprep.jobs.ledger.ledger import Ledger
    from mediaprep.jobs.ledger.records import JobCount, JobRow

app = typer.Typer(
    name="jobs",
    help="Show and retry the jobs of a batch or a watch.",
    callback=help_without_command,
    invoke_without_command=True,
)

OutputOrLedger = Annotated[
    Path, typer.Argument(metavar="OUT", help="Output folder of the run, or its ledger.")
]


@app.command("list")
def list_jobs(
    context: typer.Context,
    out: OutputOrLedger,
    state: Annotated[
        list[str] | None,
        typer.Option(
            "--state", metavar="NAME", help="Only jobs in this state: new, run, publish or done."
        ),
    ] = None,
    status: Annotated[
        list[str] | None,
        typer.Option(
            "--status",
            metavar="NAME",
            help="Only jobs with this result: fixed, already_ok, refused, failed ...",
        ),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", help="Show at most N jobs; -1: all.")
    ] = 100,
    as_json: Annotated[
        bool, typer.Option("--json", help="Write one JSON object per line instead of text.")
    ] = False,
) -> None:
    """List jobs, one per line, in the order in which they were found."""
    from mediaprep.cli._console import Console
    from mediaprep.jobs.ledger.records import State
    from mediaprep.jobs.run.events import JobStatus
    from mediaprep.report import json
    from mediaprep.report.lines import StyledText, line

    console = Console.of(context)
    _check_names("--state", state, get_args(State))
    _check_names("--status", status, get_args(JobStatus))
    with _open_ledger(out) as ledger:
        for row in ledger.jobs(states=state or (), statuses=status or (), limit=limit):
            if as_json:
                console.write(json.dumps(_job_body(row), indent=None) + "\n")
                continue
            number = StyledText(f"{row.id:>7}  ", "dim")
            problem = f": {row.problem}" if row.problem else ""
            result = f"  {row.status or row.state}{problem}"
            console.lines([line(number, StyledText(row.source, "bold"), result)])


@app.command()
def show(
    context: typer.Context,
    out: OutputOrLedger,
    job: Annotated[int, typer.Argument(metavar="JOB", help="Number of the job.")],
    as_json: AsJson = False,
) -> None:
    """Show everything that the ledger records about one job."""
    from mediaprep.cli._console import Console
    from mediaprep.errors import UsageProblem
    from mediaprep.model.units import bytes_text
    from mediaprep.report import json
    from mediaprep.report.lines import StyledText, columns

    console = Console.of(context)
    with _open_ledger(out) as ledger:
        row = ledger.job(job)
        if row is None:
            raise UsageProblem(f"no job {job} in {ledger.path}")
        facts, outputs = _job_body(row), ledger.outputs(job)
    if as_json:
        entries = [
            {"name": item.name, "sha256": item.sha256, "bytes": item.size_bytes} for item in outputs
        ]
        console.document(json.document(**facts, outputs=entries))
        return
    rows = [(name, str(value)) for name, value in facts.items() if value is not None]
    for item in outputs:
        size = bytes_text(item.size_bytes)
        rows.append(("output", f"{item.name}  {size}  sha256 {item.sha256}"))
    console.lines(columns([(StyledText(name, "dim"), text) for name, text in rows]))


@app.command()
def retry(
    context: typer.Context,
    out: OutputOrLedger,
    jobs: Annotated[
        list[int] | None,
        typer.Argument(
            metavar="JOB", help="Numbers of jobs; default: all that ended without an output."
        ),
    ] = None,
) -> None:
    """Let the next run retry jobs that were refused or failed."""
    from mediaprep.cli._console import Console

    console = Console.of(context)
    with _open_ledger(out) as ledger:
        count = ledger.retry(jobs)
    noun = "job" if count == 1 else "jobs"
    console.write(f"{count} {noun} will be retried by the next batch or watch\n")


@app.command()
def stats(context: typer.Context, out: OutputOrLedger, as_json: AsJson = False) -> None:
    """Show the number of jobs in each state, with their size and playing time.

    Jobs with different settings are counted separately.
    """
    from mediaprep.cli._console import Console
    from mediaprep.model.units import bytes_text
    from mediaprep.report import json
    from mediaprep.report.lines import StyledText, columns, line

    console = Console.of(context)
    with _open_ledger(out) as ledger:
        runs = [(settings, ledger.counts(settings.id)) for settings in ledger.all_settings()]
    if as_json:
        entries = [
            {
                "recipe": settings.digest,
                **settings.content,
                "tools": settings.tools,
                "jobs": [_count_body(count) for count in counts],
            }
            for settings, counts in runs
        ]
        console.document(json.document(recipes=entries))
        return
    for settings, counts in runs:
        content = settings.content
        category = "" if content["category"] is None else f"/{content['category']}"
        placement = StyledText(f"{content['profile']}{category}", "bold")
        version = f"  settings {settings.digest[:8]}, plan version {content['plan_version']}"
        console.lines([line(placement, StyledText(version, "dim"))])
        rows = [
            (
                count.status or count.state,
                str(count.jobs),
                bytes_text(count.size_bytes),
                f"{count.media_seconds:.0f} s",
            )
            for count in counts
        ]
        console.lines(columns(rows, indent="  "))


def _open_ledger(out: Path) -> Ledger:
    from mediaprep.jobs.ledger.open import open_existing
    from mediaprep.jobs.run.ledger_path import find_ledger

    return open_existing(out if out.is_file() else find_ledger(out))


def _check_names(option: str, names: Sequence[str] | None, allowed: Sequence[str]) -> None:
    """Raise UsageProblem for a name that is not allowed."""
    from mediaprep.errors import UsageProblem

    for name in names or ():
        if name not in allowed:
            raise UsageProblem(f"{option}: {name!r} is not one of {', '.join(allowed)}")


def _job_body(row: JobRow) -> dict[str, Any]:
    return {
        "job": row.id,
        "input": row.source,
        "state": row.state,
        "status": row.status,
        "attempts": row.attempts,
        "bytes": row.size_bytes,
        "sha256": row.sha256,
        "media_seconds": row.media_seconds,
        "seconds": row.work_seconds,
        "owner": row.owner,
        "problem": row.problem,
    }


def _count_body(count: JobCount) -> dict[str, Any]:
    return {
        "state": count.state,
        "status": count.status,
        "jobs": count.jobs,
        "bytes": count.size_bytes,
        "media_seconds": count.media_seconds,
    }
