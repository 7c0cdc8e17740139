"""Events of the file system: names of files that were written in a watched folder."""

from __future__ import annotations

import contextlib
import logging
import os
import queue
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from mediaprep.jobs.run.filesystem import NETWORK, filesystem_of

if TYPE_CHECKING:
    from watchdog.events import FileSystemEvent

# File systems that report no events for what other hosts or lower layers write.
WITHOUT_EVENTS = (*NETWORK, "overlay")
MAX_QUEUED_EVENTS = 10_000


def has_events(folder: Path) -> bool:
    """Return True if the folder's file system reports all events."""
    return not filesystem_of(folder).startswith(WITHOUT_EVENTS)


class Observer:
    """Queues the events of a folder.

    Up to ``max_events`` are queued; more are dropped, and the next scan finds their files.
    """

    def __init__(self, folder: Path, max_events: int = MAX_QUEUED_EVENTS) -> None:
        self._folder = folder
        self._queue: queue.Queue[tuple[str, bool]] = queue.Queue(max_events)

    @contextlib.contextmanager
    def observing(self) -> Iterator[bool]:
        """Observe while the context is entered; yields False if the host has no watches left."""
        from watchdog.events import FileSystemEventHandler  # slow to import
        from watchdog.observers import Observer as FileSystemObserver

        # It warns of events that arrive while it is stopped.
        logging.getLogger("watchdog").setLevel(logging.ERROR)
        handler = FileSystemEventHandler()
        handler.on_any_event = self._on_event  # type: ignore[method-assign]
        observer = FileSystemObserver()
        observer.schedule(handler, str(self._folder), recursive=True)
        try:
            observer.start()
        except OSError:
            yield False
            return
        try:
            yield True
        finally:
            observer.stop()
            observer.join()

    def _on_event(self, event: FileSystemEvent) -> None:
        if event.is_directory or event.event_type not in ("created", "modified", "moved", "closed"):
            return
        is_closed = event.event_type in ("moved", "closed")
        path = os.fsdecode(event.dest_path or event.src_path)
        with contextlib.suppress(queue.Full):
            self._queue.put_nowait((path, is_closed))

    def take(self) -> Iterator[tuple[str, bool]]:
        """Yield the queued paths, and whether their writer has closed them."""
        for _ in range(self._queue.maxsize):
            try:
                yield self._queue.get_nowait()
            except queue.Empty:
                return
