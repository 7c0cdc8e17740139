"""The rules: one function each, with its fix below it.

The order of these imports is the order of checking and fixing: a rule that changes a fact comes
before the rules that judge the result (the pixel aspect ratio before the picture size).
"""

from mediaprep.rules import file  # noqa: F401

from mediaprep.rules.video import (  # isort: skip  # noqa: F401
    container,
    geometry,
    timing,
    colour,
    codec,
    gop,
    bitrate,
    audio,
)
from mediaprep.rules.animation import picture  # isort: skip  # noqa: F401
from mediaprep.rules.image import still  # isort: skip  # noqa: F401
from mediaprep.rules.subtitle import captions  # isort: skip  # noqa: F401
from mediaprep.rules import post  # isort: skip  # noqa: F401
from mediaprep.rules.registry import REGISTRY, Rule

__all__ = ["REGISTRY", "Rule"]
