"""The table of limits in docs/profiles.md, derived from the registry of rules."""

from __future__ import annotations

import json
import re
from typing import Any

from mediaprep.model.limit_forms import OneOfForm
from mediaprep.profile.limit_tables import LimitTable, limit_table
from mediaprep.rules import REGISTRY, Rule

_BLOCK = re.compile(r"(?<=<!-- rules -->\n).*?(?=<!-- /rules -->)", re.DOTALL)


def updated(page: str) -> str:
    """Return the page with the text between its ``rules`` comments generated again."""
    return _BLOCK.sub(lambda _: rule_tables(), page)


def rule_tables() -> str:
    """Return a table of the forms of limits, and one of the names that rules know."""
    by_form: dict[type[LimitTable] | None, list[Rule]] = {}
    for rule in REGISTRY.values():
        form = None if isinstance(rule.limit, OneOfForm) else limit_table(rule)
        by_form.setdefault(form, []).append(rule)
    rows = ["| limit | keys | rules |", "| --- | --- | --- |"]
    for form, rules in by_form.items():
        words = "One of several names." if form is None else str(form.__doc__).splitlines()[0]
        keys = "`one_of`" if form is None else _keys(form)
        ids = " ".join(f"`{rule.id}`{' (required)' * rule.required}" for rule in rules)
        rows.append(f"| {words.rstrip('.').replace('``', '`')} | {keys} | {ids} |")
    rows += ["", "| rule | names for `one_of` |", "| --- | --- |"]
    rows += [
        f"| `{rule.id}` | {', '.join(f'`{name}`' for name in rule.limit.names)} |"
        for rule in by_form[None]
        if isinstance(rule.limit, OneOfForm)
    ]
    return "\n" + "\n".join(rows) + "\n\n"


def _keys(form: type[LimitTable]) -> str:
    """Return the keys of a form besides those of every limit, and their examples."""
    properties: dict[str, Any] = form.model_json_schema()["properties"]
    own = {key: text for key, text in properties.items() if key not in LimitTable.model_fields}
    examples: dict[str, None] = {}
    for content in own.values():
        for value in (content, content.get("items", {}), *content.get("anyOf", ())):
            examples |= {f"`{json.dumps(text)}`": None for text in value.get("examples", ())}
    keys = ", ".join(f"`{key}`" for key in own) or "none"
    return f"{keys}, such as {', '.join(examples)}" if examples else keys
