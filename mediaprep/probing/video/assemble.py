"""Video and sound: one pass over every packet, a few decoded frames, the boxes, and MediaInfo as second opinion, assembled into a Media."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any

from mediaprep.errors import SourceUnreadable
from mediaprep.model import containers
from mediaprep.model.media import (
    AudioStream,
    Container,
    Sound,
    Track,
    Video,
    VideoStream,
)
from mediaprep.model.units import duration_text
from mediaprep.probing.bitstream._nal import CUT_UNIT
from mediaprep.probing.formats import isobmff, walkers
from mediaprep.probing.formats.isobmff import IsoFile
from mediaprep.probing.identify.complete import completeness
from mediaprep.probing.identify.private import private_items
from mediaprep.probing.identify.sniffed import Sniffed
from mediaprep.probing.request import ReadRequest, wants
from mediaprep.probing.video import audio, frames, gop, second_opinion
from mediaprep.probing.video import origins as explain
from mediaprep.probing.video.audio import seconds
from mediaprep.probing.video.gathered import DemuxedFile, PacketScan
from mediaprep.probing.video.notes import ReaderLog
from mediaprep.probing.video.picture import read_picture
from mediaprep.probing.video.sound import read_sound
from mediaprep.runtime.source import Source
from mediaprep.tools import mediainfo, pyav
from mediaprep.tools.pyav import ContainerReader, StreamInfo

if TYPE_CHECKING:
    from mediaprep.probing.video.payload import PayloadDigest

ROUNDING, PLAUSIBLE, PLAUSIBLE_SHARE = Fraction(1, 1000), Fraction(1, 2), Fraction(2, 100)
LEAST_SHARE = Fraction(
    98, 100
)  # of the stated duration that the packets must cover: less is a truncated file


def read_video(source: Source, sniffed: Sniffed, request: ReadRequest) -> Video | Sound:
    """The facts of a file with a picture that moves or with sound. Raises: SourceUnreadable."""
    record = containers.of(sniffed.format)
    iso = isobmff.walk(source) if record.iso_boxes else None
    with pyav.open_container(
        source,
        demuxer=sniffed.demuxer,
        whitelist=sniffed.format_whitelist or None,
        max_pixels=request.max_pixels,
        presentation_times=record.presentation_times,
    ) as reader:
        picture, sound = choose(reader.streams)
        if picture is None and sound is None:
            raise SourceUnreadable(
                "neither a picture nor a sound track: give a file that holds one"
            )
        _refuse_encrypted(source, sniffed, iso, (picture, sound))
        passed = _pass(reader, picture, sound, request.payload)
        found = DemuxedFile(
            reader=reader,
            sniffed=sniffed,
            iso=iso,
            info=picture,
            sound=sound,
            passed=passed,
            notes=ReaderLog(),
        )
        heard = None if sound is None else read_sound(found, sound)
        seen = None if picture is None else read_picture(found, picture, request)
        return _finish(source, found, request, seen, heard)


def choose(streams: Sequence[StreamInfo]) -> tuple[StreamInfo | None, StreamInfo | None]:
    """The picture and the sound that are judged and kept: the default one, else the first; cover art is no picture."""

    def first(kind: str) -> StreamInfo | None:
        there = [info for info in streams if info.kind == kind and not info.cover]
        return next((info for info in there if info.default), there[0] if there else None)

    return first("video"), first("audio")


def _refuse_encrypted(
    source: Source, sniffed: Sniffed, iso: IsoFile | None, chosen: Sequence[StreamInfo | None]
) -> None:
    """By the container's word: where only parts of each packet are encrypted, its headers read on and seem damaged. Raises:
    SourceUnreadable."""
    locked: set[int] = set()
    if iso is not None:
        locked = {track.id for track in iso.tracks if track.encrypted and track.id is not None}
    elif reference := containers.of(sniffed.format).encrypted_tracks:
        locked = walkers.function(reference)(source)
    for info, what in zip(chosen, ("picture", "sound"), strict=True):
        if info is not None and info.id in locked:
            raise SourceUnreadable(
                f"its {what} is encrypted: give the file without its protection",
                rule="file-complete",
            )


def _pass(
    reader: ContainerReader, info: StreamInfo | None, sound: StreamInfo | None, payload: bool
) -> PacketScan:
    scanner = None
    if info is not None:
        scanner = gop.scanner(
            info.codec or "",
            info.extradata,
            info.time_base or Fraction(1),
            timed=reader.presentation_times,
        )
    shown, heard = (_payload(stream) if payload else None for stream in (info, sound))
    feed = (
        None if scanner is None else scanner.add if shown is None else _both(scanner.add, shown.add)
    )
    picture, sounds, ended_by = reader.scan(
        None if info is None else info.index,
        None if sound is None else sound.index,
        feed,
        keep_video=frames.HEAD_PACKETS,
        keep_audio=audio.HEAD_PACKETS,
        hear=None if heard is None else heard.add,
    )
    return PacketScan(
        picture=picture,
        sound=sounds,
        gops=None if scanner is None else scanner.result(),
        ended_by=ended_by,
        digests=(
            None if shown is None else shown.digest(),
            None if heard is None else heard.digest(),
        ),
    )


def _payload(info: StreamInfo | None) -> PayloadDigest | None:
    from mediaprep.probing.video.payload import PayloadDigest  # with hashlib

    return None if info is None else PayloadDigest(info.codec or "", info.extradata)


def _both(scan: Callable[..., None], digest: Callable[[memoryview], None]) -> Callable[..., None]:
    def feed(
        data: memoryview, pts: int | None, dts: int | None, keyframe: bool, discard: bool
    ) -> None:
        scan(data, pts, dts, keyframe, discard)
        digest(data)

    return feed


def _finish(
    source: Source,
    found: DemuxedFile,
    request: ReadRequest,
    video: VideoStream | None,
    heard: AudioStream | None,
) -> Video | Sound:
    """Put the parts together, with what concerns the whole file and the second opinion."""
    notes, header = found.notes, found.reader.duration
    presented = _presented(found, video)
    whole, because = _complete(source, found, presented, header)
    items = None
    if wants(request, "private"):
        items = found.iso.private if found.iso is not None else private_items(source, found.sniffed)
    common: dict[str, Any] = {
        "name": source.name,
        "size_bytes": source.size_bytes,
        "complete": whole,
        "incomplete_because": because,
        "private": items,
        "container": _container(found, header),
        "duration": _duration(presented, header),
    }
    if wants(request, "reported_facts"):
        video = _second_opinion(source, found, common, video, heard)
    notes.say("container.format", "bytes", common["container"].format)
    notes.say(
        "duration",
        "packets",
        None if presented is None else duration_text(presented),
        agrees=presented == common["duration"],
    )
    notes.say(
        "duration",
        "container",
        None if header is None else duration_text(header),
        agrees=_near(presented, header),
    )
    if video is not None:
        explain.picture(notes, video)
    if heard is not None:
        explain.sound(notes, heard)
    common |= {"reported_facts": tuple(notes.reported_facts), "unknown": tuple(notes.unknown)}
    shown, sounded = found.passed.digests
    heard = None if heard is None else replace(heard, payload=sounded)
    if video is None:
        return Sound(audio=heard or AudioStream(), **common)
    video = replace(video, payload=shown)
    return Video(
        video=video,
        audio=heard,
        audio_present=heard is not None,
        keyframes=_keyframes(found),
        **common,
    )


def _keyframes(found: DemuxedFile) -> tuple[Fraction, ...]:
    base = None if found.info is None else found.info.time_base
    if base is None or found.passed.gops is None:
        return ()
    return tuple(ticks * base - found.zero for ticks in found.passed.gops.idr_pts)


def _second_opinion(
    source: Source,
    found: DemuxedFile,
    common: dict[str, Any],
    video: VideoStream | None,
    heard: AudioStream | None,
) -> VideoStream | None:
    opinion = mediainfo.opinion(source, parser=containers.of(found.sniffed.format).mediainfo)
    if opinion is None:
        return video
    place = partial(_position, found.reader.streams)
    second_opinion.on_file(found.notes, common["duration"], common["complete"], opinion.general())
    if heard is not None and found.sound is not None:
        second_opinion.on_sound(found.notes, heard, opinion.track("Audio", place(found.sound)))
    if video is not None and found.info is not None:
        fields = opinion.track("Video", place(found.info))
        second_opinion.on_picture(found.notes, video, fields)
        video = replace(
            video,
            colour=replace(
                video.colour, hdr=second_opinion.dolby_vision(video.colour.hdr or (), fields)
            ),
        )
    return video


def _position(streams: Sequence[StreamInfo], info: StreamInfo) -> int:
    return [item.index for item in streams if item.kind == info.kind and not item.cover].index(
        info.index
    )


def _presented(found: DemuxedFile, video: VideoStream | None) -> Fraction | None:
    """From the first to the last moment that is presented over picture and sound; an empty edit at the start counts, it is waited for."""
    if found.info is not None and (video is None or video.duration is None):
        return None
    ends = []
    if (
        found.sound is not None
        and (sounded := seconds(found.passed.sound.end, found.sound.time_base)) is not None
    ):
        ends.append(min(sounded, _edits_end(found) or sounded))
    if video is not None and video.start is not None and video.duration is not None:
        ends.append(video.start + video.duration + found.zero)
    starts = (
        found.starts if found.iso is None else [max(start, Fraction(0)) for start in found.starts]
    )  # an edit may begin within a packet
    if not ends or not starts:
        return None
    delayed = video is not None and video.edit_list in ("delays", "trims-and-delays")
    return max(ends) - min(starts if not delayed else [Fraction(0), *starts])


def _edits_end(found: DemuxedFile) -> Fraction | None:
    """When the edit list ends the sound, in the middle of a packet too; None: there is none, or it plays to the end."""
    track = None if found.sound is None else found.box_track(found.sound)
    if (
        found.iso is None
        or found.iso.fragmented
        or not found.iso.timescale
        or track is None
        or not all(e.duration for e in track.edits)
    ):
        return None
    return Fraction(sum(edit.duration for edit in track.edits), found.iso.timescale) or None


def _duration(presented: Fraction | None, header: Fraction | None) -> Fraction | None:
    """A server may look at the container's duration, so the larger counts, but only where it is plausible: headers state 143165 s over one
    second of content, and a truncated file keeps the header of the whole. Headers count milliseconds: less than one is rounding."""
    if presented is None or header is None:
        return presented
    return header if header - presented > ROUNDING and _near(presented, header) else presented


def _near(presented: Fraction | None, header: Fraction | None) -> bool:
    return (
        presented is None
        or header is None
        or abs(header - presented) <= max(PLAUSIBLE, PLAUSIBLE_SHARE * presented)
    )


def _complete(
    source: Source, found: DemuxedFile, presented: Fraction | None, header: Fraction | None
) -> tuple[bool | None, str | None]:
    """Structure first; where that holds, the packets: damaged ones at the end, or far less time than the header states."""
    iso = found.iso
    whole, because = (
        completeness(source, found.sniffed)
        if iso is None
        else (iso.complete, iso.incomplete_because)
    )
    if whole is False:
        return whole, because
    spans = found.passed.picture, found.passed.sound
    if whole is None and any(span.corrupt and span.last_corrupt == span.packets for span in spans):
        return False, "its last packet is damaged: the file was cut off"
    if whole is None:
        found.notes.missing("complete", because or "the format cannot tell")
        because = None
    if found.passed.ended_by is not None:
        return False, f"reading stopped early: {found.passed.ended_by}"
    for fault in () if found.passed.gops is None else found.passed.gops.faults:
        if fault.startswith(
            (CUT_UNIT, gop.NO_PICTURE_READ)
        ):  # as where a copy into preallocated space has not come yet
            return False, fault
    if found.iso is None and presented is not None and header is not None:
        ends = (
            seconds(span.end, info.time_base)
            for info, span in zip((found.info, found.sound), spans, strict=True)
            if info is not None
        )
        reached = max(
            (presented, *(end for end in ends if end is not None))
        )  # a header may count the time before the start, and gaps
        if reached < LEAST_SHARE * header - PLAUSIBLE:
            return (
                False,
                f"the header states {float(header):.2f} s, the packets cover {float(presented):.2f} s",
            )
    return whole, because


def _container(found: DemuxedFile, header: Fraction | None) -> Container:
    iso = found.iso
    return Container(
        format="raw" if found.sniffed.format.startswith("raw-") else found.sniffed.format,
        brand=None if iso is None else iso.brand,
        faststart=None if iso is None else iso.faststart,
        fragmented=None if iso is None else iso.fragmented,
        duration_from_header=header,
        chapters=found.reader.chapters,
        tracks=tuple(_track(found, info) for info in found.reader.streams),
    )


def _track(found: DemuxedFile, info: StreamInfo) -> Track:
    boxes = found.box_track(info)
    kind = (
        "cover"
        if info.cover
        else "timecode"
        if boxes is not None and boxes.handler == "tmcd"
        else info.kind
    )
    return Track(
        index=info.index,
        kind=kind,
        codec=info.codec or (None if boxes is None else boxes.codec),
        language=info.language,
        default=info.default,
        chosen=info in (found.info, found.sound),
        encrypted=None if boxes is None else boxes.encrypted,
    )
