"""``mediaprep probe``: show the facts of files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mediaprep.cli._arguments import (
    files_from_option,
    inputs_argument,
    json_option,
    option_group,
)
from mediaprep.cli._console import Console, print_error
from mediaprep.cli._exit import ExitCode, worst
from mediaprep.cli._for_each import for_each
from mediaprep.cli._inputs import collect, source_of
from mediaprep.config import SETTINGS
from mediaprep.model.option_spec import option_from
from mediaprep.model.options import parse_options

# The other imports are local: help and completion do without them.
if TYPE_CHECKING:
    from mediaprep.model.media import Media


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeArguments:
    """The arguments of ``probe``."""

    inputs: Sequence[str] = inputs_argument()
    as_json: bool = json_option()
    options: Mapping[str, Any] = option_group("inspection")
    files_from: str | None = files_from_option()
    timeout: float | None = option_from(SETTINGS["timeout"])


def probe(console: Console, arguments: ProbeArguments) -> ExitCode:
    """Show the facts of files.

    Each fact comes with the readers that reported it; an unknown one, with the reason.
    """
    from mediaprep.model.serialize import encode
    from mediaprep.pipeline.inspect import probe_source_steps
    from mediaprep.report.facts import all_facts
    from mediaprep.report.lines import line
    from mediaprep.runtime.effects import drive

    names = collect(arguments.inputs, arguments.files_from)
    options = parse_options(arguments.options, console.settings.values)
    context = console.context(timeout=arguments.timeout)

    def probe_one(name: str) -> Media:
        return drive(probe_source_steps(source_of(name), options, context), context)

    codes = []
    stream = console.json_stream() if arguments.as_json else None
    for number, result in enumerate(for_each(console, names, probe_one)):
        codes.append(result.code)
        media = result.value
        if stream is not None:
            error = {} if media is not None else {"error": result.error}
            kind, content = (None, None) if media is None else (media.kind, encode(media))
            stream.add({"path": result.name, "kind": kind, "media": content, **error})
        elif media is not None:
            console.lines([*([line()] if number else []), *all_facts(media, result.name)])
        if media is None:
            print_error(result.error_line)
    if stream is not None:
        stream.end()
    return worst(codes)
