"""The rule for a whole post: which attachments go together."""

from __future__ import annotations

from collections import Counter

from mediaprep.model.limit_forms import AttachmentsForm
from mediaprep.model.limits import Attachments
from mediaprep.model.media import Kind, Media, Post
from mediaprep.rules.registry import Failed, Judgement, Passed, rule

_NAMES: dict[Kind, tuple[str, str]] = {
    "image": ("photo", "photos"),
    "animation": ("animated GIF", "animated GIFs"),
    "video": ("video", "videos"),
}


@rule(
    "post-attachments",
    kinds=(),
    subject="post",
    limit=AttachmentsForm(),
    facts=("attachments",),
    required=True,
)
def attachments(source: Post, limit: Attachments) -> Judgement:
    """What it checks: all files fit into one post: a limited number of photos, of animated GIFs or
    of videos, and never a mix. Captions belong to a video and are not counted. Audio without video
    cannot be attached.

    Why it matters: each upload succeeds by itself, but the post is rejected when it is created.

    The fix: none, because no single file is wrong. The finding names the files that do not fit and
    a way to spread all files over several posts. Which files to leave out is the author's choice.
    """
    counts = Counter(media.kind for media in source.attachments if media.kind in _NAMES)
    counted = [f"{n} {_NAMES[kind][n > 1]}" for kind, n in counts.items()]
    measured = " and ".join(counted) or "without an attachment to show"
    most = _most(limit)
    if len(counts) <= 1 and all(n <= most[kind] for kind, n in counts.items()):
        return Passed(measured=measured)
    posts = [[_shown(media) for media in post] for post in _spread(source, limit)]
    excess = ", ".join(name for post in posts[1:] for name in post)
    mixed = f"a mix: {excess} beside {posts[0][0]}"
    listed = "; ".join(" + ".join(post) for post in posts)
    return Failed(
        measured=measured,
        detail=mixed if len(counts) > 1 else f"too many: {excess}",
        remedy=f"make {len(posts)} posts ({listed}), or leave out {excess}",
    )


def _most(limit: Attachments) -> dict[Kind, int]:
    """Return how many attachments of each kind one post takes."""
    return {"image": limit.images, "animation": limit.animations, "video": limit.videos}


def _shown(media: Media) -> str:
    """Return the file name without its folders; the kind for media without a name."""
    return media.name.rpartition("/")[2] or _NAMES[media.kind][0]


def _spread(source: Post, limit: Attachments) -> list[list[Media]]:
    """Divide the attachments into the fewest posts; each kind keeps its order.

    The first post holds the first attachment.
    """
    most = _most(limit)
    posts: list[list[Media]] = []
    for media in source.attachments:
        if media.kind not in most:
            continue
        for post in posts:
            if post[0].kind == media.kind and len(post) < most[media.kind]:
                post.append(media)
                break
        else:
            posts.append([media])
    return posts
