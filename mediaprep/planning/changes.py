"""What differs between a source and the file wanted, and who asked for it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mediaprep.model.media import Media, leaves
from mediaprep.model.report import Safety
from mediaprep.model.tolerance import Among, AtMost, AtMostBytes, Near, Tolerance, fill_in
from mediaprep.rules import REGISTRY, Rule

WRITTEN = "written"  # the cause of what merely comes with writing a file anew
_TRIED = ("audio.loudness",)  # aimed at whatever the tolerance says
_DERIVED = ("size_bytes", "video.bit_rate", "audio.bit_rate")
_SAFETIES: tuple[Safety, ...] = ("lossless", "lossy", "destructive")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One fact that differs between source and output, the rules or wishes that asked for it, and what the change costs."""

    fact: str
    before: Any
    after: Any
    because: tuple[str, ...]
    safety: Safety


class ChangeTracker:
    """Which rule was broken, and which one's fix changed which fact, while the fold goes."""

    def __init__(self, source: Media, found: Iterable[Rule]) -> None:
        self._have = dict(leaves(source))
        self._because: dict[str, list[tuple[str, Safety]]] = {}
        self._found = {rule.id: rule for rule in found}

    def found(self, rule: Rule) -> None:
        self._found[rule.id] = rule

    def note(self, before: Media, after: Media, cause: str, safety: Safety) -> None:
        old = dict(leaves(before))
        for path, value in leaves(after):
            if old.get(path) != value:
                self._because.setdefault(path, []).append((cause, safety))

    def changes(self, settled: Media, tolerances: tuple[Tolerance, ...]) -> tuple[Change, ...]:
        """What differs between source and ``settled``, and each promised value beyond its tolerance from the source's; of the size
        only that it was more than is promised."""
        near = {p.fact: p for p in tolerances if isinstance(p, Near)}
        smaller = [
            p
            for p in tolerances
            if isinstance(p, AtMost)
            and p.fact in self._because
            and (self._have.get(p.fact) or 0) > p.value
        ]
        size = self._have.get("size_bytes")
        made = [
            Change(
                fact="size_bytes",
                before=size,
                after=p.limit,
                because=self._named(
                    "size_bytes",
                    self._because.get(
                        "size_bytes", [(rule_id, "lossy") for rule_id in self._found]
                    ),
                ),
                safety="lossy" if p.varies else "lossless",
            )
            for p in tolerances
            if isinstance(p, AtMostBytes) and size is not None and size > p.limit
        ]
        likely = [
            p for p in tolerances if isinstance(p, Among) and self._have.get(p.fact) not in p.values
        ]
        for path, after in leaves(fill_in(settled, [*near.values(), *smaller, *likely])):
            before = self._have.get(path)
            kept = (
                path in near
                and path not in _TRIED
                and before is not None
                and abs(before - after) <= near[path].tolerance
            )
            if after is None or before == after or kept or path in _DERIVED:
                continue
            because = self._because.get(path) or self._in_passing(path, settled)
            worst = max((safety for _, safety in because), key=_SAFETIES.index)
            made.append(
                Change(
                    fact=path,
                    before=before,
                    after=after,
                    because=self._named(path, because),
                    safety=worst,
                )
            )
        return tuple(made)

    def _in_passing(self, path: str, settled: Media) -> list[tuple[str, Safety]]:
        """For what no fix changed: a stream that cannot be copied is encoded since the file is written; the rest comes with writing."""
        stream = getattr(settled, path.partition(".")[0], None)
        if self._found and getattr(stream, "reencode", False):
            return [(rule_id, "lossy") for rule_id in self._found]
        return [(WRITTEN, "lossless")]

    def _named(self, path: str, because: list[tuple[str, Safety]]) -> tuple[str, ...]:
        """The wishes, and the broken rules that judge this very fact, whichever fix came first; where there are none, the causing fix."""
        causes = tuple(dict.fromkeys(cause for cause, _ in because))
        options = tuple(cause for cause in causes if cause.startswith("--"))
        inspect_steps = tuple(
            id_ for id_ in REGISTRY if id_ in self._found and _judges(self._found[id_], path)
        )
        return (*options, *inspect_steps) or causes


def _judges(rule: Rule, path: str) -> bool:
    return any(path == fact or path.startswith(f"{fact}.") for fact in rule.facts)
