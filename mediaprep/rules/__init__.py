"""Every rule, in the order of checking and fixing: the order of these imports."""

from mediaprep.rules import file

from mediaprep.rules.video import container, geometry, timing, colour, codec, gop, bitrate, audio  # isort: skip
from mediaprep.rules.animation import picture  # isort: skip
from mediaprep.rules.image import still  # isort: skip
from mediaprep.rules.subtitle import captions  # isort: skip
from mediaprep.rules import post  # isort: skip
from mediaprep.model.fix import Case, Refused
from mediaprep.rules.registry import REGISTRY, Failed, Judgement, Passed, Rule, Unknown

__all__ = [
    "REGISTRY",
    "Failed",
    "Case",
    "Judgement",
    "Passed",
    "Refused",
    "Rule",
    "Unknown",
    "audio",
    "bitrate",
    "captions",
    "codec",
    "colour",
    "container",
    "file",
    "geometry",
    "gop",
    "picture",
    "post",
    "still",
    "timing",
]
