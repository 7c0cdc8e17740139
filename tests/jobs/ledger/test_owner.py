"""Owners of jobs are recognised by process, boot, namespace and lock."""

from __future__ import annotations

import os
from pathlib import Path

from mediaprep.jobs.ledger import owner as owners
from mediaprep.jobs.ledger.owner import Owner


def test_a_process_with_a_reused_pid_is_not_the_owner(tmp_path: Path) -> None:
    mine = Owner.new()
    descriptor = owners.acquire_lock(tmp_path / "lock")
    assert mine.is_alive(tmp_path / "lock")
    assert not Owner(mine.boot, mine.namespace, mine.pid, "1", mine.token).is_alive(
        tmp_path / "lock"
    )
    assert not Owner("another boot", mine.namespace, mine.pid, mine.start, mine.token).is_alive(
        tmp_path / "lock"
    )
    assert Owner(mine.boot, "another container", 1, "1", mine.token).is_alive(tmp_path / "lock")
    os.close(descriptor)
    assert not mine.is_alive(tmp_path / "lock")
    assert Owner.parse(str(mine)) == mine
