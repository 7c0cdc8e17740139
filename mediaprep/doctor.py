"""Examine this host: programs, libraries, the sandbox, profiles, and the settings in force."""

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
REQUIRED_ENCODERS = ("libx264", "aac")
REQUIRED_FILTERS = ("scale", "crop", "pad", "transpose", "fps", "aresample", "bwdif", "tpad")
OPTIONAL_ENCODERS = ("libwebp", "gif")
OPTIONAL_FILTERS = (
    "zscale",
    "tonemap",
    "libvmaf",
    "palettegen",
    "paletteuse",
    "loudnorm",
    "fieldmatch",
)
HARDWARE_ENCODERS = ("h264_nvenc", "h264_qsv", "h264_amf", "h264_videotoolbox")
_NAMED = ("libx264", "aac", "zscale", "libvmaf", "palettegen")  # in the line about ffmpeg
_BUNDLED = "imageio-ffmpeg"
_MECHANISMS = {"strict": "Landlock, seccomp and limits", "basic": "limits only", "none": "nothing"}


@dataclass(frozen=True, slots=True, kw_only=True)
class DoctorItem:
    """The result of examining one part of the host.

    status    ok; warn: some files cannot be processed; fail: nothing can be processed
    message   one line
    facts     the details, for programs
    """

    name: str
    status: Status
    message: str
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """All items, in the order in which they are shown."""

    items: tuple[DoctorItem, ...]

    @property
    def healthy(self) -> bool:
        """Return True if nothing required is missing."""
        return all(item.status != "fail" for item in self.items)


def examine(settings: Settings, context: Context) -> Diagnosis:
    """Examine this host; it starts ffmpeg several times. Raises: Cancelled, DeadlineExceeded."""
    return Diagnosis(
        items=(
            _python(),
            *_ffmpeg(settings, context),
            *_libraries(),
            _module(),
            _sandbox(context),
            *_profiles(),
            _configuration(settings),
        )
    )


def _python() -> DoctorItem:
    from mediaprep import __version__

    facts = {
        "version": __version__,
        "python": platform.python_version(),
        "system": platform.system(),
        "machine": platform.machine(),
    }
    message = "mediaprep {version}, Python {python}, {system} {machine}".format_map(facts)
    if sys.platform in ("linux", "darwin"):
        return DoctorItem(name="mediaprep", status="ok", message=message, facts=facts)
    message += ": unsupported; tools run on Linux and macOS only"
    return DoctorItem(name="mediaprep", status="fail", message=message, facts=facts)


def _ffmpeg(settings: Settings, context: Context) -> tuple[DoctorItem, ...]:
    try:
        binary = ffmpeg_program.locate(context.ffmpeg)
        capabilities = ffmpeg_program.capabilities(binary, context)
    except (EnvironmentProblem, ToolError) as problem:
        return (DoctorItem(name="ffmpeg", status="fail", message=str(problem)),)
    origin = _origin(binary, settings, context)
    required = _missing(capabilities, REQUIRED_ENCODERS, REQUIRED_FILTERS)
    optional = _missing(capabilities, OPTIONAL_ENCODERS, OPTIONAL_FILTERS)
    present = [name for name in _NAMED if name in capabilities.encoders | capabilities.filters]
    message = f"ffmpeg {capabilities.version} {origin}, {binary}; has {' '.join(present)}"
    status: Status = "ok"
    if required:
        status = "fail"
        message += f"; lacks {' '.join(required)}, which are required: use the bundled binary"
    elif optional:
        status = "warn"
        message += f"; lacks {' '.join(optional)}: files that need them are refused or simplified"
    facts = {
        "path": binary,
        "source": origin,
        "version": capabilities.version,
        "needed_missing": required,
        "wanted_missing": optional,
    }
    return (
        DoctorItem(name="ffmpeg", status=status, message=message, facts=facts),
        _encoders(binary, capabilities, context),
    )


def _missing(
    capabilities: ffmpeg_program.Capabilities, encoders: tuple[str, ...], filters: tuple[str, ...]
) -> list[str]:
    return [
        *(name for name in encoders if name not in capabilities.encoders),
        *(name for name in filters if name not in capabilities.filters),
    ]


def _origin(binary: str, settings: Settings, context: Context) -> str:
    """Return ``bundled (imageio-ffmpeg 0.8.1)``, ``from PATH``, or the source of the setting."""
    if context.ffmpeg is not None:
        named_by_setting = settings.values["ffmpeg"] == context.ffmpeg
        return f"from {settings.origins['ffmpeg'] if named_by_setting else '--ffmpeg'}"
    if "imageio_ffmpeg" in Path(binary).parts:
        return f"bundled ({_BUNDLED} {libraries.version(_BUNDLED)})"
    return "from PATH"


