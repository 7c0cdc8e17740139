"""A confined child reaches only what it was granted, and a level is never weaker than reported."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
import subprocess
import sys
from pathlib import Path

import imageio_ffmpeg
import pytest

from mediaprep.errors import EnvironmentProblem, ToolError
from mediaprep.runtime import launcher, sandbox
from mediaprep.runtime.command import Command, Completed
from mediaprep.runtime.context import Context
from mediaprep.runtime.process import run, run_async

PYTHON = str(Path(sys.executable).resolve())
STRICT = sandbox.available().level == "strict"
needs_strict = pytest.mark.skipif(not STRICT, reason="this host has no Landlock or seccomp")


def confined(
    code: str, *, level: str = "strict", reads: tuple[str, ...] = (), writes: tuple[str, ...] = ()
) -> Completed:
    """Run Python code in the sandbox; its library can be read."""
    command = Command(
        argv=(PYTHON, "-I", "-S", "-c", code),
        what="child",
        seconds=30,
        capture=True,
        reads=reads,
        writes=writes,
        memory_bytes=2**30,
    )
    return run(command, Context(sandbox=level))


def try_code(code: str) -> str:
    return f"""
import os, socket
try:
    {code}
except OSError as problem:
    print(type(problem).__name__)
else:
    print("done")
"""


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    for folder in ("in", "out", "other"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "file").write_text("content")
    return tmp_path


@needs_strict
@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ("open('{0}/in/file').read()", "done"),
        ("open('{0}/other/file').read()", "PermissionError"),
        ("open('/etc/passwd').read()", "PermissionError"),
        ("os.listdir('{0}')", "PermissionError"),
        ("open('{0}/out/new', 'w').write('x')", "done"),
        ("open('{0}/out/file').read()", "done"),
        ("os.unlink('{0}/out/file')", "done"),
        ("open('{0}/in/new', 'w')", "PermissionError"),
        ("open('{0}/other/file', 'w')", "PermissionError"),
        ("os.truncate('{0}/other/file', 0)", "PermissionError"),
        ("os.unlink('{0}/other/file')", "PermissionError"),
        (
            "os.link('{0}/other/file', '{0}/out/link')",
            "OSError",
        ),  # EXDEV: Landlock's answer to a link that would widen rights
        ("os.rename('{0}/out/file', '{0}/other/moved')", "PermissionError"),
        ("open('/dev/null', 'w').write('x')", "done"),
        ("socket.socket()", "PermissionError"),
        ("socket.socket(socket.AF_UNIX)", "PermissionError"),
        ("os.fork()", "PermissionError"),
        ("os.setsid()", "PermissionError"),
        ("os.kill(os.getppid(), 0)", "PermissionError"),
    ],
)
def test_a_strict_child_reaches_only_what_it_was_granted(
    scene: Path, code: str, answer: str
) -> None:
    done = confined(
        try_code(code.format(scene)), reads=(str(scene / "in"),), writes=(str(scene / "out"),)
    )
    assert done.stdout.decode().strip() == answer
    assert (scene / "other" / "file").read_text() == "content"


@needs_strict
def test_a_link_gives_no_access_to_its_target(scene: Path) -> None:
    (scene / "in" / "link").symlink_to(scene / "other" / "file")
    (scene / "out" / "link").symlink_to(scene / "other" / "file")
    for code in (f"open('{scene}/in/link').read()", f"open('{scene}/out/link', 'w')"):
        done = confined(try_code(code), reads=(str(scene / "in"),), writes=(str(scene / "out"),))
        assert done.stdout == b"PermissionError\n"


@needs_strict
def test_threads_may_start() -> None:
    done = confined(
        "import _thread, time\n_thread.start_new_thread(print, ('thread',))\ntime.sleep(0.5)"
    )
    assert done.stdout == b"thread\n"


@needs_strict
def test_privileges_cannot_be_gained() -> None:
    done = confined("print(open('/proc/self/status').read())", reads=("/proc",))
    assert b"NoNewPrivs:\t1" in done.stdout
    assert b"Seccomp:\t2" in done.stdout


def test_a_basic_child_has_limits_only(scene: Path) -> None:
    code = (
        "import resource as r; limits = r.RLIMIT_NOFILE, r.RLIMIT_CORE, r.RLIMIT_AS;"
        "print(*(r.getrlimit(limit)[0] for limit in limits))"
    )
    assert confined(code, level="basic").stdout == b"64 0 1073741824\n"
    assert (
        confined(try_code(f"open('{scene}/other/file').read()"), level="basic").stdout == b"done\n"
    )


@needs_strict
def test_a_missing_folder_prevents_the_start(scene: Path) -> None:
    """Otherwise the child would be confined to something else."""
    with pytest.raises(EnvironmentProblem, match="No such file"):
        confined("pass", writes=(str(scene / "missing"),))


def test_a_level_that_is_not_available_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    weak = sandbox.SandboxReport(
        level="basic", landlock_abi=0, seccomp=True, reasons=("no Landlock",)
    )
    monkeypatch.setattr(sandbox, "available", lambda: weak)
    with pytest.raises(EnvironmentProblem, match="'strict' is not available: no Landlock"):
        sandbox.resolve_level("strict")
    assert sandbox.resolve_level("auto") == "basic"
    assert sandbox.resolve_level("basic") == "basic"
    with pytest.raises(EnvironmentProblem, match="allowed: auto, strict, basic"):
        sandbox.resolve_level("none")


def test_a_host_without_limits_runs_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    none = sandbox.SandboxReport(level="none", landlock_abi=0, seccomp=False, reasons=("Windows",))
    monkeypatch.setattr(sandbox, "available", lambda: none)
    with pytest.raises(EnvironmentProblem, match="Windows"):
        sandbox.resolve_level("auto")


def test_the_report_has_a_reason_for_each_missing_feature() -> None:
    report = sandbox.available()
    assert (report.level == "strict") == (not report.reasons)


def test_on_macos_the_report_says_that_children_are_not_confined(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    sandbox.available.cache_clear()
    try:
        report = sandbox.available()
        assert (report.level, report.landlock_abi, report.seccomp) == ("basic", 0, False)
        assert "not confined" in report.reasons[0]
        with pytest.raises(EnvironmentProblem, match="not confined"):
            sandbox.resolve_level("strict")
    finally:
        monkeypatch.undo()
        sandbox.available.cache_clear()


def test_the_modules_can_be_imported_without_posix_features() -> None:
    code = """
