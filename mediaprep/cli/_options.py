"""The options that several commands share, as typer takes them; ``_repair_arguments`` parses those of a repair."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

LevelWord = Literal["must", "observed", "should"]


def _profile_names(incomplete: str) -> list[str]:
    from mediaprep.profile import bundled, own

    return [name for name in (*bundled(), *own()) if name.startswith(incomplete)]


Inputs = Annotated[
    list[str] | None,
    typer.Argument(metavar="INPUT...", help="Files; - reads stdin.", show_default=False),
]
ProfileName = Annotated[
    str | None,
    typer.Option(
        "-p",
        "--profile",
        metavar="PROFILE",
        help="Profile (twitter), placement (twitter/dm_video) or path of a profile.",
        autocompletion=_profile_names,
    ),
]
Category = Annotated[
    str | None,
    typer.Option(
        "--category",
        metavar="NAME",
        help="Media category, such as dm_video; else it is inferred from the content.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")]
FilesFrom = Annotated[
    str | None,
    typer.Option(
        "--files-from",
        metavar="FILE",
        help="Read names from a file, one a line or NUL-separated; - is stdin.",
    ),
]
Timeout = Annotated[
    float | None,
    typer.Option("--timeout", metavar="SECONDS", min=0.001, help="Stop after so many seconds."),
]
Post = Annotated[
    bool, typer.Option("--post", help="Judge all inputs as the attachments of one post, too.")
]
Captions = Annotated[
    str | None,
    typer.Option(
        "--captions",
        metavar="FILE",
        help="Captions (SRT, WebVTT, ASS) that go with the one video named.",
    ),
]

Trim = Annotated[
    str | None,
    typer.Option(
        "--trim",
        metavar="first|START-END",
        help="Keep what fits from the start, or a span such as 0:10-1:20.",
    ),
]
Split = Annotated[
    bool, typer.Option("--split", help="Cut what is too long into the fewest parts that fit.")
]
Snap = Annotated[
    str | None,
    typer.Option(
        "--snap",
        metavar="SECONDS",
        help="Let a trim move so far to a keyframe, so that nothing is re-encoded.",
    ),
]
Fit = Annotated[
    Literal["pad", "crop", "scale"] | None,
    typer.Option(
        "--fit", help="How a picture of forbidden shape is made to fit.", show_default="pad"
    ),
]
Rung = Annotated[
    str | None,
    typer.Option(
        "--rung", metavar="WxH", help="Row of the profile's table to aim at, such as 640x360."
    ),
]
To = Annotated[Literal["auto", "video", "gif", "image"], typer.Option("--to", help="Kind to make.")]
Quality = Annotated[
    Literal["fast", "default", "best", "hq"] | None,
    typer.Option("--quality", help="Encoding effort.", show_default="the profile's"),
]
Rate = Annotated[
    Literal["quality", "table"] | None,
    typer.Option(
        "--rate",
        help="Capped quality, or exactly the table's bit rate in two passes.",
        show_default="quality",
    ),
]
MaxSize = Annotated[
    str | None,
    typer.Option(
        "--max-size",
        metavar="SIZE",
        help="Stay at or under a size, such as 15MB (10^6 bytes each).",
    ),
]
Loudness = Annotated[
    str | None,
    typer.Option(
        "--loudness", metavar="LUFS", help="Bring the sound to this loudness, such as -14."
    ),
]
KeepMetadata = Annotated[
    bool | None,
    typer.Option(
        "--keep-metadata/--no-keep-metadata",
        help="Leave location, device and owner in.",
        show_default="removed",
    ),
]
SquarePixels = Annotated[
    bool,
    typer.Option(
        "--square-pixels", help="Take a stated pixel aspect ratio for wrong: pixels are square."
    ),
]
FrameRate = Annotated[
    str | None,
    typer.Option(
        "--frame-rate", metavar="N", help="Frame rate of a stream that carries no timing."
    ),
]
Encoder = Annotated[
    str | None,
    typer.Option(
        "--encoder", metavar="NAME", help="Video encoder, or auto.", show_default="libx264"
    ),
]
Measure = Annotated[
    bool, typer.Option("--measure", help="Measure the output's quality (VMAF) against the source.")
]
MinVmaf = Annotated[
    float | None,
    typer.Option(
        "--min-vmaf",
        metavar="N",
        min=0,
        max=100,
        help="Try to reach this quality within the limits.",
    ),
]
FixLevel = Annotated[
    LevelWord | None,
    typer.Option("--fix-level", help="Also fix findings of this level.", show_default="must"),
]
