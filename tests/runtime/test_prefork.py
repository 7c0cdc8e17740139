"""Children are forked only where that is safe and allowed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

import pytest

from mediaprep.runtime import prefork, startup

ENTRY = "mediaprep.probing.reader.serve:serve_prefork"


def open_descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="reads /proc")
def test_a_host_that_refuses_to_fork_costs_no_descriptor(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> NoReturn:
        raise BlockingIOError("no more processes")

    monkeypatch.setattr(prefork, "is_single_threaded", lambda: True)
    monkeypatch.setattr(os, "fork", refuse)
    before = open_descriptors()
    assert startup.fork_children(2, ENTRY) == ()
    assert open_descriptors() == before


def test_a_process_with_threads_is_not_forked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prefork, "is_single_threaded", lambda: False)
    assert startup.fork_children(2, ENTRY) == ()
