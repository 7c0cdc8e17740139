"""``mediaprep profiles``: list, show, validate, diff, new, schema."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mediaprep.cli._help import help_without_command
from mediaprep.report import VERSION

if TYPE_CHECKING:
    from mediaprep.model.placement import Requirement
    from mediaprep.profile import Profile

app = typer.Typer(
    name="profiles",
    help="What platforms accept: list, show, validate, compare and start profiles.",
    callback=help_without_command,
    invoke_without_command=True,
    rich_markup_mode=None,
)

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")]
Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="A name (twitter), a placement (twitter/dm_video) or a path (./x.toml).",
    ),
]


@app.command("list")
def list_profiles(as_json: AsJson = False) -> None:
    """The profiles there are, bundled and your own, with their categories."""
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
        _document({"profiles": rows})
        return
    heads = ("name", "title", "read", "categories")
    _table(
        heads,
        [(row["name"], row["title"], row["date"], " ".join(row["categories"])) for row in rows],
    )


@app.command()
def show(name: Name, as_json: AsJson = False) -> None:
    """Every limit of a profile or of one placement, with its level and where it is written."""
    from mediaprep import profile

    found = profile.find_profile(name)
    category = profile.split_name(name)[1]
    placements = {category: profile.find_placement(name)} if category else found.placements
    if as_json:
        _document(
            {
                **{
                    key: getattr(found, key)
                    for key in ("name", "title", "source", "date", "digest", "defaults")
                },
                "post": None if found.post is None else _limit(found.post),
                "categories": {
                    key: {
                        "kind": placement.kind,
                        "limits": [
                            _limit(requirement) for requirement in placement.requirements.values()
                        ],
                        "encoding": _plain(dataclasses.asdict(placement.encoding)),
                    }
                    for key, placement in placements.items()
                },
            }
        )
        return
    typer.echo(f"{found.title} ({found.name})")
    typer.echo(f"source {found.source}, read {found.date}; digest {found.digest[:12]}")
    heads = ("rule", "level", "limit", "gate", "source")
    if found.post is not None and category is None:
        typer.echo("\none post")
        _table(heads, [_row(found.post)])
    for key, placement in placements.items():
        typer.echo(f"\n{found.name}/{key}: {placement.kind}")
        _table(heads, [_row(requirement) for requirement in placement.requirements.values()])


@app.command()
def validate(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Profiles to check.")],
) -> None:
    """Check profiles; every problem on its own line, with file, key path and the likely key. Exit code 1 if there is any."""
    from mediaprep.errors import ProfileError
    from mediaprep.profile.load import load

    problems: list[str] = []
    for path in files:
        try:
            found = load(path)
        except ProfileError as problem:
            problems.extend(problem.problems)
        else:
            limits = sum(len(placement.requirements) for placement in found.placements.values())
            typer.echo(
                f"{path}: ok: {found.name}, {limits} limits for {', '.join(found.placements)}"
            )
    for line in problems:
        typer.echo(line)
    if problems:
        raise typer.Exit(1)


@app.command()
def diff(before: Name, after: Name, as_json: AsJson = False) -> None:
    """The limits in which two profiles or placements differ. Exit code 1 if there is any."""
    from mediaprep import profile

    rows: list[tuple[str, ...]] = []
    left, right = profile.find_profile(before), profile.find_profile(after)
    pair = profile.split_name(before)[1], profile.split_name(after)[1]
    if any(pair):
        pairs = [(profile.find_placement(before), profile.find_placement(after))]
    else:
        shared = [key for key in left.placements if key in right.placements]
        pairs = [(left.placements[key], right.placements[key]) for key in shared]
        rows += [
            (
                key,
                "",
                "there" if key in left.placements else "-",
                "there" if key in right.placements else "-",
            )
            for key in _only(left, right)
        ]
    for old, new in pairs:
        for rule in dict.fromkeys((*old.requirements, *new.requirements)):
            texts = [_brief(placement.requirements.get(rule)) for placement in (old, new)]
            if texts[0] != texts[1]:
                rows.append(
                    (
                        old.category
                        if old.category == new.category
                        else f"{old.category}, {new.category}",
                        rule,
                        *texts,
                    )
                )
    if as_json:
        _document(
            {
                "before": before,
                "after": after,
                "differences": [
                    dict(zip(("category", "rule", "before", "after"), r, strict=True)) for r in rows
                ],
            }
        )
    elif rows:
        _table(("category", "rule", before, after), rows)
    if rows:
        raise typer.Exit(1)


@app.command()
def new(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="The new profile's name: lower-case letters, digits and -."
        ),
    ],
    like: Annotated[
        str, typer.Option("--like", help="The profile whose limits hold until you change them.")
    ] = "twitter",
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Where to write it; else among your own profiles."),
    ] = None,
) -> None:
    """Start a profile of your own from another one. An existing file is never overwritten."""
    from mediaprep import profile
    from mediaprep.errors import UsageProblem

    if name in profile.bundled():
        raise UsageProblem(f"{name!r} is the name of a bundled profile; choose another")
    text = profile.draft(name, like)
    target = output or profile.own_folder() / f"{name}{profile.SUFFIX}"
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as problem:
        raise UsageProblem(f"{target} exists already") from problem
    except OSError as problem:
        raise UsageProblem(f"{target} cannot be written: {problem.strerror}") from problem
    typer.echo(target)


@app.command()
def schema() -> None:
    """The JSON Schema of a profile, for editors."""
    from mediaprep.profile.schema import schema as profile_schema

    typer.echo(json.dumps(profile_schema(), indent=2))


def _only(left: Profile, right: Profile) -> list[str]:
    return [
        key
        for key in (*left.placements, *right.placements)
        if (key in left.placements) != (key in right.placements)
    ]


def _row(requirement: Requirement) -> tuple[str, ...]:
    return (
        requirement.rule,
        requirement.level,
        requirement.limit.describe(),
        requirement.gate or "",
        requirement.source,
    )


def _brief(requirement: Requirement | None) -> str:
    return "-" if requirement is None else f"{requirement.limit.describe()} ({requirement.level})"


def _limit(requirement: Requirement) -> dict[str, Any]:
    facts: dict[str, Any] = _plain(dataclasses.asdict(requirement))
    return facts | {"text": requirement.limit.describe()}


def _plain(value: Any) -> Any:
    """As JSON can hold it: fractions as text, exact."""
    return json.loads(json.dumps(value, default=str))


def _document(content: dict[str, Any]) -> None:
    typer.echo(json.dumps({"version": VERSION, **content}, indent=2, ensure_ascii=False))


def _table(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """On a terminal a table that wraps, else one aligned line a row."""
    if sys.stdout.isatty():
        from rich import box
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(*heads, box=box.SIMPLE_HEAD, pad_edge=False)
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        Console(soft_wrap=False).print(table)
        return
    widths = [max(len(row[i]) for row in (heads, *rows)) for i in range(len(heads))]
    for row in rows:
        typer.echo(
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )
