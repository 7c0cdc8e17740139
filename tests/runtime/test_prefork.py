"""Children forked before anything is imported."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

import pytest

from mediaprep.runtime import prefork as early


def descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="Linux")
def test_a_host_that_refuses_to_fork_costs_no_descriptor(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> NoReturn:
        raise BlockingIOError("no more processes")

    monkeypatch.setattr(early, "single_threaded", lambda: True)
    monkeypatch.setattr(os, "fork", refuse)
    before = descriptors()
    assert early.fork(2, "mediaprep.probing.reader.serve:serve_prefork") == ()
    assert descriptors() == before


def test_nothing_is_forked_among_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(early, "single_threaded", lambda: False)
    assert early.fork(2, "mediaprep.probing.reader.serve:serve_prefork") == ()
