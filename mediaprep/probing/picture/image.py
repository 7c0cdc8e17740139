"""Read the facts of a still image by its header. Only a deep probe decodes it."""

from __future__ import annotations

from mediaprep.errors import SourceUnreadable
from mediaprep.model.media import Image
from mediaprep.probing.identify import complete, private
from mediaprep.probing.identify.sniffed import Sniffed
from mediaprep.probing.picture.coded_picture import coded_picture
from mediaprep.probing.picture.image_headers import HeaderFacts, binary_file, read_header
from mediaprep.probing.reader_log import ReaderLog
from mediaprep.probing.request import ReadRequest
from mediaprep.runtime.source import Source
from mediaprep.tools import pillow


def read_image(source: Source, sniffed: Sniffed, request: ReadRequest) -> Image:
    """Return the facts of a still. Raises: SourceUnreadable if its header cannot be read."""
    log = ReaderLog()
    header = read_header(source, sniffed, request.max_pixels, log)
    _refuse_too_large(header, sniffed, request)
    is_complete, reason = header.complete or complete.completeness(source, sniffed)
    if is_complete is not False and request.deep:
        damage = _decoding_problem(source, sniffed, request)
        if damage is not None:
            is_complete, reason = False, damage
    items = private.private_items(source, sniffed)
    if items is None:
        log.unknown_because("private", f"metadata of {sniffed.format} is not supported")
    for name in ("width", "height", "mode", "colour_space"):
        if getattr(header, name) is None:
            log.unknown_because(name, "the header does not state it")
    coded = None
    if is_complete:
        coded = coded_picture(
            source,
            sniffed.format,
            profile_bytes=header.profile_bytes,
            digest=request.payload,
        )
    is_rotated = header.orientation >= 5  # by 90 degrees
    return Image(
        size_bytes=source.size_bytes,
        complete=is_complete,
        incomplete_because=reason,
        private=items,
        reported_facts=tuple(log.reported_facts),
        unknown=tuple(log.unknown),
        format=sniffed.format,
        width=header.height if is_rotated else header.width,
        height=header.width if is_rotated else header.height,
        orientation=header.orientation,
        mode=header.mode,
        bit_depth=header.bit_depth,
        alpha=header.alpha,
        colour_space=header.colour_space,
        pictures=header.pictures,
        gain_map=header.gain_map,
        least_bytes=None if coded is None else coded.least_bytes,
        payload=None if coded is None else coded.digest,
    )


def _refuse_too_large(header: HeaderFacts, sniffed: Sniffed, request: ReadRequest) -> None:
    """Raise SourceUnreadable if the picture has more pixels than are decoded."""
    if header.width is None or header.height is None:
        return
    pixels = header.width * header.height
    most = request.max_pixels * (pillow.DRAFT_FACTOR if sniffed.format == "jpeg" else 1)
    if pixels > most:
        raise SourceUnreadable(
            f"{header.width}x{header.height} ({pixels / 1e6:.0f} million pixels) exceeds the"
            f" {most / 1e6:.0f} million pixels that are decoded: make the picture smaller first"
        )


def _decoding_problem(source: Source, sniffed: Sniffed, request: ReadRequest) -> str | None:
    """Return why the picture does not decode; None if it does."""
    try:
        with pillow.opened(
            binary_file(source), sniffed.format, max_pixels=request.max_pixels
        ) as picture:
            if sniffed.format == "jpeg":
                # Every coded bit is still read; only an eighth of the pixels is computed.
                picture.draft(None, (1, 1))
            picture.load()
    except pillow.PictureUndecodable as problem:
        return f"it does not decode: {problem}"
    return None