def _encoders(
    binary: str, capabilities: ffmpeg_program.Capabilities, context: Context
) -> DoctorItem:
    """Test which hardware encoders can encode one frame."""
    compiled = [name for name in HARDWARE_ENCODERS if name in capabilities.encoders]
    working = [name for name in compiled if _encodes_one_frame(binary, name, context)]
    message = "encoder libx264; no hardware encoder is compiled in"
    if working:
        message = f"encoders libx264 and, in hardware, {' '.join(working)} (--encoder NAME)"
    elif compiled:
        message = f"encoder libx264; {' '.join(compiled)} are compiled in, but no device works"
    return DoctorItem(
        name="encoders",
        status="ok",
        message=message,
        facts={"software": ["libx264"], "hardware": working, "compiled_in": compiled},
    )


def _encodes_one_frame(binary: str, encoder: str, context: Context) -> bool:
    source = ("-f", "lavfi", "-i", "color=size=256x256:rate=1:duration=1")
    target = ("-c:v", encoder, "-frames:v", "1", "-f", "null", "-")
    argv = (binary, "-hide_banner", "-nostdin", "-v", "error", *source, *target)
    try:
        process.run(Command(argv=argv, what=f"try {encoder}", seconds=10), context)
    except ToolError:
        return False
    return True


def _libraries() -> tuple[DoctorItem, ...]:
    items = []
    for library in libraries.required():
        status: Status = "ok"
        details = f" ({library.details})" if library.details else ""
        message = f"{library.name} {library.version}{details}"
        if library.version is None:
            status, message = "fail", f"{library.name}: {library.problem}"
        facts = {"version": library.version, "says": library.details}
        items.append(DoctorItem(name=library.name, status=status, message=message, facts=facts))
    return tuple(items)


def _module() -> DoctorItem:
    """Check that the module ``ffmpeg`` is that of ffmpeg-python.

    Other distributions install a module of that name, too; with two of them ``import ffmpeg`` fails
    or imports the wrong one.
    """
    name, owners = "module ffmpeg", libraries.owners("ffmpeg")
    facts = {"owners": list(owners)}
    if owners == ("ffmpeg-python",):
        message = f"module ffmpeg belongs to ffmpeg-python {libraries.version('ffmpeg-python')}"
        return DoctorItem(name=name, status="ok", message=message, facts=facts)
    others = [owner for owner in owners if owner != "ffmpeg-python"]
    remedy = "pip install --force-reinstall ffmpeg-python"
    if others:
        remedy = f"pip uninstall {' '.join(others)}; {remedy}"
    message = f"module ffmpeg belongs to {' and '.join(owners)}; it must be ffmpeg-python: {remedy}"
    if not owners:
        message = f"module ffmpeg is not installed: {remedy}"
    return DoctorItem(name=name, status="fail", message=message, facts=facts)


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
        return DoctorItem(name="sandbox", status="fail", message=str(problem), facts=facts)
    message = "; ".join((f"sandbox: {level} ({_MECHANISMS[level]})", *report.reasons))
    status: Status = "ok" if level == "strict" else "warn"
    return DoctorItem(
        name="sandbox", status=status, message=message, facts=facts | {"level": level}
    )


def _profiles() -> tuple[DoctorItem, ...]:
    from mediaprep import profile

    problems: list[DoctorItem] = []
    valid: list[str] = []
    for name in (*profile.bundled(), *profile.own()):
        try:
            profile.find_profile(name)
        except ProfileError as problem:
            status: Status = "fail" if name == profile.DEFAULT else "warn"
            message = f"profile {name}: {problem.problems[0]}"
            problems.append(DoctorItem(name=f"profile {name}", status=status, message=message))
        else:
            valid.append(name)
    facts = {
        "names": valid,
        "folder": str(profile.folder()),
        "own_folder": str(profile.own_folder()),
    }
    message = f"profiles: {' '.join(valid)}"
    return (DoctorItem(name="profiles", status="ok", message=message, facts=facts), *problems)


def _configuration(settings: Settings) -> DoctorItem:
    entries = {
        key: {"value": value, "origin": settings.origins[key]}
        for key, value in settings.values.items()
    }
    changed = [
        f"{key} = {entry['value']} ({entry['origin']})"
        for key, entry in entries.items()
        if entry["origin"] != "default"
    ]
    files = ", ".join(settings.files) or "no configuration file"
    message = f"configuration: {files}; {'; '.join(changed) or 'every setting has its default'}"
    facts = {"files": list(settings.files), "settings": entries}
    return DoctorItem(name="configuration", status="ok", message=message, facts=facts)
