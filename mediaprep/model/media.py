"""The facts of a file: frozen values that probe reads, check judges, plan changes, verify compares.

``None`` means "no claim": the probe could not read the fact (``unknown`` has the reason), or the
plan leaves it open. It never means zero or absence, which are an empty tuple, ``False`` or a name.
Times are seconds and rates frames per second, both as exact ``Fraction``; bit rates are bit/s, file
sizes bytes, picture sizes pixels.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal, TypeAlias, get_args

Kind = Literal["video", "animation", "image", "subtitle", "sound"]
KINDS: tuple[Kind, ...] = get_args(Kind)

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
    """A fact as one reader reports it.

    fact    dotted path of the fact, such as ``video.gop.structure``
    source  the reader: ``bitstream``, ``container``, ``pyav``, ``packets``, ``frames``, ``idet``,
            ``mediainfo`` or ``pillow``
    value   the reported value as text
    agrees  False: it contradicts the fact that was established from all readers
    """

    fact: str
    source: str
    value: str
    agrees: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownFact:
    """The reason, one clause, why the fact at a dotted path is None."""

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
    """The groups of pictures, from a pass over every packet in decode order.

    RAP: random access point. Lengths are frames (two field pictures are one frame) from RAP to RAP.

    structure       the worst structure of all groups (ITU-T H.264 7.4.1.2.1, H.265 8.1.3)
    open_count      open groups; first_open: presentation time of the first one's RAP, seconds
    nonidr_count    RAPs that are not IDR
    starts_with_idr the first picture is IDR or equivalent
    count           groups
    keyframe_interval_max  longest time between two RAPs, seconds
    reorder_depth   longest run of frames presented before a frame that was decoded earlier
    pattern         the first groups as text: one letter per frame, ``|`` between groups,
                    parentheses around open ones, ``...+190`` for 190 more frames in a group
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
    """One kind of HDR signalling; only Dolby Vision has a profile and base-layer compatibility."""

    name: HdrName
    profile: int | None = None
    compatibility: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Colour:
    """Colour tags, by ffmpeg's names (``bt709``, ``bt2020``, ``smpte2084``, ``arib-std-b67``, ...).

    ``unspecified``: the stream declares nothing. ``hdr``: () = no HDR signalling.
    """

    primaries: str | None = None
    transfer: str | None = None
    matrix: str | None = None
    range: ColourRange | None = None
    hdr: tuple[HdrFormat, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredSar:
    """A sample aspect ratio (SAR) that the file declares.

    where  ``container`` (pasp, tkhd, Matroska display size) or ``bitstream`` (VUI, sequence header)
    """

    where: Literal["container", "bitstream"]
    value: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoStream:
    """The selected video track.

    codec             ffmpeg's name: h264, hevc, vp9, av1, mpeg2video, mpeg4, prores, ...
    tag               the four-character code in the container: avc1, hvc1, ...
    profile, level    High, Main, Constrained Baseline, ...; the level as "4.1"
    pixel_format      ffmpeg's name; gray, not yuvj420p, if the SPS declares 4:0:0
    chroma            4:2:0, 4:2:2, 4:4:4, 4:0:0, 4:1:1 or rgb
    bit_depth, alpha  bits per sample; presence of an alpha plane
    width, height     decoded picture after the crop of the bitstream, before SAR and rotation
    size_changes      the picture size changes within the stream
    clap              clean aperture (left, top, width, height) in pixels; () = none, or the whole
                      picture
    sars              every declared SAR; () = none, which counts as 1:1
    rotation          degrees clockwise to turn the decoded picture for display: 0, 90, 180, 270
    mirrored          flipped left to right before that rotation
    matrix_exact      False: the display matrix is not one of the eight axis-aligned unit matrices
    frame_rate        nominal, snapped to NTSC values
    frame_rate_average   (n - 1) / (last - first timestamp)
    frame_rate_peak   the most frames within any one second; jitter_frames: how many of them are
                      there only because of timestamp jitter
    frame_rate_burst  the highest rate over 6 consecutive intervals
    frame_rate_declared  the base rate that the container or demuxer declares (r_frame_rate)
    rate_mode         cfr or vfr, within the tolerance of the time base
    timestamps        ok; missing (a raw stream); broken (unusable: the rate is the header's)
    scan              the verdict; scan_flags: declared by stream and container; scan_content:
                      detected in pictures (None: not examined)
    parity            the field that comes first in the pictures: tff or bff
    start, duration   presented, in seconds; start counts from the earliest presented packet of any
                      selected track
    frame_count       presented frames; bit_rate: mean of the payload
    edit_list         effect of the edit list: none, plain (it only compensates for the reordering
                      delay), trims, delays
    faults            damage found in the packets, one clause each; () = none
    pixel_grid        whole factor by which pixel art was enlarged (1 = not enlarged)
    reencode          only in a planned target: the picture is encoded, not copied
    payload           SHA-256 of the coded units without framing; read on request
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
        """The SAR that players apply: of the container, else of the bitstream, else 1."""
        if self.sars is None:
            return None
        by_place = {declared.where: declared.value for declared in self.sars}
        return by_place.get("container", by_place.get("bitstream", Fraction(1)))

    @property
    def display_size(self) -> tuple[int, int] | None:
        """Width and height as displayed: after crop, SAR (which scales the width) and rotation.

        None if a part is unknown.
        """
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
    """The selected audio track.

    profile          for AAC: LC, HE-AAC, HE-AACv2, Main, LTP, LD, ELD or xHE-AAC, established from
                     the decoder, the AudioSpecificConfig and the frame length; None: unknown;
                     "": the codec has no profiles
    sbr, ps          spectral band replication and parametric stereo: signalled or present
    channels         as decoded
    layout           ffmpeg's name (mono, stereo, 5.1(side)); "": unknown layout
    start, duration  presented, in seconds; bit_rate: mean of the payload
    decodable        False: the track is encrypted, or no frame of it decodes
    loudness         integrated, LUFS; loudness_range: LU; true_peak: dBTP; loudness_threshold: LUFS
                     of the gate (EBU R 128), measured on the sound as played on one or two
                     channels, and only if an option needs it; None also for silence
    reencode         only in a planned target: the sound is encoded, not copied
    payload          SHA-256 of the coded units without framing; read on request
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
    """Any track of the container.

    kind    video, audio, subtitle, data, timecode, attachment or cover
    chosen  it is the selected track of its kind, which rules judge and outputs keep
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
    """The container.

    format       mp4, mov, 3gp, matroska, webm, mpegts, mpegps, avi, flv, asf, ogg, raw, ...,
                 detected from the content
    brand        the major brand of an ISO file, as written
    faststart    the moov box comes before mdat; fragmented: there is a moof or mvex box. None: the
                 format has no such boxes
    duration_from_header  the declared duration; a hint only
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
    """The facts that every kind of file has.

    name        for messages only
    size_bytes  of the file
    complete    True: the structure ends where it declares; False: truncated or damaged (reason:
                ``incomplete_because``); None: the format has no such mark
    private     private metadata; () = searched, none found
    reported_facts, unknown  the reports of the readers, and the reasons why facts are None
    sandbox     how the reading child was confined: strict, basic or none
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
    """A video with or without sound.

    audio_present  False: there is no sound, and ``audio`` is None
    duration       presented time of picture and sound together, seconds
    shots          times at which the shot changes, seconds; read only if an option needs them
    keyframes      times at which an IDR picture is shown, seconds; () = every frame is one
    """

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
    """Audio without video."""

    kind: Literal["sound"] = "sound"
    container: Container = Container()
    audio: AudioStream = AudioStream()
    duration: Fraction | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Animation(_File):
    """A GIF, an APNG, an animated WebP or an animated AVIF.

    format         gif, apng, webp, avif
    width, height  of the logical screen or canvas
    frame_count    whole frames; delays: seconds that browsers show each one
    duration       of one play, seconds
    loop           plays: 0 = endless, n = n plays
    transparency   some pixel is transparent
    disposals      the disposal methods in use, sorted
    pixel_grid     whole factor by which pixel art was enlarged (1 = not enlarged); read if a fix
                   needs it
    reencode       only in a planned target: the frames are encoded, not copied
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
    """A still image.

    format         jpeg, png, gif, webp, heif, avif, tiff, bmp, psd, jpeg2000, ico, ...
    width, height  as displayed, after the orientation
    orientation    EXIF 1 to 8, 1 = upright
    mode           Pillow's mode; bit_depth: bits per sample; alpha: it has some transparency
    colour_space   sRGB, Display P3, Adobe RGB, CMYK, ...; "unspecified" = untagged
    pictures       pictures in the file (more than one in an MPO, or with a gain map)
    reencode       only in a planned target: the picture is encoded, not copied
    payload        SHA-256 of the coded picture without metadata; read on request
    least_bytes    upper bound of the file size if only the coded picture, its colour profile and
                   its orientation are kept; None: the picture is never copied
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
    """One cue: times in seconds (possibly negative in an invalid file), text with SRT markup."""

    start: Fraction
    end: Fraction
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Subtitle(_File):
    """A caption file.

    format         srt, webvtt or ass
    encoding       as detected: utf-8, windows-1252, ...
    clip_duration  duration of the video that the captions belong to, if one is given
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
    """Return the value at a dotted path such as ``video.gop.length_max``.

    Raises: AttributeError for a path that is not a fact.
    """
    value: Any = media
    for part in path.split("."):
        value = None if value is None else getattr(value, part)
    return value


def leaves(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every compared fact of a record as (dotted path, value).

    Nested records are opened; tuples are leaves, as all other values.
    """
    for item in dataclasses.fields(value):
        if not item.compare:
            continue
        inner = getattr(value, item.name)
        if dataclasses.is_dataclass(inner):
            yield from leaves(inner, f"{prefix}{item.name}.")
        else:
            yield f"{prefix}{item.name}", inner


def diff(before: Media, after: Media) -> tuple[tuple[str, Any, Any], ...]:
    """Return the facts in which ``after`` differs from ``before``: (path, before, after).

    A None in ``after`` makes no claim and does not differ.
    """
    old = dict(leaves(before))
    return tuple(
        (path, old.get(path), new)
        for path, new in leaves(after)
        if new is not None and old.get(path) != new
    )
