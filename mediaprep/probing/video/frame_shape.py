"""Size, orientation, sample aspect ratio and pixel format of the chosen video stream."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from mediaprep.model import containers
from mediaprep.model.media import DeclaredSar, VideoStream
from mediaprep.probing.bitstream.header import StreamHeader
from mediaprep.probing.formats.isotrack import IsoTrack
from mediaprep.probing.video import geometry
from mediaprep.probing.video.demuxed import DemuxedFile
from mediaprep.probing.video.sampling import DecodedFacts
from mediaprep.tools import pyav_frames
from mediaprep.tools.pyav_streams import StreamInfo

# Source formats 1 to 5 of ITU-T H.263, 4.1
H263_SIZES = frozenset({(128, 96), (176, 144), (352, 288), (704, 576), (1408, 1152)})


def with_shape(
    video: VideoStream,
    demuxed: DemuxedFile,
    info: StreamInfo,
    header: StreamHeader,
    decoded: DecodedFacts,
) -> VideoStream:
    """Return ``video`` with size, orientation, sample aspect ratios and pixel format.

    They come from a decoded frame, else (where these are reliable) from bitstream and boxes.
    """
    log, track = demuxed.log, demuxed.iso_track(info)
    coded_size = _coded_size(header)
    size = decoded.size or coded_size
    matrix = decoded.matrix
    if decoded.reason is not None:
        matrix = None if track is None else track.matrix
        if size is None:
            log.unknown_because("video.width", decoded.reason)
        if track is None:
            log.unknown_because("video.rotation", decoded.reason)
    size, clap = _clean_aperture(track, size, coded_size)
    for index, fact in enumerate(("video.width", "video.height")):
        if decoded.size is not None:
            log.report(fact, "frames", decoded.size[index], agrees=decoded.size == size)
        if coded_size is not None:
            log.report(fact, "bitstream", coded_size[index], agrees=coded_size == size)
    video = _with_pixel_format(video, demuxed, info, header, decoded)
    orientation = geometry.orientation(matrix)
    has_matrix = decoded.reason is None or track is not None
    return replace(
        video,
        width=None if size is None else size[0],
        height=None if size is None else size[1],
        clap=clap,
        sars=_sars(demuxed, info, header, track),
        rotation=orientation.rotation if has_matrix else None,
        mirrored=orientation.mirrored if has_matrix else None,
        matrix_exact=orientation.exact if has_matrix else None,
        pixel_grid=decoded.pixel_grid,
    )


def _coded_size(header: StreamHeader) -> tuple[int, int] | None:
    return (header.width, header.height) if header.width and header.height else None


def _clean_aperture(
    track: IsoTrack | None, size: tuple[int, int] | None, coded_size: tuple[int, int] | None
) -> tuple[tuple[int, int] | None, tuple[int, ...]]:
    """Return the size before the clean aperture, and the clean aperture.

    The decoder may have applied it already.
    """
    if track is None or track.clap is None or size is None:
        return size, ()
    whole = coded_size or size
    clap = geometry.clean_aperture(track.clap, *whole)
    return (whole if clap and clap[2:] == size else size), clap


def _with_pixel_format(
    video: VideoStream,
    demuxed: DemuxedFile,
    info: StreamInfo,
    header: StreamHeader,
    decoded: DecodedFacts,
) -> VideoStream:
    log, name = demuxed.log, decoded.pixel_format or info.pixel_format
    log.report("video.chroma", "bitstream", header.chroma)
    pixels = None
    if name is None:
        reason = decoded.reason or "the decoder does not report it"
        log.unknown_because("video.pixel_format", reason)
    else:
        name = geometry.grey_aware(name, header.chroma == "4:0:0")
        pixels = pyav_frames.pixel_format(name)
    return replace(
        video,
        pixel_format=name,
        chroma=header.chroma or (pixels.chroma if pixels else None),
        bit_depth=header.bit_depth or (pixels.bits if pixels else None),
        alpha=(pixels.alpha if pixels else False) or info.metadata.get("alpha_mode") == "1",
    )


def _sars(
    demuxed: DemuxedFile, info: StreamInfo, header: StreamHeader, track: IsoTrack | None
) -> tuple[DeclaredSar, ...]:
    """Return the sample aspect ratios that container and bitstream declare.

    PyAV falls back on the bitstream's ratio for the stream's. So that is the container's ratio only
    if it differs, or if the container has a field for it and filled it in.
    """
    container = info.container_sar
    bitstream = header.sar if header.width else info.bitstream_sar
    # H.261 and H.263 imply 12:11 for their sizes; it is not declared.
    if (info.width, info.height) in H263_SIZES and info.codec in ("h263", "h261"):
        bitstream = None
        if container == info.bitstream_sar:
            container = None
    declares_sar = containers.of(demuxed.sniffed.format).declares_sar
    if track is not None and track.pasp is not None and all(track.pasp):
        container = Fraction(*track.pasp)
    elif container == bitstream and declares_sar == "no":
        container = None
    # 16384:16383 is the rounding of a display aspect ratio in two 16-bit numbers.
    if declares_sar == "rounded" and container and round(container * info.width) == info.width:
        container = Fraction(1)
    demuxed.log.report("video.sars", "container", container)
    demuxed.log.report("video.sars", "bitstream", bitstream)
    return geometry.declared_sars(container, bitstream)
