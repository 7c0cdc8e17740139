"""Rules for videos, a module a subject; what an encode settles, and how the planner cuts and promises."""

from mediaprep.targets.video import affordable, as_shown, lead, on_grid

__all__ = ["affordable", "as_shown", "lead", "on_grid"]
