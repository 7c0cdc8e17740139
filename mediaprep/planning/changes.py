"""The changes from a source to a planned output, and their causes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from mediaprep.model.media import Media, leaves
from mediaprep.model.report import Safety
from mediaprep.model.tolerance import Among, AtMost, AtMostBytes, Near, Tolerance, fill_in
from mediaprep.rules import REGISTRY, Rule

WRITTEN = "written"  # the cause of changes that result only from writing a new file
_ALWAYS_SHOWN = ("audio.loudness",)  # a change even if the source is within the tolerance
_DERIVED = ("size_bytes", "video.bit_rate", "audio.bit_rate")
_SAFETIES: tuple[Safety, ...] = ("lossless", "lossy", "destructive")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One fact in which source and output differ.

    because  the broken rules or the options that require the change
    safety   what the change costs
    """

    fact: str
    before: Any
    after: Any
    because: tuple[str, ...]
    safety: Safety


class ChangeTracker:
    """Records which rules are broken, and which fix or option changed which fact."""

    def __init__(self, source: Media, broken: Iterable[Rule]) -> None:
        self._source = dict(leaves(source))
        self._causes: dict[str, list[tuple[str, Safety]]] = {}
        self._broken = {rule.id: rule for rule in broken}

    def add_broken(self, rule: Rule) -> None:
        """Record a rule that turned out to be broken during planning."""
        self._broken[rule.id] = rule

    def record(self, before: Media, after: Media, cause: str, safety: Safety) -> None:
        """Record the facts that one fix or option changed."""
        old = dict(leaves(before))
        for path, value in leaves(after):
            if old.get(path) != value:
                self._causes.setdefault(path, []).append((cause, safety))

    def changes(self, target: Media, tolerances: tuple[Tolerance, ...]) -> tuple[Change, ...]:
        """List the facts that differ between source and planned output.

        A tolerated value counts only if the source lies outside its range; size counts only if the
        source exceeds the limit.
        """
        return (*self._size_changes(tolerances), *self._fact_changes(target, tolerances))

    def _size_changes(self, tolerances: tuple[Tolerance, ...]) -> Iterator[Change]:
        size = self._source.get("size_bytes")
        causes = self._causes.get("size_bytes", self._all_broken())
        for tolerance in tolerances:
            if isinstance(tolerance, AtMostBytes) and size is not None and size > tolerance.limit:
                yield Change(
                    fact="size_bytes",
                    before=size,
                    after=tolerance.limit,
                    because=self._because("size_bytes", causes),
                    safety="lossy" if tolerance.varies else "lossless",
                )

    def _fact_changes(self, target: Media, tolerances: tuple[Tolerance, ...]) -> Iterator[Change]:
        exceeded = [item for item in tolerances if self._exceeded(item)]
        ranges = {item.fact: item.tolerance for item in tolerances if isinstance(item, Near)}
        for path, after in leaves(fill_in(target, exceeded)):
            before = self._source.get(path)
            if after is None or before == after or path in _DERIVED:
                continue
            tolerated = path in ranges and path not in _ALWAYS_SHOWN
            if tolerated and before is not None and abs(before - after) <= ranges[path]:
                continue
            causes = self._causes.get(path) or self._implicit_causes(path, target)
            yield Change(
                fact=path,
                before=before,
                after=after,
                because=self._because(path, causes),
                safety=max((safety for _, safety in causes), key=_SAFETIES.index),
            )

    def _exceeded(self, tolerance: Tolerance) -> bool:
        """Return True if the planned value of a tolerance may be a change of the source."""
        match tolerance:
            case AtMostBytes():
                return False
            case AtMost(fact=path, value=most):
                return path in self._causes and (self._source.get(path) or 0) > most
            case Among(fact=path, values=values):
                return self._source.get(path) not in values
            case Near():
                return True

    def _all_broken(self) -> list[tuple[str, Safety]]:
        return [(rule_id, "lossy") for rule_id in self._broken]

    def _implicit_causes(self, path: str, target: Media) -> list[tuple[str, Safety]]:
        """Return the causes of a change that no fix made.

        A stream that cannot be copied is encoded because of the broken rules; other facts change
        because a new file is written.
        """
        stream = getattr(target, path.partition(".")[0], None)
        if self._broken and getattr(stream, "reencode", False):
            return self._all_broken()
        return [(WRITTEN, "lossless")]

    def _because(self, path: str, causes: list[tuple[str, Safety]]) -> tuple[str, ...]:
        """Return the options among the causes, and the broken rules that judge this fact.

        Those count even if another fix changed the fact first. Without any, return the causes.
        """
        names = tuple(dict.fromkeys(cause for cause, _ in causes))
        options = tuple(name for name in names if name.startswith("--"))
        rules = tuple(
            rule_id
            for rule_id in REGISTRY
            if rule_id in self._broken and _judges(self._broken[rule_id], path)
        )
        return (*options, *rules) or names


def _judges(rule: Rule, path: str) -> bool:
    return any(path == fact or path.startswith(f"{fact}.") for fact in rule.facts)
