"""A log of one probe: which reader reported which fact, and why facts are unknown."""

from __future__ import annotations

from mediaprep.model.media import ReportedFact, UnknownFact


class ReaderLog:
    """Collect reported facts and reasons while a file is read."""

    __slots__ = ("reported_facts", "unknown")

    def __init__(self) -> None:
        self.reported_facts: list[ReportedFact] = []
        self.unknown: list[UnknownFact] = []

    def report(self, fact: str, source: str, value: object, *, agrees: bool = True) -> None:
        """Record that ``source`` reports ``value``; None reports nothing.

        ``agrees``: the value agrees with the fact that was established.
        """
        if value is not None:
            self.reported_facts.append(
                ReportedFact(fact=fact, source=source, value=str(value), agrees=agrees)
            )

    def unknown_because(self, fact: str, reason: str) -> None:
        """Record why a fact is None; the first reason for a fact is retained."""
        if all(item.fact != fact for item in self.unknown):
            self.unknown.append(UnknownFact(fact=fact, reason=reason))
