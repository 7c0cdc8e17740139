"""Publish all outputs of a run, or none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mediaprep.runtime import atomic


def publish(parts: Sequence[Path], targets: Sequence[Path], *, force: bool) -> None:
    """Give each work file its final name. If one cannot be published, remove those that were,
    unless they may have replaced something (``force``).

    Raises: UsageProblem if a name is taken, EnvironmentProblem if the file system refuses.
    """
    published: list[Path] = []
    try:
        for part, target in zip(parts, targets, strict=True):
            atomic.publish(part, target, force=force)
            published.append(target)
    except BaseException:
        if not force:
            for target in published:
                target.unlink(missing_ok=True)
        raise
