"""look: open one file, read its facts, judge them. All that a check needs, and nothing of what a repair needs: importing that costs as much
as reading a small file."""

from __future__ import annotations

import os
from typing import Any, BinaryIO

from mediaprep.errors import SourceUnreadable
from mediaprep.model.media import Media
from mediaprep.model.options import Options
from mediaprep.model.report import Report
from mediaprep.probing.probe import probe_in_child_steps, probe_steps
from mediaprep.profile import Profile
from mediaprep.runtime.context import Context
from mediaprep.runtime.effects import Steps, call
from mediaprep.runtime.paths import display_name
from mediaprep.runtime.source import Source, open_source


def facts(source: Any, options: Options, context: Context) -> Steps[Media]:
    """Steps: the facts of one file. Raises: SourceUnreadable."""
    opened: Source = yield from call(_opened, source, context)
    with opened:
        if options.split or options.loudness is not None:
            return (yield from probe_steps(opened, options, context)).media
        return (yield from probe_in_child_steps(opened, context, deep=options.deep))


def judged(
    source: str | bytes | os.PathLike[Any] | BinaryIO,
    profile: Profile,
    category: str | None,
    options: Options,
    context: Context,
) -> Steps[Report]:
    """Steps: the report of one file; of one of which nothing can be read, too. ``category`` None: inferred from the content."""
    from mediaprep.planning.check import check, unreadable

    placement = profile.name if category is None else f"{profile.name}/{category}"
    try:
        media = yield from facts(source, options, context)
    except SourceUnreadable as problem:
        name = display_name(source) if isinstance(source, (str, bytes, os.PathLike)) else "stream"
        return unreadable(name, problem, placement)
    return check(media, profile.placement_for(media.kind, category))


def _opened(source: Any, context: Context) -> Source:
    return open_source(source, max_bytes=context.limits.max_source_bytes, check=context.check)
