"""The rule of a whole post: what it may carry."""

from __future__ import annotations

from collections import Counter

from mediaprep.constraint import Attachments
from mediaprep.media import Post
from mediaprep.rules._rule import Broken, Judgement, Passed, rule

_WORDS = {"image": ("photo", "photos"), "animation": ("animated GIF", "animated GIFs"), "video": ("video", "videos")}


@rule("post-attachments", kinds=(), subject="post", facts=("attachments",))
def attachments(have: Post, limit: Attachments) -> Judgement:
    """What it checks: that all files together can go into one post: up to so many photos, or one animated GIF, or one video, and never a
    mix. Captions go with a video and count for nothing; sound alone is no attachment.

    Why it matters: each upload succeeds, and the post is refused when it is created.

    The fix: none; which to leave out, or to put into a second post, is the author's choice.
    """
    counts = Counter(media.kind for media in have.attachments if media.kind in _WORDS)
    measured = " and ".join(f"{n} {_WORDS[kind][n > 1]}" for kind, n in counts.items()) or "nothing to show"
    most = {"image": limit.images, "animation": limit.animations, "video": limit.videos}
    if len(counts) > 1:
        return Broken(measured=measured, detail="a mix", remedy="post them apart")
    if any(n > most[kind] for kind, n in counts.items()):
        return Broken(measured=measured, remedy="spread them over several posts")
    return Passed(measured=measured)
