"""Programs end with their call, whatever they do; ``run`` and ``run_async`` behave the same."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mediaprep.errors import Cancelled, DeadlineExceeded, EnvironmentProblem, ToolError
from mediaprep.runtime.command import Command, Completed
from mediaprep.runtime.context import Context
from mediaprep.runtime.process import run, run_async

PYTHON = str(Path(sys.executable).resolve())
Runner = Callable[[Command, Context], Completed]


def blocking(command: Command, context: Context) -> Completed:
    return run(command, context)


def on_a_loop(command: Command, context: Context) -> Completed:
    return asyncio.run(run_async(command, context))


both = pytest.mark.parametrize("runner", [blocking, on_a_loop])


def python(code: str, **more: Any) -> Command:
    return Command(
        **{
            "argv": (PYTHON, "-I", "-S", "-c", textwrap.dedent(code)),
            "what": "child",
            "seconds": 30.0,
        }
        | more
    )


def basic_context(**more: Any) -> Context:
    return Context(sandbox="basic", **more)


def alive(pid: int) -> bool:
    """Return True if the process runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def have_ended(pids: list[int], within: float = 5.0) -> bool:
    until = time.monotonic() + within
    while any(alive(pid) for pid in pids) and time.monotonic() < until:
        time.sleep(0.02)
    return not any(alive(pid) for pid in pids)


def read_pids(path: Path, count: int) -> list[int]:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        pids = [int(line) for line in path.read_text().split("\n")[:-1]] if path.exists() else []
        if len(pids) >= count:
            return pids
        time.sleep(0.02)
    raise AssertionError("the child did not start")


@both
def test_output_is_returned(runner: Runner) -> None:
    code = "import sys; print('out'); print('err', file=sys.stderr)"
    done = runner(python(code, capture=True), basic_context())
    assert (done.stdout, done.stderr.strip(), done.sandbox) == (b"out\n", "err", "basic")


@both
def test_an_exit_code_that_is_not_ok_raises_with_argv_and_stderr(runner: Runner) -> None:
    command = python("import sys; print('reason', file=sys.stderr); sys.exit(7)")
    with pytest.raises(ToolError, match="child: exit code 7: reason") as caught:
        runner(command, basic_context())
    assert (caught.value.argv, caught.value.exit_code) == (command.argv, 7)


def test_a_tool_error_quotes_the_file_system_rather_than_the_last_line() -> None:
    stderr = (
        "[out#0/mp4 @ 0x55] Error closing file: No space left on device\n"
        "[out#0/mp4 @ 0x55] Nothing was written into output file\n"
    )
    assert (
        str(ToolError(["ffmpeg"], 228, stderr, what="encode"))
        == "encode: exit code 228: No space left on device"
    )
    assert str(ToolError(["ffmpeg"], 1, "one\nlast\n\n")) == "ffmpeg: exit code 1: last"


@both
def test_a_crash_names_the_signal(runner: Runner) -> None:
    with pytest.raises(ToolError, match="killed by SIGSEGV"):
        runner(python("import os; os.kill(os.getpid(), 11)"), basic_context())


@both
def test_a_missing_program_is_an_environment_problem(runner: Runner, tmp_path: Path) -> None:
    not_executable = tmp_path / "text"
    not_executable.write_text("not a program")
    not_executable.chmod(0o755)
    for path in ("/nonexistent/tool", "ffmpeg", str(tmp_path), str(not_executable)):
        with pytest.raises(EnvironmentProblem):
            runner(Command(argv=(path,), what="encode", seconds=5), basic_context())


