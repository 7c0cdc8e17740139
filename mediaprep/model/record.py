"""What was recorded while an output was made: verify compares it with the plan."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class CopiedStream:
    """A stream that was copied, with digests of its coded payload; None: not read.

    track  video, audio or image
    """

    track: str
    source_digest: str | None
    output_digest: str | None = field(metadata={"json": "made_digest"})


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityMeasurement:
    """The similarity of an encoded video to its source at the same size, rate and colours.

    metric  VMAF (0 to 100) or XPSNR (dB, luma)
    mean    over all frames
    worst   mean over the worst 5 % of the frames
    """

    metric: str
    mean: float
    worst: float
    frames: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationRecord:
    """How one output was made and verified.

    frames_decoded    frames of a full decode of the output; None: nothing was encoded, so it was
                      not decoded
    decode_errors     errors of that decode, one line each
    copied            the streams that were copied
    source_unchanged  the source still has the size, times and inode that it was opened with
    argv              the command lines that were run
    sandbox           how the children were confined
    measured          similarity of an encoded video to its source, if requested
    notes             deviations from what was requested, one line each
    ssim              of an encoded still image: similarity to the upright source (luma, 0 to 1)
    quality           of an encoded still image: JPEG or WebP quality; None: lossless
    """

    frames_decoded: int | None = None
    decode_errors: tuple[str, ...] = ()
    copied: tuple[CopiedStream, ...] = ()
    source_unchanged: bool = True
    argv: tuple[tuple[str, ...], ...] = ()
    sandbox: str | None = None
    measured: QualityMeasurement | None = None
    notes: tuple[str, ...] = ()
    ssim: float | None = None
    quality: int | None = None
