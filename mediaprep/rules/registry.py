"""How rules are told and kept: the two decorators, what a rule answers, and the registry in the order of checking and fixing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from mediaprep.model.fix import Case
from mediaprep.model.media import Kind
from mediaprep.model.report import Safety


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """The file keeps the rule; ``measured`` as text."""

    measured: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The file breaks the rule. ``detail``: where or why, one clause; ``remedy`` replaces the fix's own words where the case is special."""

    measured: str
    detail: str = ""
    remedy: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """A fact that the rule needs could not be read; ``fact`` is its dotted path; ``remedy`` as for ``Failed``."""

    fact: str
    remedy: str | None = None


Judgement: TypeAlias = Passed | Failed | Unknown


Test: TypeAlias = Callable[[Any, Any], Judgement]
Fix: TypeAlias = Callable[[Any, Case], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule: its id, the kinds it judges, the facts it needs (dotted paths), the test, the fix and the fix's safety and words, the
    help page.
    """

    id: str
    kinds: tuple[Kind, ...]
    subject: str
    facts: tuple[str, ...]
    test: Test
    page: str
    fix: Fix | None = None
    safety: Safety = "lossless"
    says: str | None = None


REGISTRY: dict[str, Rule] = {}


def rule(
    rule_id: str, *, kinds: tuple[Kind, ...], subject: str, facts: tuple[str, ...]
) -> Callable[[Test], Test]:
    """Registers a test ``(media, limit) -> Judgement``. Its docstring is the help page of ``mediaprep explain``."""

    def register(test: Test) -> Test:
        REGISTRY[rule_id] = Rule(
            id=rule_id,
            kinds=kinds,
            subject=subject,
            facts=facts,
            test=test,
            page=test.__doc__ or "",
        )
        return test

    return register


def fix(rule_id: str, *, safety: Safety, says: str) -> Callable[[Fix], Fix]:
    """Registers the fix ``(media, case) -> media | Refused`` of a rule that stands above it. ``says``: what it does, for findings."""

    def register(function: Fix) -> Fix:
        old = REGISTRY[rule_id]
        REGISTRY[rule_id] = Rule(
            id=old.id,
            kinds=old.kinds,
            subject=old.subject,
            facts=old.facts,
            test=old.test,
            page=old.page,
            fix=function,
            safety=safety,
            says=says,
        )
        return function

    return register


def named(value: str | None, fact: str, limit: Any) -> Judgement:
    """The common test: a name that the limit lists."""
    if value is None:
        return Unknown(fact=fact)
    return Passed(measured=value) if limit.allows(value) else Failed(measured=value)
