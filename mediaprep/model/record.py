"""What was seen while an output was made and doubted: verify holds it against the plan."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiedStream:
    """One stream that was copied: ``track`` video or audio, digests of the coded payload in source and output (None = unread)."""

    track: str
    source_digest: str | None
    output_digest: str | None = field(metadata={"json": "made_digest"})


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityMeasurement:
    """How near an encoded picture is to its source brought to the same size, rate and colours, frame by frame: ``metric`` VMAF (0 to 100)
    or XPSNR (dB, luma), its mean over all frames, and over the worst 5 % of them."""

    metric: str
    mean: float
    worst: float
    frames: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationRecord:
    """
    frames_decoded    pictures that a full decode of the output gave; None = it was not decoded (nothing was encoded)
    decode_errors     what that decode complained of, one line each
    copied            the streams that were copied
    source_unchanged  the source's size, times and inode are those it was opened with
    source_sha256     of the source as it was read
    argv              the command lines that made it
    sandbox           the level that the children ran under
    measured          likeness of an encoded picture to its source, where asked for
    notes             what was done otherwise than asked, one line each
    ssim, quality     of a still that was coded anew: similarity of luma to the upright source (0 to 1); of JPEG or WebP, None: lossless
    """

    frames_decoded: int | None = None
    decode_errors: tuple[str, ...] = ()
    copied: tuple[CopiedStream, ...] = ()
    source_unchanged: bool = True
    source_sha256: str | None = None
    argv: tuple[tuple[str, ...], ...] = ()
    sandbox: str | None = None
    measured: QualityMeasurement | None = None
    notes: tuple[str, ...] = ()
    ssim: float | None = None
    quality: int | None = None
