"""``mediaprep explain``: what a rule checks, why it matters, what its fix changes, and its limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from mediaprep.cli._options import AsJson, ProfileName

if TYPE_CHECKING:
    from mediaprep.profile import Profile


def _rule_names(incomplete: str) -> list[str]:
    from mediaprep.rules import REGISTRY

    return [name for name in REGISTRY if name.startswith(incomplete)]


def explain(
    context: typer.Context,
    rule: Annotated[
        str | None,
        typer.Argument(
            metavar="RULE", help="A rule's id; none: all are listed.", autocompletion=_rule_names
        ),
    ] = None,
    profile: ProfileName = None,
    as_json: AsJson = False,
) -> None:
    """Explain a rule: what it checks, why it matters, what the fix does, and the profile's limits with their sources."""
    from mediaprep.cli._console import Console
    from mediaprep.cli._placement import find_placement
    from mediaprep.errors import UsageProblem
    from mediaprep.profile import similar_or_all
    from mediaprep.report import json, text
    from mediaprep.rules import REGISTRY

    console = Console.of(context)
    if rule is None:
        if as_json:
            console.document(
                json.document(
                    rules=[
                        {"rule": r.id, "subject": r.subject, "kinds": list(r.kinds)}
                        for r in REGISTRY.values()
                    ]
                )
            )
        else:
            console.lines(text.rule_list())
        return
    if rule not in REGISTRY:
        raise UsageProblem(f"no rule {rule!r}{similar_or_all(rule, REGISTRY)}")
    found, rows = REGISTRY[rule], _limits(find_placement(console, profile, None).profile, rule)
    if not as_json:
        console.lines(text.explain_lines(found, rows))
        return
    limits = [
        dict(zip(("placement", "level", "limit", "source"), row, strict=True)) for row in rows
    ]
    page = "\n".join(text.paragraphs(found.page))
    console.document(
        json.document(
            rule=rule, subject=found.subject, kinds=list(found.kinds), facts=list(found.facts), page=page, fix=found.fix_summary,
            safety=found.safety if found.fix else None, limits=limits,
        )
    )  # fmt: skip


def _limits(profile: Profile, rule: str) -> list[tuple[str, str, str, str]]:
    rows: list[tuple[str, str, str, str]] = [
        (placement.name, requirement.level, requirement.limit.describe(), requirement.source)
        for placement in profile.placements.values()
        if (requirement := placement.requirements.get(rule)) is not None
    ]
    if profile.post is not None and profile.post.rule == rule:
        rows.append(
            (
                f"{profile.name}, one post",
                profile.post.level,
                profile.post.limit.describe(),
                profile.post.source,
            )
        )
    return rows
