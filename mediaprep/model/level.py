"""The levels of requirements and findings.

``must`` is required, ``observed`` is not documented but was seen to be enforced, ``should`` is
recommended.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

Level: TypeAlias = Literal["must", "observed", "should"]
LEVELS: tuple[Level, ...] = ("must", "observed", "should")  # most severe first
