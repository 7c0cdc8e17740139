"""Check all inputs of a command together, as the attachments of one post."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mediaprep.model.media import Media
    from mediaprep.model.report import Report
    from mediaprep.profile import Profile


def attachment(report: Report | None) -> Media | None:
    """Return what the rules of a post need of a file: its kind and name. The rest is released."""
    if report is None or report.media is None:
        return None
    return type(report.media)(name=report.media.name)


def post_report(
    attachments: Sequence[Media | None], profile: Profile, *, requested: bool = False
) -> Report | None:
    """Return the report of all files as one post.

    None if the profile has no limits for posts, or for a single file unless it is ``requested``.
    """
    from mediaprep.planning.check import check_post

    if profile.post is None or not (requested or len(attachments) > 1):
        return None
    return check_post(tuple(attachments), profile.post, profile.name)
