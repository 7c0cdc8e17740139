"""What a reader process runs: it imports the parsers, then reads one file per request.

``child_config`` describes the process to ``runtime.child``; ``make_handler`` is its entry point.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import threading
from collections.abc import Callable
from typing import Any, NoReturn

from mediaprep.errors import SourceUnreadable
from mediaprep.model.media import Media
from mediaprep.model.serialize import decode, encode
from mediaprep.probing.identify.sniffed import Sniffed
from mediaprep.probing.request import ReadRequest
from mediaprep.runtime import child_server, sandbox
from mediaprep.runtime.child import ChildConfig
from mediaprep.runtime.child_server import Handler
from mediaprep.runtime.source import Source

READER = "mediaprep.probing.read:read"
PARSERS = ("numpy", "av", "PIL", "pymediainfo", "pi_heif", "pysubs2", "charset_normalizer")
# Imported when a process starts, so that its first file does not pay for it.
PRELOADED = (
    "mediaprep.probing.video.assemble",
    "mediaprep.probing.picture.animation",
    "mediaprep.probing.picture.image",
    "mediaprep.probing.subtitle",
    "av",
    "mediaprep.tools.field_comparison",
    "mediaprep.tools.mediainfo",
)
# What most files need: for a process that is forked for one command and may read a single file.
PRELOADED_PREFORK = ("mediaprep.probing.video.assemble", "av", "mediaprep.tools.mediainfo")
# Of address space. The parsers' libraries map 0.25 GB of it before the first file is read.
MEMORY_BYTES = 2**30
# Of writable memory. With 45 MB of libraries the process stays below 512 MB.
DATA_BYTES = 448 * 2**20
# A deep probe holds more pictures: 4K HEVC of 10 bits takes 560 MB (measured).
DEEP_DATA_BYTES = 800 * 2**20


def child_config(
    level: sandbox.Level,
    *,
    reader: str = READER,
    preloaded: tuple[str, ...] = PRELOADED,
) -> ChildConfig:
    """Describe a reader process that calls ``reader`` (``module:function``) for each file."""
    return ChildConfig(
        entry=f"{__name__}:make_handler",
        options={"reader": reader, "preloaded": preloaded},
        level=level,
        folders=tuple(sandbox.python_folders([*PARSERS, reader.partition(":")[0]])),
        memory_bytes=MEMORY_BYTES,
        data_bytes=DEEP_DATA_BYTES,
    )


def serve_prefork(channel: int, lifeline: int, reader: str = READER) -> NoReturn:
    """Serve as a reader process; called in a child that was forked early.

    Raises: EnvironmentProblem.
    """
    config = child_config(sandbox.resolve_level("auto"), reader=reader, preloaded=PRELOADED_PREFORK)
    child_server.serve_forked(config, channel, lifeline)


def make_handler(options: dict[str, Any]) -> Handler:
    """Import the reader and the preloaded modules; return the function that answers a request."""
    module, _, name = options["reader"].partition(":")
    read: Callable[[Source, Sniffed, ReadRequest], Media] = getattr(
        importlib.import_module(module), name
    )
    for preloaded in options["preloaded"]:
        with contextlib.suppress(ImportError):  # reported when a file needs it
            importlib.import_module(preloaded)

    # Local: the parent process imports this module too, and does not sniff.
    from mediaprep.probing.identify.sniff import sniff

    threads = threading.active_count()

    def handle(body: Any, descriptor: int) -> Any:
        with Source(descriptor, path="", real_path=None) as source:
            try:
                request: ReadRequest = decode(ReadRequest, body)
                child_server.limit_data(DEEP_DATA_BYTES if request.deep else DATA_BYTES)
                facts = encode(read(source, request.sniffed or sniff(source), request))
            except SourceUnreadable as problem:
                return {"unreadable": problem.reason, "rule": problem.rule}
            except MemoryError:
                return {"memory": True}
            except ImportError as problem:
                return {"cannot": str(problem)}
            except Exception as problem:  # the edge of the process: parsers raise anything
                return {"failed": _describe(problem)}
            # A parser that timed out still runs in its thread: this process must be replaced.
            return {"media": facts, "spent": threading.active_count() > threads}

    return handle


def _describe(problem: Exception) -> str:
    import traceback  # local: only a bug in a reader needs it

    frame = traceback.extract_tb(problem.__traceback__)[-1]
    name = os.path.basename(frame.filename)  # noqa: PTH119 (pathlib is not imported here)
    return f"{type(problem).__name__}: {problem} at {name}:{frame.lineno}"
