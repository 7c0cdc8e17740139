"""Children end, whatever they do: what must hold for ``run`` holds for ``run_async``."""

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
from mediaprep.runtime.context import Context
from mediaprep.runtime.process import Command, Completed, run, run_async

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


def basic(**more: Any) -> Context:
    return Context(sandbox="basic", **more)


def alive(pid: int) -> bool:
    """Whether it runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def gone(pids: list[int], within: float = 5.0) -> bool:
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
def test_output_and_code_come_back(runner: Runner) -> None:
    code = "import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)"
    done = runner(python(code, capture=True, ok_codes=(0, 3)), basic())
    assert (done.exit_code, done.stdout, done.stderr.strip(), done.sandbox) == (
        3,
        b"out\n",
        "err",
        "basic",
    )


@both
def test_a_code_that_is_not_ok_raises_with_argv_and_stderr(runner: Runner) -> None:
    command = python("import sys; print('reason', file=sys.stderr); sys.exit(7)")
    with pytest.raises(ToolError, match="child: exit code 7: reason") as caught:
        runner(command, basic())
    assert (caught.value.argv, caught.value.exit_code) == (command.argv, 7)


def test_what_the_file_system_said_is_told_though_the_tool_went_on_to_talk() -> None:
    told = "[out#0/mp4 @ 0x55] Error closing file: No space left on device\n[out#0/mp4 @ 0x55] Nothing was written into output file\n"
    assert (
        str(ToolError(["ffmpeg"], 228, told, what="encode"))
        == "encode: exit code 228: No space left on device"
    )
    assert str(ToolError(["ffmpeg"], 1, "one\nlast\n\n")) == "ffmpeg: exit code 1: last"


@both
def test_a_crash_names_the_signal(runner: Runner) -> None:
    with pytest.raises(ToolError, match="killed by SIGSEGV"):
        runner(python("import os; os.kill(os.getpid(), 11)"), basic())


@both
def test_a_missing_program_is_a_problem_of_the_host(runner: Runner, tmp_path: Path) -> None:
    no_program = tmp_path / "text"
    no_program.write_text("not a program")
    no_program.chmod(0o755)
    for path in ("/nonexistent/tool", "ffmpeg", str(tmp_path), str(no_program)):
        with pytest.raises(EnvironmentProblem):
            runner(Command(argv=(path,), what="encode", seconds=5), basic())


@both
def test_the_child_sees_nothing_of_ours(runner: Runner, monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty environment, empty folder that it cannot write in (unless root), stdin at its end, own group, no stray descriptor."""
    monkeypatch.setenv("SECRET", "x")
    held = os.open("/", os.O_RDONLY)
    os.set_inheritable(held, True)
    code = """
        import os, sys
        extra = [fd for fd in range(3, 64) if os.path.exists(f"/proc/self/fd/{fd}") and os.readlink(f"/proc/self/fd/{fd}") == "/"]
        print(sorted(set(os.environ) - {"LC_ALL", "LC_CTYPE"}), os.listdir("."), sys.stdin.read() == "", os.getpid() == os.getpgrp(), extra)
    """
    try:
        done = runner(python(code, capture=True), basic())
    finally:
        os.close(held)
    assert done.stdout.decode().strip() == "[] [] True True []"


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
            basic(),
        )
    assert done.stdout == b"content"


@both
def test_a_flood_on_both_pipes_does_not_deadlock(runner: Runner) -> None:
    code = """
        import sys
        for _ in range(160):
            sys.stderr.write("e" * 65535 + "\\n")
            sys.stdout.write("o" * 65535 + "\\n")
        sys.stderr.write("last words")
    """
    done = runner(python(code, capture=True), basic())
    assert len(done.stdout) == 160 * 65536
    assert len(done.stderr) <= 64 * 1024
    assert done.stderr.endswith("last words")


@both
def test_lines_come_while_it_runs(runner: Runner) -> None:
    seen: list[str] = []
    stop = threading.Event()

    def on_line(line: str) -> None:
        seen.append(line)
        if line == "second":
            stop.set()

    code = "import sys, time; print('first\\r\\nsecond', flush=True); time.sleep(60)"
    with pytest.raises(Cancelled):
        runner(python(code, on_line=on_line, seconds=50), basic(cancel=stop))
    assert seen == ["first", "second"]


@both
def test_a_last_line_without_its_end_comes_too(runner: Runner) -> None:
    seen: list[str] = []
    runner(python("print('a\\n\\nb', end='')", on_line=seen.append), basic())
    assert seen == ["a", "", "b"]


@both
def test_a_listener_that_fails_ends_the_child(runner: Runner, tmp_path: Path) -> None:
    def on_line(line: str) -> None:
        raise ValueError(line)

    note = tmp_path / "pid"
    code = f"import os, time; open({str(note)!r}, 'w').write(str(os.getpid()) + '\\n'); print('x', flush=True); time.sleep(60)"
    with pytest.raises(ValueError, match="x"):
        runner(python(code, on_line=on_line), basic())
    assert gone(read_pids(note, 1))


FAMILY = """
    import os, signal, sys, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for _ in range(5):
        if os.fork() == 0:
            os.fork()
    with open({note!r}, "a") as file:
        file.write(f"{{os.getpid()}}\\n")
    while True:
        {work}
"""


def family(note: Path, work: str = "time.sleep(1)", **more: Any) -> Command:
    """Eleven processes or more, deaf to SIGTERM."""
    return python(FAMILY.format(note=str(note), work=work), **more)