@both
def test_a_program_gets_nothing_of_this_process(
    runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its environment, folder and stdin are empty; it leads its own group and has no other
    descriptor.
    """
    monkeypatch.setenv("SECRET", "x")
    held = os.open("/", os.O_RDONLY)
    os.set_inheritable(held, True)
    code = """
        import os, sys
        links = [f"/proc/self/fd/{fd}" for fd in range(3, 64)]
        extra = [link for link in links if os.path.exists(link) and os.readlink(link) == "/"]
        print(sorted(set(os.environ) - {"LC_ALL", "LC_CTYPE"}), os.listdir("."))
        print(sys.stdin.read() == "", os.getpid() == os.getpgrp(), extra)
    """
    try:
        done = runner(python(code, capture=True), basic_context())
    finally:
        os.close(held)
    assert done.stdout.decode().split("\n") == ["[] []", "True True []", ""]


@both
def test_a_descriptor_is_passed(runner: Runner, tmp_path: Path) -> None:
    path = tmp_path / "in"
    path.write_bytes(b"content")
    with path.open("rb") as file:
        number = file.fileno()
        done = runner(
            python(
                f"import os; os.write(1, os.read({number}, 99))", capture=True, pass_fds=(number,)
            ),
            basic_context(),
        )
    assert done.stdout == b"content"


@both
def test_a_flood_on_both_pipes_does_not_deadlock(runner: Runner) -> None:
    code = """
        import sys
        for _ in range(160):
            sys.stderr.write("e" * 65535 + "\\n")
            sys.stdout.write("o" * 65535 + "\\n")
        sys.stderr.write("last line")
    """
    done = runner(python(code, capture=True), basic_context())
    assert len(done.stdout) == 160 * 65536
    assert len(done.stderr) <= 64 * 1024
    assert done.stderr.endswith("last line")


@both
def test_lines_arrive_while_it_runs(runner: Runner) -> None:
    lines: list[str] = []
    stop = threading.Event()

    def on_line(line: str) -> None:
        lines.append(line)
        if line == "second":
            stop.set()

    code = "import sys, time; print('first\\r\\nsecond', flush=True); time.sleep(60)"
    with pytest.raises(Cancelled):
        runner(python(code, on_line=on_line, seconds=50), basic_context(cancel=stop))
    assert lines == ["first", "second"]


@both
def test_a_last_line_without_line_end_arrives_too(runner: Runner) -> None:
    lines: list[str] = []
    runner(python("print('a\\n\\nb', end='')", on_line=lines.append), basic_context())
    assert lines == ["a", "", "b"]


@both
def test_an_exception_of_the_listener_ends_the_program(runner: Runner, tmp_path: Path) -> None:
    def on_line(line: str) -> None:
        raise ValueError(line)

    pid_file = tmp_path / "pid"
    code = f"""
        import os, time
        open({str(pid_file)!r}, 'w').write(str(os.getpid()) + chr(10))
        print('x', flush=True)
        time.sleep(60)
    """
    with pytest.raises(ValueError, match="x"):
        runner(python(code, on_line=on_line), basic_context())
    assert have_ended(read_pids(pid_file, 1))


FAMILY = """
    import os, signal, sys, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for _ in range(5):
        if os.fork() == 0:
            os.fork()
    with open({pid_file!r}, "a") as file:
        file.write(f"{{os.getpid()}}\\n")
    while True:
        {work}
"""


def family(pid_file: Path, work: str = "time.sleep(1)", **more: Any) -> Command:
    """Return a command that starts eleven processes or more and ignores SIGTERM."""
    return python(FAMILY.format(pid_file=str(pid_file), work=work), **more)


@both
def test_the_whole_group_is_killed_at_the_deadline(runner: Runner, tmp_path: Path) -> None:
    pid_file = tmp_path / "pids"
    with pytest.raises(DeadlineExceeded, match=r"stopped after 1\.5 s"):
        runner(family(pid_file, seconds=1.5), basic_context())
    assert have_ended(read_pids(pid_file, 11))


@both
def test_the_earlier_deadline_applies(runner: Runner) -> None:
    with pytest.raises(DeadlineExceeded):
        runner(
            python("while True: pass", seconds=60), basic_context(deadline=time.monotonic() + 0.5)
        )


@both
def test_cancel_from_another_thread_kills_the_group(runner: Runner, tmp_path: Path) -> None:
    pid_file, stop = tmp_path / "pids", threading.Event()
    pids: list[int] = []

    def watch() -> None:
        pids.extend(read_pids(pid_file, 11))
        stop.set()

    watcher = threading.Thread(target=watch)
    watcher.start()
    with pytest.raises(Cancelled):
        runner(family(pid_file, work="pass"), basic_context(cancel=stop))
    watcher.join()
    assert have_ended(pids, within=1.0)


@both
def test_a_stray_that_keeps_the_pipes_is_not_waited_for(runner: Runner, tmp_path: Path) -> None:
    pid_file = tmp_path / "pids"
    code = f"""
        import os, time
        if os.fork() == 0:
            open({str(pid_file)!r}, "w").write(str(os.getpid()) + "\\n")
            time.sleep(60)
        while not os.path.exists({str(pid_file)!r}): time.sleep(0.01)
        print("parent")
    """
    done = runner(python(code, capture=True), basic_context())
    assert done.stdout == b"parent\n"
    assert have_ended(read_pids(pid_file, 1))


@both
def test_a_stray_in_another_group_is_not_waited_for_either(runner: Runner, tmp_path: Path) -> None:
    """Only the strict level prevents a program from leaving its group."""
    pid_file = tmp_path / "pids"
    code = f"""
        import os, time
        if os.fork() == 0:
            os.setsid()
            open({str(pid_file)!r}, "w").write(str(os.getpid()) + "\\n")
            time.sleep(60)
        while not os.path.exists({str(pid_file)!r}): time.sleep(0.01)
        print("parent")
    """
    try:
        assert runner(python(code, capture=True), basic_context()).stdout == b"parent\n"
    finally:
        os.kill(read_pids(pid_file, 1)[0], 9)


def test_cancelling_the_task_kills_the_group_and_leaves_no_zombie(tmp_path: Path) -> None:
    pid_file = tmp_path / "pids"

    async def run_and_cancel() -> list[int]:
        task = asyncio.create_task(run_async(family(pid_file), basic_context()))
        pids = await asyncio.to_thread(read_pids, pid_file, 11)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return pids

    pids = asyncio.run(run_and_cancel())
    assert have_ended(pids, within=1.0)
    assert all(
        os.path.exists(f"/proc/{pid}") is False or _parent(pid) != os.getpid() for pid in pids
    )


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def test_many_at_once_on_one_loop() -> None:
    async def run_many() -> list[Completed]:
        return await asyncio.gather(
            *(run_async(python(f"print({n})", capture=True), basic_context()) for n in range(8))
        )

    assert [done.stdout for done in asyncio.run(run_many())] == [b"%d\n" % n for n in range(8)]


PARENT = """
    import asyncio, sys, threading
    from mediaprep.runtime.command import Command
    from mediaprep.runtime.context import Context
    from mediaprep.runtime.process import run, run_async
    code = (
        "import os, time; open({pid_file!r}, 'w').write(str(os.getpid()) + chr(10));"
        " time.sleep(60)"
    )
    command = Command(argv=({python!r}, "-I", "-S", "-c", code), what="child", seconds=50)
    {start}
"""


@pytest.mark.skipif(sys.platform != "linux", reason="parent-death signal")
@pytest.mark.parametrize(
    "start",
    [
        'run(command, Context(sandbox="basic"))',
        'asyncio.run(run_async(command, Context(sandbox="basic")))',
        'threading.Thread(target=run, args=(command, Context(sandbox="basic"))).start()',
    ],
)
def test_a_killed_parent_leaves_no_child(start: str, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    code = textwrap.dedent(PARENT).format(python=PYTHON, pid_file=str(pid_file), start=start)
    parent = subprocess.Popen([sys.executable, "-c", code])
    try:
        pids = read_pids(pid_file, 1)
    finally:
        parent.kill()
        parent.wait()
    assert have_ended(pids, within=1.0)


@pytest.mark.skipif(sys.platform != "linux", reason="signals a process group")
def test_an_interrupt_kills_the_group(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    code = textwrap.dedent(PARENT).format(
        python=PYTHON, pid_file=str(pid_file), start='run(command, Context(sandbox="basic"))'
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE)
    pids = read_pids(pid_file, 1)
    parent.send_signal(2)
    _, stderr = parent.communicate(timeout=20)
    assert b"KeyboardInterrupt" in stderr
    assert have_ended(pids, within=1.0)


@both
def test_memory_and_file_size_are_bounded(runner: Runner, tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="MemoryError"):
        runner(python("b'x' * (1 << 30)", memory_bytes=500 * 2**20), basic_context())
    with pytest.raises(ToolError, match="File too large"):
        runner(
            python(
                f"with open({str(tmp_path / 'big')!r}, 'wb') as file: file.write(b'x' * 5000)",
                file_bytes=4096,
            ),
            basic_context(),
        )
    assert (tmp_path / "big").stat().st_size <= 4096


@both
def test_no_descriptor_is_left_open(runner: Runner) -> None:
    runner(python("pass"), basic_context())
    before = len(os.listdir("/dev/fd"))
    for _ in range(10):
        runner(python("pass"), basic_context())
    assert len(os.listdir("/dev/fd")) == before


def test_a_context_that_is_already_cancelled_starts_nothing() -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Cancelled):
        run(python("pass"), basic_context(cancel=stop))
