"""Find the functions that the records of ``model.containers`` name."""

from __future__ import annotations

from importlib import import_module
from typing import Any, TypeAlias

# Complete or not, None if the format does not show it; and the reason.
Completeness: TypeAlias = tuple[bool | None, str | None]


def function(reference: str) -> Any:
    """Return ``module:function``, the module named relative to this package.

    It is imported only now: most files need one or two of the walkers.
    """
    module, _, name = reference.partition(":")
    return getattr(import_module(f"{__package__}.{module}"), name)
