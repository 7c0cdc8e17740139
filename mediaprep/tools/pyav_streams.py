"""Describe the streams of a container that PyAV opened."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

_DEFAULT, _ATTACHED_PICTURE = 0x1, 0x400  # AV_DISPOSITION_ flags
_NO_LANGUAGES = (None, "", "und")


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamInfo:
    """One stream as the demuxer describes it.

    Times are in seconds, colour values are ITU-T H.273 codes; None = not stated. ``tag`` is the
    container's four characters, ``cover`` marks an attached picture.
    """

    index: int
    id: int
    kind: str
    codec: str | None = None
    tag: str | None = None
    profile: str | None = None
    language: str | None = None
    default: bool = False
    cover: bool = False
    metadata: dict[str, str] = field(default_factory=dict)
    time_base: Fraction | None = None
    start: Fraction | None = None
    duration: Fraction | None = None
    extradata: bytes = b""
    width: int = 0
    height: int = 0
    pixel_format: str | None = None
    average_rate: Fraction | None = None
    declared_rate: Fraction | None = None
    container_sar: Fraction | None = None
    bitstream_sar: Fraction | None = None
    field_order: int = 0
    primaries: int = 2
    transfer: int = 2
    matrix: int = 2
    range: int = 0
    channels: int | None = None
    layout: str | None = None
    sample_rate: int | None = None


def stream_info(stream: Any) -> StreamInfo:
    """Describe one of PyAV's streams."""
    context, base = stream.codec_context, stream.time_base
    disposition = int(stream.disposition)
    fields: dict[str, Any] = {
        "index": stream.index,
        "id": stream.id,
        "kind": str(stream.type),
        "language": None if stream.language in _NO_LANGUAGES else stream.language,
        "default": bool(disposition & _DEFAULT),
        "cover": bool(disposition & _ATTACHED_PICTURE),
        "metadata": dict(stream.metadata),
        "time_base": base,
        "start": stream.start_time * base if stream.start_time is not None and base else None,
        "duration": stream.duration * base if stream.duration is not None and base else None,
    }
    if context is not None:
        fields |= {
            "codec": context.codec.canonical_name or None,
            "tag": _tag(context),
            "profile": _profile(stream, context),
            "extradata": context.extradata or b"",
        }
        if stream.type == "video":
            fields |= _video_fields(stream, context)
        elif stream.type == "audio":
            fields |= {
                "channels": context.channels or None,
                "layout": layout_name(context.layout),
                "sample_rate": context.sample_rate or None,
            }
    return StreamInfo(**fields)


def layout_name(layout: Any) -> str:
    """Return ffmpeg's name of a channel layout; "" if it only counts the channels."""
    name = str(layout.name)
    return "" if "channels" in name else name


def _tag(context: Any) -> str | None:
    """Return the container's four characters; None if they are a number (AVI: 0x00ff is AAC)."""
    try:
        tag = str(context.codec_tag)
    except UnicodeDecodeError:
        return None
    return tag.strip() if tag.strip() and tag.isprintable() else None


def _profile(stream: Any, context: Any) -> str | None:
    profile = getattr(stream, "profile", None) or context.profile
    return None if profile is None else str(profile)


def _video_fields(stream: Any, context: Any) -> dict[str, Any]:
    return {
        "width": context.width,
        "height": context.height,
        "pixel_format": context.pix_fmt,
        "average_rate": stream.average_rate,
        "declared_rate": stream.base_rate,
        "container_sar": stream.sample_aspect_ratio,
        "bitstream_sar": context.sample_aspect_ratio,
        "field_order": int(context.field_order),
        "primaries": int(context.color_primaries),
        "transfer": int(context.color_trc),
        "matrix": int(context.colorspace),
        "range": int(context.color_range),
    }
