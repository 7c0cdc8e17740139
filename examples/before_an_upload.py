"""The call right before an upload: make the file acceptable, then hand over what the upload's first call wants.

python examples/before_an_upload.py clip.mov
"""

from __future__ import annotations

import sys

import mediaprep


def upload(
    path: str, *, media_type: str, media_category: str, total_bytes: int, chunked: bool
) -> str:
    """Where a program's own uploader stands (tweepy's ``API.media_upload``, for one, takes these by the same names)."""
    return f"INIT {total_bytes} bytes of {media_type} as {media_category}, {'chunked' if chunked else 'simple'}: {path}"


def main(source: str) -> int:
    """Prepares one file and uploads what came out."""
    outcome = mediaprep.prepare(source, placement="twitter", on_event=print_progress)
    if outcome.upload is None:
        print(f"{outcome.path}: {outcome.status}: " + "; ".join(outcome.problems), file=sys.stderr)
        return 1
    ready = outcome.upload
    print(
        upload(
            ready.path,
            media_type=ready.media_type,
            media_category=ready.category,
            total_bytes=ready.total_bytes,
            chunked=ready.chunked,
        )
    )
    for change in outcome.changes:
        print(
            f"  {change.fact}: {change.before} -> {change.after}, because of {', '.join(change.because)} ({change.safety})"
        )
    return 0


def print_progress(event: mediaprep.Event) -> None:
    """Tells how far the encode is."""
    if isinstance(event, mediaprep.Progress):
        print(f"\r{event.stage} {event.fraction:.0%}", end="", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