@both
def test_the_whole_group_is_killed_at_the_deadline(runner: Runner, tmp_path: Path) -> None:
    note = tmp_path / "pids"
    with pytest.raises(DeadlineExceeded, match=r"stopped after 1\.5 s"):
        runner(family(note, seconds=1.5), basic())
    assert gone(read_pids(note, 11))


@both
def test_the_callers_deadline_counts_where_it_is_nearer(runner: Runner) -> None:
    with pytest.raises(DeadlineExceeded):
        runner(python("while True: pass", seconds=60), basic(deadline=time.monotonic() + 0.5))


@both
def test_cancel_from_another_thread_kills_the_group(runner: Runner, tmp_path: Path) -> None:
    note, stop = tmp_path / "pids", threading.Event()
    pids: list[int] = []

    def watch() -> None:
        pids.extend(read_pids(note, 11))
        stop.set()

    watcher = threading.Thread(target=watch)
    watcher.start()
    with pytest.raises(Cancelled):
        runner(family(note, work="pass"), basic(cancel=stop))
    watcher.join()
    assert gone(pids, within=1.0)


@both
def test_a_stray_that_keeps_the_pipes_is_not_waited_for(runner: Runner, tmp_path: Path) -> None:
    note = tmp_path / "pids"
    code = f"""
        import os, time
        if os.fork() == 0:
            open({str(note)!r}, "w").write(str(os.getpid()) + "\\n")
            time.sleep(60)
        while not os.path.exists({str(note)!r}): time.sleep(0.01)
        print("parent")
    """
    done = runner(python(code, capture=True), basic())
    assert done.stdout == b"parent\n"
    assert gone(read_pids(note, 1))


@both
def test_a_stray_in_another_group_is_not_waited_for_either(runner: Runner, tmp_path: Path) -> None:
    """Only the strict level keeps a child from leaving its group."""
    note = tmp_path / "pids"
    code = f"""
        import os, time
        if os.fork() == 0:
            os.setsid()
            open({str(note)!r}, "w").write(str(os.getpid()) + "\\n")
            time.sleep(60)
        while not os.path.exists({str(note)!r}): time.sleep(0.01)
        print("parent")
    """
    try:
        assert runner(python(code, capture=True), basic()).stdout == b"parent\n"
    finally:
        os.kill(read_pids(note, 1)[0], 9)


def test_cancelling_the_task_kills_the_group_and_leaves_no_zombie(tmp_path: Path) -> None:
    note = tmp_path / "pids"

    async def scene() -> list[int]:
        task = asyncio.create_task(run_async(family(note), basic()))
        pids = await asyncio.to_thread(read_pids, note, 11)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return pids

    pids = asyncio.run(scene())
    assert gone(pids, within=1.0)
    assert all(
        os.path.exists(f"/proc/{pid}") is False or _parent(pid) != os.getpid() for pid in pids
    )


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except OSError:
        return 0


def test_many_at_once_on_one_loop() -> None:
    async def scene() -> list[Completed]:
        return await asyncio.gather(
            *(run_async(python(f"print({n})", capture=True), basic()) for n in range(8))
        )

    assert [done.stdout for done in asyncio.run(scene())] == [b"%d\n" % n for n in range(8)]


PARENT = """
    import asyncio, sys, threading
    from mediaprep.runtime.context import Context
    from mediaprep.runtime.process import Command, run, run_async
    command = Command(argv=({python!r}, "-I", "-S", "-c",
        "import os, time; open({note!r}, 'w').write(str(os.getpid()) + chr(10)); time.sleep(60)"), what="child", seconds=50)
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
    note = tmp_path / "pid"
    code = textwrap.dedent(PARENT).format(python=PYTHON, note=str(note), start=start)
    parent = subprocess.Popen([sys.executable, "-c", code])
    try:
        pids = read_pids(note, 1)
    finally:
        parent.kill()
        parent.wait()
    assert gone(pids, within=1.0)


@pytest.mark.skipif(sys.platform != "linux", reason="signals a process group")
def test_an_interrupt_kills_the_group(tmp_path: Path) -> None:
    note = tmp_path / "pid"
    code = textwrap.dedent(PARENT).format(
        python=PYTHON, note=str(note), start='run(command, Context(sandbox="basic"))'
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE)
    pids = read_pids(note, 1)
    parent.send_signal(2)
    _, stderr = parent.communicate(timeout=20)
    assert b"KeyboardInterrupt" in stderr
    assert gone(pids, within=1.0)


@both
def test_memory_and_file_size_are_bounded(runner: Runner, tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="MemoryError"):
        runner(python("b'x' * (1 << 30)", memory_bytes=500 * 2**20), basic())
    with pytest.raises(ToolError, match="File too large"):
        runner(
            python(
                f"with open({str(tmp_path / 'big')!r}, 'wb') as file: file.write(b'x' * 5000)",
                file_bytes=4096,
            ),
            basic(),
        )
    assert (tmp_path / "big").stat().st_size <= 4096


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@both
def test_peak_memory_is_seen(runner: Runner) -> None:
    done = runner(python("import time; x = b'x' * (100 << 20); del x; time.sleep(0.5)"), basic())
    assert done.peak_memory_bytes is not None
    assert 100 * 2**20 < done.peak_memory_bytes < 200 * 2**20


@both
def test_nothing_is_left_open(runner: Runner) -> None:
    runner(python("pass"), basic())
    before = len(os.listdir("/dev/fd"))
    for _ in range(10):
        runner(python("pass"), basic())
    assert len(os.listdir("/dev/fd")) == before


def test_a_run_that_is_cancelled_already_starts_nothing() -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Cancelled):
        run(python("pass"), basic(cancel=stop))
