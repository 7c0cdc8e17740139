"""Make a file acceptable right before its upload, and pass on what the upload needs to know.

python examples/before_an_upload.py clip.mov
"""

from __future__ import annotations

import sys

import mediaprep


def upload(
    path: str, *, media_type: str, media_category: str, total_bytes: int, chunked: bool
) -> str:
    """Stand in for a program's own uploader; tweepy's ``API.media_upload`` has such parameters."""
    how = "chunked" if chunked else "simple"
    return f"INIT {total_bytes} bytes of {media_type} as {media_category}, {how}: {path}"


def main(source: str) -> int:
    """Prepare one file and upload the result."""
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
        rules = ", ".join(change.because)
        print(f"  {change.fact}: {change.before} -> {change.after} ({change.safety}; {rules})")
    return 0


def print_progress(event: mediaprep.Event) -> None:
    """Show how far the work is."""
    if isinstance(event, mediaprep.Progress):
        print(f"\r{event.stage} {event.fraction:.0%}", end="", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
