"""What this host has for the work: programs, libraries, protections and the configuration in force."""

from __future__ import annotations

import platform
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from mediaprep.config import Settings
from mediaprep.errors import EnvironmentProblem, ProfileError, ToolError
from mediaprep.runtime import process, sandbox
from mediaprep.runtime.command import Command
from mediaprep.runtime.context import Context
from mediaprep.tools import ffmpeg_program, libraries

Status = Literal["ok", "warn", "fail"]
NEEDED_ENCODERS = ("libx264", "aac")
NEEDED_FILTERS = ("scale", "crop", "pad", "transpose", "fps", "aresample", "bwdif", "tpad")
WANTED_ENCODERS = ("libwebp", "gif")
WANTED_FILTERS = (
    "zscale",
    "tonemap",
    "libvmaf",
    "palettegen",
    "paletteuse",
    "loudnorm",
    "fieldmatch",
)
HARDWARE = ("h264_nvenc", "h264_qsv", "h264_amf", "h264_videotoolbox")
BUNDLED = "imageio-ffmpeg"


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorItem:
    """One thing that was looked at: ``fail`` means that work cannot be done here, ``warn`` that some of it cannot; ``facts`` are for
    programs."""

    name: str
    status: Status
    words: str
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """All items, in the order they are shown."""

    items: tuple[DoctorItem, ...]

    @property
    def healthy(self) -> bool:
        """Nothing that the work needs is missing."""
        return all(item.status != "fail" for item in self.items)


def examine(settings: Settings, context: Context) -> Diagnosis:
    """Look at everything. Starts ffmpeg a few times, and nothing else. Raises: Cancelled, DeadlineExceeded."""
    return Diagnosis(
        items=(
            _python(),
            *_ffmpeg(settings, context),
            *_libraries(),
            _module(),
            _sandbox(context),
            *_profiles(),
            *_settings(settings),
        )
    )


def _python() -> DoctorItem:
    from mediaprep import __version__

    words = f"mediaprep {__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}"
    status: Status = "ok" if sys.platform in ("linux", "darwin") else "fail"
    return DoctorItem(
        name="mediaprep",
        status=status,
        words=words if status == "ok" else f"{words}: tools are started on Linux and macOS only",
        facts={
            "version": __version__,
            "python": platform.python_version(),
            "system": platform.system(),
            "machine": platform.machine(),
        },
    )


def _ffmpeg(settings: Settings, context: Context) -> tuple[DoctorItem, ...]:
    try:
        binary = ffmpeg_program.locate(context.ffmpeg)
        can = ffmpeg_program.capabilities(binary, context)
    except (EnvironmentProblem, ToolError) as problem:
        return (DoctorItem(name="ffmpeg", status="fail", words=str(problem)),)
    source = _source(binary, settings, context)
    facts: dict[str, Any] = {"path": binary, "source": source, "version": can.version}
    lacking = [n for n in NEEDED_ENCODERS if n not in can.encoders] + [
        n for n in NEEDED_FILTERS if n not in can.filters
    ]
    missing = [n for n in WANTED_ENCODERS if n not in can.encoders] + [
        n for n in WANTED_FILTERS if n not in can.filters
    ]
    facts |= {"needed_missing": lacking, "wanted_missing": missing}
    have = [
        n
        for n in ("libx264", "aac", "zscale", "libvmaf", "palettegen")
        if n in can.encoders | can.filters
    ]
    words = f"ffmpeg {can.version} {source}, {binary}; has {' '.join(have)}"
    if lacking:
        words += f"; lacks {' '.join(lacking)}, without which nothing can be encoded: use the bundled one"
    elif missing:
        words += f"; lacks {' '.join(missing)}: what needs them is refused or done more simply"
    status: Status = "fail" if lacking else "warn" if missing else "ok"
    return (
        DoctorItem(name="ffmpeg", status=status, words=words, facts=facts),
        _encoders(binary, can, context),
    )


def _source(binary: str, settings: Settings, context: Context) -> str:
    """Where the binary was named: ``bundled (imageio-ffmpeg 0.8.1)``, ``from PATH``, or the option, variable or file."""
    if context.ffmpeg is not None:
        origin = (
            settings.origins["ffmpeg"]
            if settings.values["ffmpeg"] == context.ffmpeg
            else "--ffmpeg"
        )
        return f"from {origin}"
    if "imageio_ffmpeg" in Path(binary).parts:
        return f"bundled ({BUNDLED} {libraries.version(BUNDLED)})"
    return "from PATH"


