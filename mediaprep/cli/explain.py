"""``mediaprep explain``: what a rule checks, why it matters, what its fix does, and its limits.

Rules and profiles are imported when the command runs, to keep the start of other commands fast.
"""

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
            metavar="RULE",
            help="Id of a rule; without it, all rules are listed.",
            autocompletion=_rule_names,
        ),
    ] = None,
    profile: ProfileName = None,
    as_json: AsJson = False,
) -> None:
    """Explain a rule: what it checks, why it matters, what its fix does, and its limits."""
    from mediaprep.cli._console import Console
    from mediaprep.cli._placement import find_placement
    from mediaprep.errors import UsageProblem
    from mediaprep.profile import similar_or_all
    from mediaprep.report import json, text
    from mediaprep.rules import REGISTRY

    console = Console.of(context)
    if rule is None:
        if not as_json:
            console.lines(text.rule_list())
            return
        rules = [
            {"rule": item.id, "subject": item.subject, "kinds": list(item.kinds)}
            for item in REGISTRY.values()
        ]
        console.document(json.document(rules=rules))
        return
    if rule not in REGISTRY:
        raise UsageProblem(f"no rule {rule!r}{similar_or_all(rule, REGISTRY)}")
    found, rows = REGISTRY[rule], _limits(find_placement(console, profile, None).profile, rule)
    if not as_json:
        console.lines(text.explain_lines(found, rows))
        return
    keys = ("placement", "level", "limit", "source")
    console.document(
        json.document(
            rule=rule,
            subject=found.subject,
            kinds=list(found.kinds),
            facts=list(found.facts),
            page="\n".join(text.paragraphs(found.page)),
            fix=found.fix_summary,
            safety=found.safety if found.fix else None,
            limits=[dict(zip(keys, row, strict=True)) for row in rows],
        )
    )


def _limits(profile: Profile, rule: str) -> list[tuple[str, str, str, str]]:
    """Return placement, level, limit and source of each limit that the profile has for the rule."""
    places = {placement.name: placement.requirements for placement in profile.placements.values()}
    if profile.post is not None:
        places[f"{profile.name}, one post"] = {profile.post.rule: profile.post}
    return [
        (place, item.level, item.limit.describe(), item.source)
        for place, requirements in places.items()
        if (item := requirements.get(rule)) is not None
    ]
