"""What happens to each part of a source, in words: for plans shown to people. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from mediaprep.model.media import Video
from mediaprep.planning.changes import WRITTEN
from mediaprep.planning.plan import Output
from mediaprep.rules import REGISTRY

Action: TypeAlias = Literal["copied", "retagged", "encoded", "rewritten", "left out"]


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamAction:
    """What happens to one part of the source: ``track`` container, video, audio, the kind of a file that has no tracks, or a track that is
    not taken along (``subtitle 3``); ``because`` the rules and wishes that ask for it."""

    track: str
    action: Action
    because: tuple[str, ...] = ()


def stream_actions(output: Output) -> tuple[StreamAction, ...]:
    """What happens to each track: copied bit by bit, retagged (its description is corrected), encoded anew, or left out; the container is
    always written anew, without loss."""
    source, target = output.source, output.target
    if not (isinstance(source, Video) and isinstance(target, Video)):
        return (StreamAction(track=target.kind, action="rewritten", because=_reasons(output, "")),)
    rows = [
        StreamAction(
            track="container",
            action="rewritten",
            because=_reasons(output, "", but=("video.", "audio.")),
        )
    ]
    retagged = target.video.sars != source.video.sars
    picture: Action = "encoded" if target.video.reencode else "retagged" if retagged else "copied"
    asked = _reasons(output, "video.") or _reasons(output, "size_bytes")
    rows.append(
        StreamAction(track="video", action=picture, because=() if picture == "copied" else asked)
    )
    if target.audio is not None:
        encoded = target.audio.reencode
        rows.append(
            StreamAction(
                track="audio",
                action="encoded" if encoded else "copied",
                because=_reasons(output, "audio.") if encoded else (),
            )
        )
    others = (track for track in source.container.tracks or () if not track.chosen)
    return (
        *rows,
        *(StreamAction(track=f"{track.kind} {track.index}", action="left out") for track in others),
    )


def _reasons(output: Output, prefix: str, but: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Who asked for the changes of facts whose path begins so, in the order of the rules; wishes first."""
    asked = {
        cause
        for c in output.changes
        if c.fact.startswith(prefix) and not c.fact.startswith(but)
        for cause in c.because
    } - {WRITTEN}
    order = list(REGISTRY)
    return tuple(sorted(asked, key=lambda cause: order.index(cause) if cause in REGISTRY else -1))
