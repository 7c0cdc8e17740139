"""What ``plan`` and ``fix`` have in common: the inputs, and what is requested for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from mediaprep.cli._console import Console
from mediaprep.cli._inputs import STDIN, captions_for, collect, source_of
from mediaprep.cli._placement import ChosenPlacement, find_placement
from mediaprep.errors import UsageProblem
from mediaprep.model.options import Options, parse_options
from mediaprep.runtime.paths import display_name

if TYPE_CHECKING:
    from mediaprep.pipeline.request import Request


class RepairArguments(Protocol):
    """The arguments that ``plan`` and ``fix`` have in common."""

    @property
    def inputs(self) -> Sequence[str]: ...
    @property
    def profile(self) -> str | None: ...
    @property
    def category(self) -> str | None: ...
    @property
    def options(self) -> Mapping[str, Any]: ...
    @property
    def captions(self) -> str | None: ...
    @property
    def files_from(self) -> str | None: ...
    @property
    def timeout(self) -> float | None: ...
    @property
    def as_json(self) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairRun:
    """One run of ``plan`` or ``fix``, its arguments checked.

    requests  the request for each input by its name; names and paths of outputs are decided
    timeout   seconds for all inputs together; None: no limit
    as_json   write JSON instead of text
    """

    requests: Mapping[str, Request]
    placement: ChosenPlacement
    options: Options
    timeout: float | None
    as_json: bool

    @property
    def names(self) -> tuple[str, ...]:
        """The inputs in order."""
        return tuple(self.requests)


def repair_run(
    console: Console, arguments: RepairArguments, *, output: str | None = None, force: bool = False
) -> RepairRun:
    """Check the arguments of a repair, and decide where its outputs go.

    Raises: UsageProblem, ProfileError.
    """
    from mediaprep.pipeline.output_paths import destination_of, output_stems
    from mediaprep.pipeline.request import Request

    options = parse_options(arguments.options, console.settings.values)
    names = collect(arguments.inputs, arguments.files_from)
    placement = find_placement(console, arguments.profile, arguments.category)
    captions = captions_for(names, arguments.captions)
    destination = destination_of(output)
    if output is not None and destination.folder is None and len(names) > 1:
        raise UsageProblem(
            f"-o {display_name(output)}: several inputs need a folder; end its name with / to"
            " create it"
        )
    paths = ["" if name == STDIN else name for name in names]
    stems = output_stems(paths, destination.folder, to=options.to)
    requests = {
        name: Request(
            source=source_of(name),
            profile=placement.profile,
            category=placement.category,
            options=options,
            captions=captions,
            destination=destination,
            stem=stem,
            force=force,
        )
        for name, stem in zip(names, stems, strict=True)
    }
    return RepairRun(
        requests=requests,
        placement=placement,
        options=options,
        timeout=arguments.timeout,
        as_json=arguments.as_json,
    )
