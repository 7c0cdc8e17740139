"""List the private metadata of a file: location, device, owner, and other facts about a person.

Encoder tags, handler names and times of 0 are not private. A time alone is an item of kind
``time``, a title one of kind ``comment``.
"""

from __future__ import annotations

from mediaprep.errors import SourceUnreadable
from mediaprep.model import containers
from mediaprep.model.media import PrivateItem
from mediaprep.probing.formats import walkers
from mediaprep.probing.identify.sniffed import Sniffed
from mediaprep.runtime.source import Readable

MAX_ITEMS = 200


def private_items(source: Readable, sniffed: Sniffed) -> tuple[PrivateItem, ...] | None:
    """Return the private items, each once; None if the metadata is damaged or not read."""
    reference = containers.of(sniffed.format).private_items
    if reference == containers.NO_METADATA:
        return ()
    if not reference:
        return None
    try:
        items: list[PrivateItem] = walkers.function(reference)(source)
    except SourceUnreadable:
        return None
    return tuple(dict.fromkeys(items))[:MAX_ITEMS]
