"""Check by its structure whether a file is complete: that it can be decoded does not prove it."""

from __future__ import annotations

import struct

from mediaprep.errors import SourceUnreadable
from mediaprep.model import containers
from mediaprep.probing.formats import walkers
from mediaprep.probing.formats.walkers import Completeness
from mediaprep.probing.identify.sniffed import Sniffed
from mediaprep.runtime.source import Readable


def completeness(source: Readable, sniffed: Sniffed) -> Completeness:
    """Return (True, None) if the structure ends where it declares its end.

    Return (False, reason) for a truncated or damaged file, and (None, reason or None) if the
    format does not show its end.
    """
    reference = containers.of(sniffed.format).completeness
    if not reference:
        return None, f"{sniffed.format} has no mark of its end"
    try:
        verdict: Completeness = walkers.function(reference)(source)
    except SourceUnreadable as problem:
        return False, problem.reason
    except struct.error:
        return False, "its header is cut short"
    return verdict
