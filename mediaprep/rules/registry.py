"""The registry of rules, and the two decorators that fill it.

``@rule`` registers a check, ``@fix`` the fix of a rule that was registered before. The order of
registration is the order of checking and fixing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, get_args

from mediaprep.model.fix import Case
from mediaprep.model.limit_forms import LimitForm
from mediaprep.model.limits import OneOf
from mediaprep.model.media import Kind
from mediaprep.model.placement import PlacementKind
from mediaprep.model.report import Safety


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """The file passes the rule; ``measured`` is the value as text."""

    measured: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The file fails the rule.

    measured  the value as text
    detail    where or why, one clause
    remedy    what to do in this case, instead of the summary of the fix
    """

    measured: str
    detail: str = ""
    remedy: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """A fact that the rule needs is None.

    fact    its dotted path
    remedy  what to do in this case, instead of the summary of the fix
    """

    fact: str
    remedy: str | None = None


Judgement: TypeAlias = Passed | Failed | Unknown
Check: TypeAlias = Callable[[Any, Any], Judgement]
Fix: TypeAlias = Callable[[Any, Case], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule.

    kinds        the kinds of media that it judges; () = a whole post
    subject      what it judges, as messages name it
    limit        the form of the limit that a profile states for it
    facts        dotted paths of the facts that it needs
    check        the function ``(media, limit) -> Judgement``
    page         its help page for ``mediaprep explain``, in reStructuredText
    placements   the kinds of placement whose profile tables may state its limit
    required     every such table must state it
    fix          the function ``(media, case) -> media | Refused``; None: the rule has no fix
    safety       the worst that the fix does to the content
    fix_summary  what the fix does, one clause for messages; None: the rule has no fix
    """

    id: str
    kinds: tuple[Kind, ...]
    subject: str
    limit: LimitForm
    facts: tuple[str, ...]
    check: Check
    page: str
    placements: tuple[PlacementKind, ...]
    required: bool = False
    fix: Fix | None = None
    safety: Safety = "lossless"
    fix_summary: str | None = None


REGISTRY: dict[str, Rule] = {}


def rule(
    rule_id: str,
    *,
    kinds: tuple[Kind, ...],
    subject: str,
    limit: LimitForm,
    facts: tuple[str, ...],
    placements: tuple[PlacementKind, ...] | None = None,
    required: bool = False,
) -> Callable[[Check], Check]:
    """Register a check ``(media, limit) -> Judgement``; its docstring is the rule's help page.

    ``placements``: None means the placements of the kinds that the rule judges. See ``Rule`` for
    the other arguments.
    """
    if placements is None:
        placements = tuple(kind for kind in get_args(PlacementKind) if kind in kinds)

    def register(check: Check) -> Check:
        REGISTRY[rule_id] = Rule(
            id=rule_id,
            kinds=kinds,
            subject=subject,
            limit=limit,
            facts=facts,
            check=check,
            page=check.__doc__ or "",
            placements=placements,
            required=required,
        )
        return check

    return register


def fix(rule_id: str, *, safety: Safety, summary: str) -> Callable[[Fix], Fix]:
    """Register the fix ``(media, case) -> media | Refused`` of a rule; see ``Rule``."""

    def register(function: Fix) -> Fix:
        REGISTRY[rule_id] = replace(
            REGISTRY[rule_id], fix=function, safety=safety, fix_summary=summary
        )
        return function

    return register


def judge(measured: str, *, allowed: bool) -> Judgement:
    """Return Passed if the value is allowed, else Failed."""
    return Passed(measured=measured) if allowed else Failed(measured=measured)


def judge_name(name: str | None, fact: str, limit: OneOf) -> Judgement:
    """Judge the fact ``fact``, a name, against the names that the limit allows."""
    return Unknown(fact=fact) if name is None else judge(name, allowed=limit.allows(name))
