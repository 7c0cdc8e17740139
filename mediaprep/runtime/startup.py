"""Every technique that makes a command start fast, in one place.

A check of one small file takes a fraction of a second, and most of it is imports. Therefore:

1. The command forks its reading children before it imports anything large: parent and children then
   import at the same time, each what it needs (``fork_children``).
2. While the first child reads, a thread of the parent imports what comes next
   (``load_in_background``).
3. A child does not collect garbage during its imports, and never traverses them afterwards
   (``imports_frozen``).
4. Large modules are imported where they are used, not at the top of a file: numpy, av, PIL,
   pymediainfo, ffmpeg, rich, pydantic, typer, dask, watchdog, asyncio, subprocess and sqlite3. The
   modules of ``cli`` import what runs the command inside functions for the same reason.
   ``tests/test_layers.py`` checks the library.

Techniques that belong to one module stay there: ``mediaprep/__init__.py`` loads public names at
first use, ``cli`` parses simple command lines without typer, ``profile`` reads bundled profiles in
compiled form, ``sandbox`` passes the launcher compiled, and ``probing.reader`` imports the parsers
of rare formats when one is needed.

What a check of one small file takes without each of them, compared with all of them (the medians of
31 rounds of ``benchmarks/startup.py`` on two busy cores; 1.00 is 0.37 s):

=============================  ==========  =======
without                        wall clock  CPU, s
=============================  ==========  =======
(unchanged)                    1.00        0.34
forked readers                 1.26        0.36
loading in the background      0.98        0.34
imports frozen                 0.99        0.34
command lines without typer    1.49        0.49
=============================  ==========  =======

The second and third make no measurable difference to one small file on such a machine.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module

from mediaprep.runtime.prefork import ForkedChild, fork_child


def fork_children(count: int, entry: str) -> tuple[ForkedChild, ...]:
    """Fork up to ``count`` children, fewer if the host refuses.

    entry   ``module:function``; each child imports it and calls it with its two descriptors
    """
    module, _, name = entry.partition(":")

    def work(channel: int, lifeline: int) -> None:
        getattr(import_module(module), name)(channel, lifeline)

    children = (fork_child(work) for _ in range(count))
    return tuple(child for child in children if child is not None)


@contextmanager
def load_in_background(load: Callable[[], None]) -> Iterator[None]:
    """Call ``load`` in a thread during the block, and wait for it at the end."""
    thread = threading.Thread(target=load, name="mediaprep-load")
    thread.start()
    try:
        yield
    finally:
        thread.join()


@contextmanager
def imports_frozen() -> Iterator[None]:
    """Exclude the objects that the block creates from garbage collection: imported modules stay."""
    gc.disable()
    yield
    gc.freeze()
    gc.enable()
