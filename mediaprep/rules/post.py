"""The rule of a whole post: what it may carry."""

from __future__ import annotations

from collections import Counter

from mediaprep.model.limits import Attachments
from mediaprep.model.media import Media, Post
from mediaprep.rules.registry import Failed, Judgement, Passed, rule

_WORDS = {
    "image": ("photo", "photos"),
    "animation": ("animated GIF", "animated GIFs"),
    "video": ("video", "videos"),
}


@rule("post-attachments", kinds=(), subject="post", facts=("attachments",))
def attachments(source: Post, limit: Attachments) -> Judgement:
    """What it checks: that all files together can go into one post: up to so many photos, or one animated GIF, or one video, and never a
    mix. Captions go with a video and count for nothing; sound alone is no attachment.

    Why it matters: each upload succeeds, and the post is refused when it is created.

    The fix: none of a single file; the finding names what does not go with the first and how the files could be spread over several posts.
    Which to leave out instead is the author's choice.
    """
    counts = Counter(media.kind for media in source.attachments if media.kind in _WORDS)
    measured = (
        " and ".join(f"{n} {_WORDS[kind][n > 1]}" for kind, n in counts.items())
        or "nothing to show"
    )
    most = {"image": limit.images, "animation": limit.animations, "video": limit.videos}
    if len(counts) <= 1 and all(n <= most[kind] for kind, n in counts.items()):
        return Passed(measured=measured)
    posts = [[_shown(media) for media in post] for post in spread(source, limit)]
    over = ", ".join(name for post in posts[1:] for name in post)
    why = f"a mix: {over} beside {posts[0][0]}" if len(counts) > 1 else f"too many: {over}"
    listed = "; ".join(" + ".join(post) for post in posts)
    return Failed(
        measured=measured,
        detail=why,
        remedy=f"make {len(posts)} posts ({listed}), or leave out {over}",
    )


def _shown(media: Media) -> str:
    """The name without its folders; the kind for what has none."""
    return media.name.rpartition("/")[2] or _WORDS[media.kind][0]


def spread(source: Post, limit: Attachments) -> tuple[tuple[Media, ...], ...]:
    """The attachments as the fewest posts that keep their order within each kind; the first holds the first attachment."""
    most = {"image": limit.images, "animation": limit.animations, "video": limit.videos}
    posts: list[list[Media]] = []
    for media in source.attachments:
        if media.kind not in most:
            continue
        room = (
            post for post in posts if post[0].kind == media.kind and len(post) < most[media.kind]
        )
        place = next(room, None)
        if place is None:
            posts.append([media])
        else:
            place.append(media)
    return tuple(map(tuple, posts))
