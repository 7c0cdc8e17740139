"""What happens to each stream of a source, for plans shown to people. Pure."""

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
    """What happens to one part of the source.

    track    container, video or audio; the kind of a file without tracks; or a track that is
             dropped, with its number (``subtitle 3``)
    because  the rules and options that require it
    """

    track: str
    action: Action
    because: tuple[str, ...] = ()


def stream_actions(output: Output) -> tuple[StreamAction, ...]:
    """Return what happens to each stream of the source, the container first.

    A retagged stream is copied with a corrected description.
    """
    source, target = output.source, output.target
    if not (isinstance(source, Video) and isinstance(target, Video)):
        return (StreamAction(track=target.kind, action="rewritten", because=_causes(output, "")),)
    container = _causes(output, "", without=("video.", "audio."))
    picture: Action = "copied"
    if target.video.reencode:
        picture = "encoded"
    elif target.video.sars != source.video.sars:
        picture = "retagged"
    picture_causes = _causes(output, "video.") or _causes(output, "size_bytes")
    actions = [
        StreamAction(track="container", action="rewritten", because=container),
        StreamAction(
            track="video", action=picture, because=() if picture == "copied" else picture_causes
        ),
    ]
    if target.audio is not None and target.audio.reencode:
        causes = _causes(output, "audio.")
        actions.append(StreamAction(track="audio", action="encoded", because=causes))
    elif target.audio is not None:
        actions.append(StreamAction(track="audio", action="copied"))
    for track in source.container.tracks or ():
        if not track.chosen:
            dropped = f"{track.kind} {track.index}"
            actions.append(StreamAction(track=dropped, action="left out"))
    return tuple(actions)


def _causes(output: Output, prefix: str, without: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the causes of the changes of facts whose paths have the prefix.

    Options come first, then rules in the order of the registry.
    """
    causes: dict[str, None] = {}
    for change in output.changes:
        if change.fact.startswith(prefix) and not change.fact.startswith(without):
            causes |= dict.fromkeys(change.because)
    causes.pop(WRITTEN, None)
    order = {rule_id: number for number, rule_id in enumerate(REGISTRY)}
    return tuple(sorted(causes, key=lambda cause: order.get(cause, -1)))
