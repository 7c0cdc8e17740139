"""The facts of a file: frozen values that probe reads, check judges, plan changes and verify compares.

``None`` means "no claim": on what a probe returns, "could not be read" (``unknown`` says why); on what a plan
wants, "left free". It never means zero or "none there": an empty tuple, ``False`` or a named value says that.
Times are seconds as exact ``Fraction``; rates are frames a second as ``Fraction``; bit rates are bit/s; sizes
are bytes; picture sizes are pixels.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal, TypeAlias

Kind = Literal["video", "animation", "image", "subtitle", "sound"]
KINDS: tuple[Kind, ...] = ("video", "animation", "image", "subtitle", "sound")

GopStructure = Literal["closed", "closed-nonidr", "open", "gdr", "no-rap", "starts-mid-gop"]
ScanFlag = Literal["progressive", "tff", "bff", "interlaced", "mixed", "unspecified"]
ScanContent = Literal["progressive", "tff", "bff", "telecine", "undetermined"]
Scan = Literal["progressive", "interlaced", "telecine", "psf", "soft-telecine"]
RateMode = Literal["cfr", "vfr"]
ColourRange = Literal["limited", "full", "unspecified"]
HdrName = Literal["PQ", "HLG", "HDR10", "HDR10+", "Dolby Vision"]
EditList = Literal["none", "plain", "trims", "delays", "trims-and-delays"]

_IDENTIFYING = ("location", "device", "owner", "maker", "comment", "thumbnail")


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedFact:
    """One reader's word about one fact.

    ``fact`` is the dotted path of the fact (``video.gop.structure``), ``source`` who said it (``bitstream``,
    ``container``, ``pyav``, ``packets``, ``frames``, ``idet``, ``mediainfo``, ``pillow``), ``value`` what it said, as text.
    ``agrees`` is False where it contradicts the fact that was established from the other witnesses.
    """

    fact: str
    source: str
    value: str
    agrees: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownFact:
    """Why a fact is None: ``fact`` is its dotted path, ``reason`` one clause."""

    fact: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateItem:
    """One item of private metadata.

    kind   location, device, owner, maker, time, comment or thumbnail
    where  its box, tag or chunk
    """

    kind: str
    where: str

    @property
    def identifying(self) -> bool:
        """True if the item may reveal where, with what or by whom the file was made."""
        return self.kind in _IDENTIFYING


@dataclass(frozen=True, slots=True, kw_only=True)
class Gop:
    """Groups of pictures, from a pass over every packet in decode order.

    ``structure``: the worst verdict over all GOPs (ITU-T H.264 7.4.1.2.1, H.265 8.1.3). ``open_count`` and ``first_open``
    (seconds, presentation time of the RAP) tell where. Lengths are frames (two field pictures are one frame), RAP to RAP in decode
    order. ``keyframe_interval_max``: seconds between RAPs. ``reorder_depth``: the longest run of frames presented
    before a frame that was decoded earlier. ``starts_with_idr``: the first picture is IDR-like. ``nonidr_count``: RAPs that are not
    IDR. ``pattern``: the first GOPs as text, one letter a frame, ``|`` between GOPs, ``(``..``)`` around open ones,
    ``...+190`` where 190 more frames follow in one.
    """

    structure: GopStructure | None = None
    open_count: int | None = None
    first_open: Fraction | None = None
    nonidr_count: int | None = None
    starts_with_idr: bool | None = None
    count: int | None = None
    length_min: int | None = None
    length_mean: Fraction | None = None
    length_max: int | None = None
    keyframe_interval_max: Fraction | None = None
    reorder_depth: int | None = None
    pattern: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HdrFormat:
    """One HDR signalling: ``name`` is PQ, HLG, HDR10, HDR10+ or Dolby Vision; the profile and base-layer compatibility are Dolby
    Vision's.
    """

    name: HdrName
    profile: int | None = None
    compatibility: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Colour:
    """Colour tags by ffmpeg's names (``bt709``, ``bt2020``, ``smpte2084``, ``arib-std-b67``, ``smpte170m``); ``unspecified`` where the
    stream states nothing. ``range``: limited or full, ``unspecified`` where not stated. ``hdr``: empty tuple = none."""

    primaries: str | None = None
    transfer: str | None = None
    matrix: str | None = None
    range: ColourRange | None = None
    hdr: tuple[HdrFormat, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredSar:
    """A sample aspect ratio that the file states, and where: ``container`` (pasp, tkhd, Matroska display size) or ``bitstream`` (VUI,
    sequence header).
    """

    where: Literal["container", "bitstream"]
    value: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoStream:
    """The chosen picture track.

    codec             ffmpeg's name: h264, hevc, vp9, av1, mpeg2video, mpeg4, prores ...
    tag               the container's four characters: avc1, hvc1 ...
    profile, level    High, Main, Constrained Baseline ...; level as "4.1"
    pixel_format      ffmpeg's name; gray, not yuvj420p, where the SPS says 4:0:0
    chroma            4:2:0, 4:2:2, 4:4:4, 4:0:0, 4:1:1 or rgb
    bit_depth, alpha  bits a sample; an alpha plane
    width, height     decoded picture after the bitstream's crop, before SAR and rotation
    size_changes      the picture size changes in mid-stream
    clap              clean aperture box (left, top, width, height) in pixels where it cuts; () = none or whole picture
    sars              every SAR that is stated; () = none is stated, which counts as 1:1
    rotation          clockwise degrees to turn the decoded picture before it is shown: 0, 90, 180, 270
    mirrored          flipped left to right before that turn
    matrix_exact      False: the display matrix is none of the eight axis-aligned unit matrices
    frame_rate        nominal, snapped to NTSC values; frame_rate_average is (n-1)/(last-first)
    frame_rate_peak   the most frames in any one second; jitter_frames of them only by time-stamp jitter
    frame_rate_burst  the highest rate over 6 consecutive intervals
    frame_rate_declared  the base rate that the container or demuxer declares (r_frame_rate)
    rate_mode         cfr or vfr within the time base's tolerance
    timestamps        ok; missing (a raw stream); broken (not usable for rates: header rate was taken)
    scan              the verdict; scan_flags what stream and container say; scan_content what the picture shows (None: not looked at);
    parity            which field comes first in the picture's content: tff or bff
    start, duration   of what is presented; seconds; start counts from the earliest presented packet of any chosen track
    frame_count       frames presented; bit_rate is the payload's mean
    edit_list         what the edit list does to the picture: nothing, plain (no more than reordering delay), trims, delays
    faults            damage met in the packets, one clause each; () = none
    pixel_grid        whole factor by which pixel art was enlarged (1 = not)
    """

    codec: str | None = None
    tag: str | None = None
    profile: str | None = None
    level: str | None = None
    pixel_format: str | None = None
    chroma: str | None = None
    bit_depth: int | None = None
    alpha: bool | None = None
    width: int | None = None
    height: int | None = None
    size_changes: bool | None = None
    clap: tuple[int, ...] | None = None
    sars: tuple[DeclaredSar, ...] | None = None
    rotation: int | None = None
    mirrored: bool | None = None
    matrix_exact: bool | None = None
    frame_rate: Fraction | None = None
    frame_rate_average: Fraction | None = None
    frame_rate_peak: int | None = None
    jitter_frames: int | None = None
    frame_rate_burst: Fraction | None = None
    frame_rate_declared: Fraction | None = None
    rate_mode: RateMode | None = None
    timestamps: Literal["ok", "missing", "broken"] | None = None
    scan: Scan | None = None
    scan_flags: ScanFlag | None = None
    scan_content: ScanContent | None = None
    parity: Literal["tff", "bff"] | None = None
    gop: Gop = Gop()
    colour: Colour = Colour()
    start: Fraction | None = None
    duration: Fraction | None = None
    frame_count: int | None = None
    bit_rate: int | None = None
    edit_list: EditList | None = None
    faults: tuple[str, ...] | None = None
    pixel_grid: int | None = field(default=None, compare=False)
    reencode: bool = field(default=False, compare=False, metadata={"json": "anew"})
    payload: str | None = field(default=None, compare=False)

    @property
    def sar(self) -> Fraction | None:
        """The SAR that players apply: the container's, else the bitstream's, else 1; None where it could not be read."""
        if self.sars is None:
            return None
        by_place = {stated.where: stated.value for stated in self.sars}
        return by_place.get("container", by_place.get("bitstream", Fraction(1)))

    @property
    def display_size(self) -> tuple[int, int] | None:
        """Width and height as shown: after crop, SAR (the width is scaled) and rotation; None where a part is unknown."""
        size, sar = (self.width, self.height), self.sar
        if self.clap:
            size = self.clap[2], self.clap[3]
        width, height = size
        if width is None or height is None or sar is None or self.rotation is None:
            return None
        wide = round(width * sar)
        return (height, wide) if self.rotation in (90, 270) else (wide, height)


@dataclass(frozen=True, slots=True, kw_only=True)
class AudioStream:
    """The chosen sound track.

    profile       LC, HE-AAC, HE-AACv2, Main, LTP, LD, ELD, xHE-AAC for AAC, by all three witnesses (decoder, AudioSpecificConfig, frame
                  length); None where it could not be told; "" where the codec has no profiles
    sbr, ps       spectral band replication, parametric stereo: announced or present
    channels      as decoded; layout by ffmpeg's name (mono, stereo, 5.1(side)); "" unknown layout
    start, duration  of what is presented, seconds; bit_rate the payload's mean
    decodable     False: the track is encrypted or no frame of it decodes
    loudness      integrated, LUFS, as heard from one or two channels; loudness_range LU; true_peak dBTP; loudness_threshold LUFS, of the
                  gate (EBU R 128). Read only when a wish needs them; None also for silence
    anew          only in what a plan wants: the coded sound is made anew, not copied
    payload       sha256 over the coded units, free of framing; read when asked
    """

    codec: str | None = None
    tag: str | None = None
    profile: str | None = None
    sbr: bool | None = None
    ps: bool | None = None
    channels: int | None = None
    layout: str | None = None
    sample_rate: int | None = None
    bit_rate: int | None = None
    start: Fraction | None = None
    duration: Fraction | None = None
    decodable: bool | None = None
    loudness: float | None = None
    loudness_range: float | None = None
    true_peak: float | None = None
    loudness_threshold: float | None = None
    reencode: bool = field(default=False, compare=False, metadata={"json": "anew"})
    payload: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """Any track of the container: ``kind`` video, audio, subtitle, data, timecode, attachment or cover; ``chosen``: the one that is
    judged and kept.
    """

    index: int
    kind: str
    codec: str | None = None
    language: str | None = None
    default: bool | None = None
    chosen: bool = False
    encrypted: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """The wrapping.

    format        mp4, mov, 3gp, matroska, webm, mpegts, mpegps, avi, flv, asf, ogg, raw ... by content
    brand         the major brand of an ISO file, as written
    faststart     moov before mdat; fragmented: moof or mvex present. Both None where the format has no such thing
    duration_from_header   what the header claims; evidence only
    """

    format: str | None = None
    brand: str | None = None
    faststart: bool | None = None
    fragmented: bool | None = None
    duration_from_header: Fraction | None = None
    chapters: int | None = None
    tracks: tuple[Track, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _File:
    """What every kind has.

    name          for messages only
    size_bytes    of the file
    complete      True: the structure ends where it says; False: truncated or damaged (``incomplete_because``); None: the format cannot tell
    private       location, device, owner metadata; () = looked, none there
    witnesses, unknown   where facts come from, and why some are None
    sandbox       how the reading child was confined: strict, basic or none
    """

    name: str = field(default="", compare=False)
    size_bytes: int | None = None
    complete: bool | None = None
    incomplete_because: str | None = None
    private: tuple[PrivateItem, ...] | None = None
    reported_facts: tuple[ReportedFact, ...] = field(
        default=(), compare=False, metadata={"json": "witnesses"}
    )
    unknown: tuple[UnknownFact, ...] = field(default=(), compare=False)
    sandbox: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Video(_File):
    """A picture that moves, with or without sound. ``duration``: what is presented over picture and sound, seconds. ``audio`` None with
    ``audio_present`` False: there is none. ``shots``: seconds at which the shot changes; read only when a wish needs them. ``keyframes``:
    seconds at which an IDR is shown; () where every frame is one."""

    kind: Literal["video"] = "video"
    container: Container = Container()
    video: VideoStream = VideoStream()
    audio_present: bool | None = None
    audio: AudioStream | None = None
    duration: Fraction | None = None
    shots: tuple[Fraction, ...] | None = None
    keyframes: tuple[Fraction, ...] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sound(_File):
    """Sound alone: no picture that moves."""

    kind: Literal["sound"] = "sound"
    container: Container = Container()
    audio: AudioStream = AudioStream()
    duration: Fraction | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Animation(_File):
    """GIF, APNG, animated WebP or AVIF.

    format         gif, apng, webp, avif
    width, height  of the logical screen or canvas
    frame_count    whole frames; delays: as browsers play them, seconds each
    duration       one play, seconds
    loop           plays: 0 = for ever, n = n plays
    transparency   some pixel is transparent; disposals: set of disposal methods used, sorted
    pixel_grid     whole factor by which pixel art was enlarged (1 = not); read when a fix needs it
    anew           only in what a plan wants: its frames are encoded anew, not copied
    """

    kind: Literal["animation"] = "animation"
    format: str | None = None
    width: int | None = None
    height: int | None = None
    frame_count: int | None = None
    delays: tuple[Fraction, ...] | None = None
    duration: Fraction | None = None
    loop: int | None = None
    transparency: bool | None = None
    disposals: tuple[str, ...] | None = None
    trailing_bytes: int | None = None
    pixel_grid: int | None = None
    reencode: bool = field(default=False, compare=False, metadata={"json": "anew"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Image(_File):
    """A still.

    format        jpeg, png, gif, webp, heif, avif, tiff, bmp, psd, jpeg2000, ico ...
    width, height as displayed (after orientation); orientation: EXIF 1-8, 1 = upright
    mode          Pillow's mode; bit_depth bits a sample; alpha: some transparency channel
    profile       colour space: sRGB, Display P3, Adobe RGB, CMYK ...; "unspecified" = untagged
    pictures      pictures in the file (MPO, gain map: more than one)
    anew          only in what a plan wants: the coded picture is made anew, not copied
    payload       sha256 over the coded picture, free of metadata; read when asked
    least_bytes   bytes that are left at most when only the coded picture, its profile and its orientation are; None: it is never copied
    """

    kind: Literal["image"] = "image"
    format: str | None = None
    width: int | None = None
    height: int | None = None
    orientation: int | None = None
    mode: str | None = None
    bit_depth: int | None = None
    alpha: bool | None = None
    colour_space: str | None = None
    pictures: int | None = None
    gain_map: bool | None = None
    reencode: bool = field(default=False, compare=False, metadata={"json": "anew"})
    payload: str | None = field(default=None, compare=False)
    least_bytes: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """One subtitle cue: times in seconds (may be negative in a bad file), text as plain lines with SRT markup."""

    start: Fraction
    end: Fraction
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Subtitle(_File):
    """Captions: ``format`` srt, webvtt, ass; ``encoding`` as detected (utf-8, windows-1252 ...); ``clip_duration``: of the video that
    they go with, where one is given.
    """

    kind: Literal["subtitle"] = "subtitle"
    format: str | None = None
    encoding: str | None = None
    cues: tuple[Cue, ...] | None = None
    clip_duration: Fraction | None = field(default=None, compare=False)


Media: TypeAlias = Video | Animation | Image | Subtitle | Sound


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """The attachments of one post, in order."""

    attachments: tuple[Media, ...]


def fact(media: Media, path: str) -> Any:
    """The value at a dotted path such as ``video.gop.length_max``. Raises: AttributeError for a path that is not a fact."""
    value: Any = media
    for part in path.split("."):
        value = None if value is None else getattr(value, part)
    return value


def leaves(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every compared fact of a record as (dotted path, value); nested records are opened, tuples and scalars are leaves."""
    for item in dataclasses.fields(value):
        if not item.compare:
            continue
        inner = getattr(value, item.name)
        if dataclasses.is_dataclass(inner):
            yield from leaves(inner, f"{prefix}{item.name}.")
        else:
            yield f"{prefix}{item.name}", inner


def diff(before: Media, after: Media) -> tuple[tuple[str, Any, Any], ...]:
    """The facts that ``after`` claims otherwise than ``before``: (path, before, after). A None in ``after`` claims nothing."""
    old = dict(leaves(before))
    return tuple(
        (path, old.get(path), new)
        for path, new in leaves(after)
        if new is not None and old.get(path) != new
    )