import asyncio, subprocess, tempfile, os, signal, select, sys
for module in ("fcntl", "resource"): sys.modules[module] = None
for name in ("fork", "register_at_fork", "killpg", "waitid", "pidfd_open", "uname", "setsid"):
    delattr(os, name)
for name in ("SIGKILL", "SIGALRM", "SIGXCPU"): delattr(signal, name)
del select.poll
import mediaprep.runtime.child_server, mediaprep.runtime.effects, mediaprep.runtime.startup
import mediaprep.probing.reader.pool
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def verdict(program: bytes, audit: int, number: int, flags: int = 0) -> int:
    """Interpret a classic BPF program for one system call, independently of the kernel."""
    data = struct.pack(
        "<iIQQ", number, audit, 0, flags
    )  # seccomp_data: nr, arch, instruction pointer, args[0]
    at = value = 0
    while True:
        code, then, otherwise, operand = struct.unpack_from("<HBBI", program, 8 * at)
        at += 1
        if code == 0x20:
            value = struct.unpack_from("<I", data, operand)[0]
        elif code == 0x06:
            return operand
        else:
            yes = {0x15: value == operand, 0x35: value >= operand, 0x45: bool(value & operand)}[
                code
            ]
            at += then if yes else otherwise


ALLOW, EPERM, ENOSYS, KILL = 0x7FFF0000, 0x50001, 0x50026, 0x80000000


@pytest.mark.parametrize(
    ("machine", "audit", "calls"),
    [
        (
            "x86_64",
            0xC000003E,
            {
                "openat": 257,
                "read": 0,
                "socket": 41,
                "connect": 42,
                "ptrace": 101,
                "setsid": 112,
                "execve": 59,
                "clone": 56,
            },
        ),
        (
            "aarch64",
            0xC00000B7,
            {
                "openat": 56,
                "read": 63,
                "socket": 198,
                "connect": 203,
                "ptrace": 117,
                "setsid": 157,
                "execve": 221,
                "clone": 220,
            },
        ),
    ],
)
def test_the_filter_of_each_machine(machine: str, audit: int, calls: dict[str, int]) -> None:
    """The numbers are those of syscall_64.tbl and include/uapi/asm-generic/unistd.h."""
    program = launcher.call_filter(machine)
    for name in ("openat", "read", "execve"):
        assert verdict(program, audit, calls[name]) == ALLOW, name
    for name in ("socket", "connect", "ptrace", "setsid"):
        assert verdict(program, audit, calls[name]) == EPERM, name
    assert verdict(program, audit, calls["clone"], flags=0x3D0F00) == ALLOW  # as pthread_create
    assert verdict(program, audit, calls["clone"], flags=0x1200011) == EPERM  # as fork
    assert verdict(program, audit, 435) == ENOSYS  # clone3
    assert verdict(program, 0x40000003, calls["read"]) == KILL  # another architecture
    assert verdict(launcher.call_filter(machine, block_exec=True), audit, calls["execve"]) == EPERM
    if machine == "x86_64":
        assert verdict(program, audit, 0x40000000 + calls["socket"]) == KILL  # x32


