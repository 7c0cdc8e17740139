"""The tables of docs/cli.md: options and settings, from their declarations in the code.

Each table stands between two comments, ``<!-- table: NAME -->`` and ``<!-- end -->``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from mediaprep.cli._arguments import default_text
from mediaprep.cli._console import GlobalOptions
from mediaprep.cli.batch import BatchArguments
from mediaprep.cli.check import CheckArguments
from mediaprep.cli.fix import FixArguments
from mediaprep.cli.plan import PlanArguments
from mediaprep.cli.probe import ProbeArguments
from mediaprep.cli.watch import WatchArguments
from mediaprep.config import SETTINGS
from mediaprep.model.option_spec import Group, OptionSpec, option_specs
from mediaprep.model.options import Options

PAGE = Path(__file__).resolve().parent / "cli.md"
_TABLE = re.compile(r"(<!-- table: ([\w ]+) -->\n).*?(<!-- end -->\n)", re.DOTALL)


def cli_page() -> str:
    """Return the text of docs/cli.md with its tables as the code declares them."""
    tables = _tables()
    return _TABLE.sub(
        lambda found: f"{found[1]}{tables[found[2]]}{found[3]}", PAGE.read_text(encoding="utf-8")
    )


def _tables() -> dict[str, str]:
    return {
        "global": _option_table(option_specs(GlobalOptions).values()),
        "check": _option_table([*_own(CheckArguments), *_group("inspection")]),
        "plan": _option_table(_own(PlanArguments)),
        "fix": _option_table(_own(FixArguments)),
        "batch": _option_table(_own(BatchArguments)),
        "watch": _option_table(_own(WatchArguments)),
        "probe": _option_table([*_own(ProbeArguments), *_group("inspection")]),
        "repair": _option_table(_group("repair")),
        "settings": _settings_table(),
    }


def _own(arguments: type) -> list[OptionSpec]:
    return [spec for spec in option_specs(arguments).values() if not spec.positional]


def _group(group: Group) -> list[OptionSpec]:
    return [spec for spec in option_specs(Options).values() if spec.group == group]


def _option_table(specs: Iterable[OptionSpec]) -> str:
    rows = []
    for spec in specs:
        default = default_text(spec)
        shown = "" if default is None else f" Default: {default}."
        rows.append(f"| {_names(spec)} | {_cell(spec.help)}{_cell(shown)} |\n")
    return "| option | |\n| --- | --- |\n" + "".join(rows)


def _names(spec: OptionSpec) -> str:
    """Return ``-o``, ``--output FILE``: the value stands after the long name."""
    names = [name for flag in spec.flags for name in flag.split("/")]
    value = "|".join(spec.choices) or spec.metavar
    texts = [f"`{name}`" for name in names]
    if not spec.is_flag:
        texts[-1] = f"`{names[-1]} {_cell(value or '')}`"
    return ", ".join(texts)


def _settings_table() -> str:
    rows = []
    for key, spec in SETTINGS.items():
        default = "none" if spec.default is None else f"`{_toml(spec.default)}`"
        if spec.default is None and spec.shown_default is not None:
            default = spec.shown_default
        values = ", ".join(f"`{choice}`" for choice in spec.choices) or _TYPES[spec.type]
        rows.append(f"| `{key}` | {default} | {values} |\n")
    return "| key | default | value |\n| --- | --- | --- |\n" + "".join(rows)


_TYPES = {str: "text", bool: "`true`, `false`", int: "whole number", float: "number"}


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else str(value)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
