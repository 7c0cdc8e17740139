"""``mediaprep profiles``: list, show, validate, diff, new, schema.

Profiles and rich are imported when a command runs, to keep the start of other commands fast.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mediaprep.cli._help import help_without_command
from mediaprep.model.options import DEFAULT_PROFILE
from mediaprep.report import VERSION

if TYPE_CHECKING:
    from mediaprep.model.placement import Placement, Requirement
    from mediaprep.profile import Profile

app = typer.Typer(
    name="profiles",
    help="List, show, validate, compare and create profiles: what platforms accept.",
    callback=help_without_command,
    invoke_without_command=True,
    rich_markup_mode=None,
)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]
Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="Profile (twitter), placement (twitter/dm_video) or path (./x.toml).",
    ),
]


@app.command("list")
def list_profiles(as_json: AsJson = False) -> None:
    """List the bundled profiles and your own, with their categories."""
    from mediaprep import profile
    from mediaprep.errors import ProfileError

    rows: list[dict[str, Any]] = []
    for name in (*profile.bundled(), *profile.own()):
        try:
            found = profile.find_profile(name)
        except ProfileError as problem:
            for line in problem.problems:
                typer.echo(line, err=True)
            continue
        rows.append(
            {
                "name": name,
                "title": found.title,
                "date": found.date,
                "own": name in profile.own(),
                "categories": list(found.placements),
            }
        )
    if as_json:
        _print_document({"profiles": rows})
        return
    _print_table(
        ("name", "title", "read", "categories"),
        [(row["name"], row["title"], row["date"], " ".join(row["categories"])) for row in rows],
    )


@app.command()
def show(name: Name, as_json: AsJson = False) -> None:
    """Show every limit of a profile or placement, with its level and its source."""
    from mediaprep import profile

    found = profile.find_profile(name)
    category = profile.split_name(name)[1]
    placements = {category: profile.find_placement(name)} if category else found.placements
    if as_json:
        _print_document(_profile_document(found, placements))
        return
    typer.echo(f"{found.title} ({found.name})")
    typer.echo(f"source {found.source}, read {found.date}; digest {found.digest[:12]}")
    headings = ("rule", "level", "limit", "gate", "source")
    if found.post is not None and category is None:
        typer.echo("\none post")
        _print_table(headings, [_limit_row(found.post)])
    for key, placement in placements.items():
        typer.echo(f"\n{found.name}/{key}: {placement.kind}")
        _print_table(headings, [_limit_row(item) for item in placement.requirements.values()])


@app.command()
def validate(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Profiles to check.")],
) -> None:
    """Check profiles and print every problem on its own line.

    A line names the file, the key path and a similar valid key. Exit code 1: there are problems.
    """
    from mediaprep.errors import ProfileError
    from mediaprep.profile.load import load

    problems: list[str] = []
    for path in files:
        try:
            found = load(path)
        except ProfileError as problem:
            problems.extend(problem.problems)
        else:
            count = sum(len(placement.requirements) for placement in found.placements.values())
            categories = ", ".join(found.placements)
            typer.echo(f"{path}: ok: {found.name}, {count} limits for {categories}")
    for line in problems:
        typer.echo(line)
    if problems:
        raise typer.Exit(1)


@app.command()
def diff(before: Name, after: Name, as_json: AsJson = False) -> None:
    """List the limits in which two profiles or placements differ. Exit code 1: they differ."""
    from mediaprep import profile

    left, right = profile.find_profile(before), profile.find_profile(after)
    rows: list[tuple[str, ...]] = []
    if profile.split_name(before)[1] or profile.split_name(after)[1]:
        pairs = [(profile.find_placement(before), profile.find_placement(after))]
    else:
        shared = [key for key in left.placements if key in right.placements]
        pairs = [(left.placements[key], right.placements[key]) for key in shared]
        rows += _category_rows(left, right)
    for pair in pairs:
        rows += _difference_rows(*pair)
    if as_json:
        keys = ("category", "rule", "before", "after")
        differences = [dict(zip(keys, row, strict=True)) for row in rows]
        _print_document({"before": before, "after": after, "differences": differences})
    elif rows:
        _print_table(("category", "rule", before, after), rows)
    if rows:
        raise typer.Exit(1)


@app.command()
def new(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="Name of the new profile: lower-case letters, digits and -."
        ),
    ],
    like: Annotated[
        str,
        typer.Option("--like", help="Profile whose limits the new one inherits until you edit it."),
    ] = DEFAULT_PROFILE,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", help="File to write; default: in the folder of your own profiles."
        ),
    ] = None,
) -> None:
    """Create a profile of your own, based on another one. An existing file is not overwritten."""
    from mediaprep import profile
    from mediaprep.errors import UsageProblem

    if name in profile.bundled():
        raise UsageProblem(f"{name!r} is the name of a bundled profile; choose another name")
    text = profile.draft(name, like)
    target = output or profile.own_folder() / f"{name}{profile.SUFFIX}"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as problem:
        raise UsageProblem(f"{target} already exists; choose another name or file") from problem
    except OSError as problem:
        raise UsageProblem(f"{target} cannot be written: {problem.strerror}") from problem
    typer.echo(target)


@app.command()
def schema() -> None:
    """Print the JSON Schema of a profile, for editors."""
    from mediaprep.profile.schema import schema as profile_schema

    typer.echo(json.dumps(profile_schema(), indent=2))


def _profile_document(found: Profile, placements: Mapping[str, Placement]) -> dict[str, Any]:
    """Return a profile, with some of its placements, as JSON data."""
    categories = {
        key: {
            "kind": placement.kind,
            "limits": [_limit_document(item) for item in placement.requirements.values()],
            "encoding": _plain(dataclasses.asdict(placement.encoding)),
        }
        for key, placement in placements.items()
    }
    return {
        "name": found.name,
        "title": found.title,
        "source": found.source,
        "date": found.date,
        "digest": found.digest,
        "defaults": found.defaults,
        "post": None if found.post is None else _limit_document(found.post),
        "categories": categories,
    }


def _limit_document(requirement: Requirement) -> dict[str, Any]:
    document: dict[str, Any] = _plain(dataclasses.asdict(requirement))
    return document | {"text": requirement.limit.describe()}


def _plain(value: Any) -> Any:
    """Return a value as JSON data; fractions become exact text."""
    return json.loads(json.dumps(value, default=str))


def _limit_row(requirement: Requirement) -> tuple[str, ...]:
    return (
        requirement.rule,
        requirement.level,
        requirement.limit.describe(),
        requirement.gate or "",
        requirement.source,
    )


def _category_rows(left: Profile, right: Profile) -> list[tuple[str, ...]]:
    """Return a row for each category that only one of two profiles has."""
    rows: list[tuple[str, ...]] = []
    for key in dict.fromkeys((*left.placements, *right.placements)):
        before, after = key in left.placements, key in right.placements
        if before != after:
            rows.append((key, "", "present" if before else "-", "present" if after else "-"))
    return rows


def _difference_rows(before: Placement, after: Placement) -> list[tuple[str, ...]]:
    """Return a row for each limit in which two placements differ."""
    category = before.category
    if after.category != category:
        category = f"{before.category}, {after.category}"
    rows: list[tuple[str, ...]] = []
    for rule in dict.fromkeys((*before.requirements, *after.requirements)):
        old, new = _brief(before.requirements.get(rule)), _brief(after.requirements.get(rule))
        if old != new:
            rows.append((category, rule, old, new))
    return rows


def _brief(requirement: Requirement | None) -> str:
    return "-" if requirement is None else f"{requirement.limit.describe()} ({requirement.level})"


def _print_document(content: dict[str, Any]) -> None:
    typer.echo(json.dumps({"version": VERSION, **content}, indent=2, ensure_ascii=False))


def _print_table(headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Print a table: with wrapped cells on a terminal, otherwise one aligned line per row."""
    if sys.stdout.isatty():
        from rich import box
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(*headings, box=box.SIMPLE_HEAD, pad_edge=False)
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        Console(soft_wrap=False).print(table)
        return
    widths = [max(len(row[i]) for row in (headings, *rows)) for i in range(len(headings))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        typer.echo("  ".join(cells).rstrip())
