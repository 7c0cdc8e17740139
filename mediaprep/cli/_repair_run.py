"""What ``plan`` and ``fix`` have in common: the inputs, and what is requested for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from mediaprep.cli._console import Console
    from mediaprep.cli._placement import ChosenPlacement
    from mediaprep.model.options import Options
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

    timeout   seconds for all inputs together; None: no limit
    as_json   write JSON instead of text
    """

    names: tuple[str, ...]
    placement: ChosenPlacement
    options: Options
    captions: str | None
    timeout: float | None
    as_json: bool

    def request(self, name: str, **changes: Any) -> Request:
        """Return the request for one input."""
        from mediaprep.cli._inputs import source_of
        from mediaprep.pipeline.request import Request

        return Request(
            source=source_of(name),
            profile=self.placement.profile,
            category=self.placement.category,
            options=self.options,
            captions=self.captions,
            **changes,
        )


def repair_run(console: Console, arguments: RepairArguments) -> RepairRun:
    """Check the arguments of a repair. Raises: UsageProblem, ProfileError."""
    from mediaprep.cli._inputs import captions_for, collect
    from mediaprep.cli._placement import find_placement
    from mediaprep.model.options import parse_options

    options = parse_options(arguments.options, console.settings.values)
    names = collect(arguments.inputs, arguments.files_from)
    return RepairRun(
        names=names,
        placement=find_placement(console, arguments.profile, arguments.category),
        options=options,
        captions=captions_for(names, arguments.captions),
        timeout=arguments.timeout,
        as_json=arguments.as_json,
    )
