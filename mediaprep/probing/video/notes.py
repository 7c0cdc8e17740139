"""What one reading gathers beside the facts: who said what, and why something is not known."""

from __future__ import annotations

from mediaprep.model.media import ReportedFact, UnknownFact


class ReaderLog:
    """Collects witnesses and reasons while a file is read."""

    __slots__ = ("reported_facts", "unknown")

    def __init__(self) -> None:
        self.reported_facts: list[ReportedFact] = []
        self.unknown: list[UnknownFact] = []

    def say(self, fact: str, source: str, value: object, *, agrees: bool = True) -> None:
        """A witness's word; None says nothing."""
        if value is not None:
            self.reported_facts.append(
                ReportedFact(fact=fact, source=source, value=str(value), agrees=agrees)
            )

    def missing(self, fact: str, reason: str) -> None:
        """Why a fact is None; the first reason for a fact stands."""
        if all(item.fact != fact for item in self.unknown):
            self.unknown.append(UnknownFact(fact=fact, reason=reason))