def test_an_unknown_machine_is_refused() -> None:
    with pytest.raises(launcher.CannotConfine, match="riscv64"):
        launcher.call_filter("riscv64")


def test_the_launcher_never_skips_a_setting() -> None:
    for words in (
        ["as=words", "--", "/bin/true"],
        ["read=/", "/bin/true"],
        ["--"],
        ["parent=1", "--", "/bin/true"],
    ):
        done = subprocess.run(
            [sys.executable, "-I", "-S", launcher.__file__, *words], capture_output=True, timeout=30
        )
        assert done.returncode == launcher.SETUP_FAILED, words


@needs_strict
@pytest.mark.parametrize("on_a_loop", [False, True])
def test_ffmpeg_works_confined_from_a_descriptor_to_a_folder(
    tmp_path: Path, *, on_a_loop: bool
) -> None:
    """Input by descriptor, faststart output and progress lines work; other files cannot be opened."""
    ffmpeg, source = imageio_ffmpeg.get_ffmpeg_exe(), tmp_path / "source.mp4"
    (tmp_path / "out").mkdir()
    encode = f"-v error -f lavfi -i testsrc2=s=64x64:r=10:d=1 -c:v libx264 -threads 1 {source}"
    subprocess.run([ffmpeg, *encode.split()], check=True, timeout=60)
    lines: list[str] = []
    with source.open("rb") as file:
        command = Command(
            argv=(
                ffmpeg,
                *(
                    f"-nostdin -hide_banner -v error -protocol_whitelist fd -f mov -threads 1"
                    f" -fd {file.fileno()} -i fd: -c:v libx264 -threads 1 -movflags +faststart"
                    f" -progress pipe:1 -nostats -f mp4 file:{tmp_path}/out/out.part"
                ).split(),
            ),
            what="encode",
            seconds=60,
            pass_fds=(file.fileno(),),
            writes=(str(tmp_path / "out"),),
            memory_bytes=2 * 2**30,
            file_bytes=10**6,
            on_line=lines.append,
        )
        done = (
            asyncio.run(run_async(command, Context(sandbox="strict")))
            if on_a_loop
            else run(command, Context(sandbox="strict"))
        )
    assert (done.sandbox, lines[-1]) == ("strict", "progress=end")
    assert (tmp_path / "out" / "out.part").read_bytes()[36:40] == b"moov"
    refused = Command(
        argv=(ffmpeg, "-v", "error", "-i", f"file:{source}", "-f", "null", "-"),
        what="decode",
        seconds=60,
    )
    with pytest.raises(ToolError, match=r"Permission denied|Error opening"):
        run(refused, Context(sandbox="strict"))


@needs_strict
def test_a_confined_child_cannot_connect() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        host, port = server.getsockname()
        with pytest.raises(ToolError, match="decode: exit code"):
            run(
                Command(
                    argv=(
                        imageio_ffmpeg.get_ffmpeg_exe(),
                        "-v",
                        "error",
                        "-i",
                        f"tcp://{host}:{port}",
                        "-f",
                        "null",
                        "-",
                    ),
                    what="decode",
                    seconds=30,
                ),
                Context(sandbox="strict"),
            )
        server.settimeout(0)
        with pytest.raises(BlockingIOError):
            server.accept()


@pytest.mark.parametrize("end", ["pass", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"])
def test_the_empty_folder_is_removed_even_after_sigkill(tmp_path: Path, end: str) -> None:
    """Two runs, because one folder serves all children of a process."""
    code = f"""
from mediaprep.runtime.command import Command
from mediaprep.runtime.context import Context
from mediaprep.runtime.process import run
argv = ({PYTHON!r}, "-I", "-S", "-c", "import os; print(os.listdir('.'))")
command = Command(argv=argv, what="child", seconds=9, capture=True)
for _ in range(2):
    print(run(command, Context(sandbox="basic")).stdout, flush=True)
{end}
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        timeout=60,
    )
    assert done.stdout.split("\n") == ["b'[]\\n'", "b'[]\\n'", ""]
    if sys.platform == "linux" or end == "pass":
        assert list(tmp_path.iterdir()) == []