def _encoders(binary: str, can: ffmpeg_program.Capabilities, context: Context) -> DoctorItem:
    """Which encoders of the hardware answer a test encode of one frame."""
    compiled = [name for name in HARDWARE if name in can.encoders]
    answering = [name for name in compiled if _answers(binary, name, context)]
    if answering:
        words = f"encoders libx264, and of this hardware {' '.join(answering)} (--encoder NAME)"
    elif compiled:
        words = f"encoder libx264; {' '.join(compiled)} compiled in, but no device answered a test encode of one frame"
    else:
        words = "encoder libx264; none for hardware is compiled in"
    return DoctorItem(
        name="encoders",
        status="ok",
        words=words,
        facts={"software": ["libx264"], "hardware": answering, "compiled_in": compiled},
    )


def _answers(binary: str, encoder: str, context: Context) -> bool:
    argv = (
        binary, "-hide_banner", "-nostdin", "-v", "error", "-f", "lavfi", "-i", "color=size=256x256:rate=1:duration=1",
        "-c:v", encoder, "-frames:v", "1", "-f", "null", "-",
    )  # fmt: skip
    try:
        process.run(Command(argv=argv, what=f"try {encoder}", seconds=10), context)
    except ToolError:
        return False
    return True


def _libraries() -> tuple[DoctorItem, ...]:
    items: list[DoctorItem] = []
    for library in libraries.required():
        facts = {"version": library.version, "says": library.details}
        if library.version is None:
            items.append(
                DoctorItem(
                    name=library.name,
                    status="fail",
                    words=f"{library.name}: {library.problem}",
                    facts=facts,
                )
            )
        else:
            words = f"{library.name} {library.version}" + (
                f" ({library.details})" if library.details else ""
            )
            items.append(DoctorItem(name=library.name, status="ok", words=words, facts=facts))
    return tuple(items)


def _module() -> DoctorItem:
    """Other distributions also install a top-level ``ffmpeg``; with two of them ``import ffmpeg`` fails or is the wrong one."""
    found = libraries.owners("ffmpeg")
    facts = {"owners": list(found)}
    if found == ("ffmpeg-python",):
        words = f"module ffmpeg belongs to ffmpeg-python {libraries.version('ffmpeg-python')}"
        return DoctorItem(name="module ffmpeg", status="ok", words=words, facts=facts)
    others = [name for name in found if name != "ffmpeg-python"]
    remedy = (
        f"pip uninstall {' '.join(others)}; " if others else ""
    ) + "pip install --force-reinstall ffmpeg-python"
    words = f"module ffmpeg belongs to {' and '.join(found) or 'nobody'}, want ffmpeg-python alone: {remedy}"
    return DoctorItem(name="module ffmpeg", status="fail", words=words, facts=facts)


def _sandbox(context: Context) -> DoctorItem:
    report = sandbox.available()
    facts = {
        "available": report.level,
        "asked": context.sandbox,
        "landlock_abi": report.landlock_abi,
        "seccomp": report.seccomp,
        "bubblewrap": report.bubblewrap,
        "reasons": list(report.reasons),
    }
    try:
        level = sandbox.resolve_level(context.sandbox)
    except EnvironmentProblem as problem:
        return DoctorItem(name="sandbox", status="fail", words=str(problem), facts=facts)
    means = {"strict": "Landlock, seccomp and limits", "basic": "limits only", "none": "nothing"}[
        level
    ]
    words = f"sandbox: {level} ({means})" + (
        f"; {'; '.join(report.reasons)}" if report.reasons else ""
    )
    return DoctorItem(
        name="sandbox",
        status="ok" if level == "strict" else "warn",
        words=words,
        facts=facts | {"level": level},
    )


def _profiles() -> tuple[DoctorItem, ...]:
    from mediaprep import profile

    items: list[DoctorItem] = []
    good: list[str] = []
    for name in (*profile.bundled(), *profile.own()):
        try:
            profile.find_profile(name)
        except ProfileError as problem:
            status: Status = "fail" if name == profile.DEFAULT else "warn"
            items.append(
                DoctorItem(
                    name=f"profile {name}",
                    status=status,
                    words=f"profile {name}: {problem.problems[0]}",
                )
            )
        else:
            good.append(name)
    facts = {
        "names": good,
        "folder": str(profile.folder()),
        "own_folder": str(profile.own_folder()),
    }
    return (
        DoctorItem(name="profiles", status="ok", words=f"profiles: {' '.join(good)}", facts=facts),
        *items,
    )


def _settings(settings: Settings) -> tuple[DoctorItem, ...]:
    said = {
        key: {"value": value, "origin": settings.origins[key]}
        for key, value in settings.values.items()
    }
    named = [
        f"{key} = {entry['value']} ({entry['origin']})"
        for key, entry in said.items()
        if entry["origin"] != "default"
    ]
    files = ", ".join(settings.files) or "no configuration file"
    words = f"configuration: {files}; " + (
        "; ".join(named) if named else "every setting has its default"
    )
    return (
        DoctorItem(
            name="configuration",
            status="ok",
            words=words,
            facts={"files": list(settings.files), "settings": said},
        ),
    )
