"""A file that crashes, hangs or bloats its reader costs only that file.

A reader process can access nothing but its file.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest

from mediaprep.errors import Cancelled, DeadlineExceeded, EnvironmentProblem, SourceUnreadable
from mediaprep.model.media import Media, PrivateItem, Video
from mediaprep.model.serialize import encode
from mediaprep.probing.identify.sniffed import Sniffed
from mediaprep.probing.reader import pool as pool_module
from mediaprep.probing.reader.answer import parse_answer
from mediaprep.probing.reader.pool import ReaderPool
from mediaprep.probing.request import ReadRequest
from mediaprep.runtime import sandbox
from mediaprep.runtime.context import Context, Limits
from mediaprep.runtime.effects import drive, drive_async
from mediaprep.runtime.source import open_source

FOLDER = Path(__file__).parent / "readers"
READER = "misbehaving_reader:read"
REQUEST = ReadRequest(sniffed=Sniffed(kind_hint="video", format="mp4", demuxer="mov"))
STRICT = sandbox.available().level == "strict"
needs_strict = pytest.mark.skipif(not STRICT, reason="this host has no Landlock or seccomp")

Read = Callable[..., Media]


@pytest.fixture(scope="module")
def readers() -> Iterator[ReaderPool]:
    """Share one pool: what one test breaks must not affect the next."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(FOLDER))
        pool = ReaderPool(reader=READER, preloaded=(), count=2)
        yield pool
        pool.close()


@pytest.fixture(params=["blocking", "on a loop"])
def read(request: pytest.FixtureRequest, readers: ReaderPool, tmp_path: Path) -> Read:
    def read_text(
        text: str, context: Context | None = None, read_request: ReadRequest = REQUEST
    ) -> Media:
        path = tmp_path / "file"
        path.write_text(text)
        with open_source(path) as source:
            steps = readers.read_steps(source, read_request, context or Context())
            if request.param == "blocking":
                return drive(steps, context or Context())
            return asyncio.run(drive_async(steps, context or Context()))

    return read_text


def quick(seconds: float = 1.0) -> Context:
    return Context(limits=Limits(probe_seconds=seconds))


def pid_of(read: Read) -> int:
    media = read("pid")
    assert isinstance(media, Video)
    assert media.size_bytes is not None
    return media.size_bytes


def text_of(media: Media) -> str | None:
    assert isinstance(media, Video)
    return media.incomplete_because


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def has_ended(pid: int, within: float) -> bool:
    until = time.monotonic() + within
    while alive(pid) and time.monotonic() < until:
        time.sleep(0.02)
    return not alive(pid)


def test_facts_come_back_with_the_files_name_and_the_level(read: Read, tmp_path: Path) -> None:
    read_request = ReadRequest(sniffed=REQUEST.sniffed, clip_duration=Fraction(30000, 1001))
    media = read("request", read_request=read_request)
    assert media == Video(size_bytes=7, duration=Fraction(30000, 1001), incomplete_because="mp4")
    assert (media.name, media.sandbox) == (str(tmp_path / "file"), "strict" if STRICT else "basic")


def test_one_child_serves_many_files(read: Read) -> None:
    assert len({pid_of(read) for _ in range(5)}) == 1


def test_a_crash_is_charged_to_its_file_and_the_next_is_fine(read: Read) -> None:
    before = pid_of(read)
    with pytest.raises(
        SourceUnreadable, match=r"the reader crashed on this file \(signal 11, SIGSEGV\)"
    ) as caught:
        read("crash")
    assert caught.value.rule == "file-complete"
    with pytest.raises(SourceUnreadable, match=r"signal 6, SIGABRT"):
        read("abort")
    with pytest.raises(SourceUnreadable, match="the reader exited while it read this file"):
        read("exit 3")
    assert pid_of(read) != before
    assert not alive(before)


def test_a_spinning_reader_is_stopped_and_not_tried_again(read: Read) -> None:
    began = time.monotonic()
    with pytest.raises(
        SourceUnreadable, match="did not finish this file within 1 s and was stopped"
    ):
        read("spin", quick())
    assert time.monotonic() - began < 10
    assert text_of(read("fine")) == "fine"


def test_a_waiting_reader_gets_one_more_try(read: Read) -> None:
    assert read("sleep-once", quick()) == Video()
    with pytest.raises(SourceUnreadable, match="did not finish"):
        read("sleep", quick(0.5))


def test_the_childs_own_alarms_count_as_a_hang(read: Read) -> None:
    for number in (signal.SIGALRM, signal.SIGXCPU):
        with pytest.raises(SourceUnreadable, match="did not finish"):
            read(f"signal {int(number)}")


def test_memory_is_bounded(read: Read) -> None:
    with pytest.raises(SourceUnreadable, match="needs more memory"):
        read("eat")
    assert text_of(read("fine")) == "fine"


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux limits the memory that may be written to"
)
def test_only_a_deep_probe_may_take_more_than_half_a_gigabyte(read: Read) -> None:
    with pytest.raises(SourceUnreadable, match="needs more memory"):
        read("hold 512")
    assert read("hold 512", None, replace(REQUEST, deep=True)) == Video(size_bytes=512 * 2**20)
    with pytest.raises(SourceUnreadable, match="needs more memory"):
        read("hold 512")


def test_a_parser_that_still_runs_in_a_thread_ends_the_child(read: Read) -> None:
    """A hanging MediaInfo call cannot be stopped; its thread would run beside the next files."""
    media = read("linger")
    assert isinstance(media, Video)
    assert media.size_bytes is not None
    assert not alive(media.size_bytes)
    assert text_of(read("fine")) == "fine"


def test_an_unreadable_file_says_why_and_keeps_the_child(read: Read) -> None:
    before = pid_of(read)
    with pytest.raises(SourceUnreadable, match=r"^no moov \\x1b\[31m box$") as caught:
        read("unreadable no moov \x1b[31m box")
    assert caught.value.rule == "file-complete"
    assert pid_of(read) == before


def test_a_bug_in_a_reader_is_an_error_of_that_file(read: Read) -> None:
    with pytest.raises(
        SourceUnreadable,
        match=r"failed on this file \(IndexError: list index out of range at misbehaving_reader.py:\d+\)",
    ):
        read("bug")


def test_text_from_the_file_is_escaped() -> None:
    """A tag name may hold a terminal escape sequence and a right-to-left override."""
    facts = Video(name="x", private=(PrivateItem(kind="comment", where="Tags/\x1b[2J\u202eé\n"),))
    answer = parse_answer({"media": encode(facts), "spent": False})
    assert answer.facts == replace(
        facts, private=(PrivateItem(kind="comment", where=r"Tags/\x1b[2J\u202eé\n"),)
    )


def test_a_long_answer_comes_whole(read: Read) -> None:
    media = read("many 100000")
    assert isinstance(media, Video)
    assert media.shots == tuple(Fraction(n, 7) for n in range(100000))


def test_cancel_and_deadline_end_the_reading(read: Read) -> None:
    stop = threading.Event()
    timer = threading.Timer(0.5, stop.set)
    timer.start()
    began = time.monotonic()
    with pytest.raises(Cancelled):
        read("sleep", Context(cancel=stop))
    with pytest.raises(DeadlineExceeded):
        read("spin", Context(deadline=time.monotonic() + 0.5))
    assert time.monotonic() - began < 8
    timer.join()


def test_descriptors_are_not_leaked_on_either_side(read: Read) -> None:
    first = read("descriptors").size_bytes
    ours = len(os.listdir("/dev/fd"))
    for _ in range(200):
        last = read("descriptors").size_bytes
    assert last == first
    assert len(os.listdir("/dev/fd")) == ours
    for _ in range(3):
        with pytest.raises(SourceUnreadable):
            read("exit 1")
    read("fine")
    assert len(os.listdir("/dev/fd")) == ours


def test_a_child_that_died_meanwhile_is_replaced(read: Read) -> None:
    before = pid_of(read)
    os.kill(before, signal.SIGKILL)
    assert has_ended(before, 5)
    assert pid_of(read) != before


def test_a_child_is_replaced_after_many_files_or_when_it_has_grown(
    read: Read, readers: ReaderPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers.close()
    monkeypatch.setattr(pool_module, "FILES_PER_CHILD", 3)
    pids = [pid_of(read) for _ in range(4)]
    assert pids[0] == pids[1] == pids[2] != pids[3]
    monkeypatch.setattr(pool_module, "RESIDENT_BYTES", 2**20)
    assert pid_of(read) == pids[3]
    assert pid_of(read) != pids[3]


@needs_strict
@pytest.mark.parametrize(
    "attempt",
    [
        "open {other}",
        "open /etc/passwd",
        "open /proc/1/cmdline",
        "list /",
        "list {folder}",
        "write {folder}/new",
        "write /tmp/x",
        "fork",
        "exec",
        "kill {pid}",
    ],
)
def test_the_reader_reaches_nothing_but_its_file(read: Read, tmp_path: Path, attempt: str) -> None:
    other = tmp_path / "other"
    other.write_text("secret")
    words = attempt.format(other=other, folder=tmp_path, pid=os.getpid())
    assert (text_of(read(f"try {words}")) or "").startswith("refused: ")
    assert not (tmp_path / "new").exists()


@needs_strict
def test_the_reader_cannot_connect(read: Read) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert text_of(read(f"try connect {server.getsockname()[1]}")) == "refused: PermissionError"


@needs_strict
def test_the_reader_can_still_import_and_use_the_null_device(read: Read) -> None:
    assert text_of(read("try import numpy.fft")) == "done"
    assert text_of(read("try import PIL.WebPImagePlugin")) == "done"
    assert text_of(read("try import encodings.cp1251")) == "done"


def test_basic_is_possible_and_reported(read: Read, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("open to all")
    media = read(f"try open {other}", Context(sandbox="basic"))
    assert (text_of(media), media.sandbox) == ("done", "basic")
    assert (
        text_of(read(f"try write {tmp_path}/new", Context(sandbox="basic"))) == "refused: OSError"
    )  # no file may grow


def test_the_environment_is_not_inherited(
    read: Read, readers: ReaderPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET", "x")
    readers.close()
    words = (text_of(read("environment")) or "").split()
    assert set(words) <= {
        "LC_ALL",
        "LC_CTYPE",
        "OPENBLAS_NUM_THREADS",
        "OMP_NUM_THREADS",
        "MALLOC_ARENA_MAX",
        "PYTHONDONTWRITEBYTECODE",
    }


def test_a_reader_that_cannot_start_is_a_problem_of_the_host(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("x")
    with (
        open_source(path) as source,
        pytest.raises(EnvironmentProblem, match="No module named 'no_such_reader'"),
    ):
        drive(
            ReaderPool(reader="no_such_reader:read").read_steps(source, REQUEST, Context()),
            Context(),
        )


def test_threads_share_safely(readers: ReaderPool, tmp_path: Path) -> None:
    def one(number: int) -> Media | str:
        path = tmp_path / f"file{number}"
        path.write_text("crash" if number % 10 == 9 else f"word{number}")
        with open_source(path) as source:
            try:
                return drive(readers.read_steps(source, REQUEST, Context()), Context())
            except SourceUnreadable as problem:
                return problem.reason[:18]

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(one, range(80)))
    assert [word if isinstance(word, str) else text_of(word) for word in found] == [
        "the reader crashed" if n % 10 == 9 else f"word{n}" for n in range(80)
    ]


def test_a_child_outlives_the_thread_that_started_it(readers: ReaderPool, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("pid")
    pids: list[int | None] = []

    def one() -> None:
        with open_source(path) as source:
            pids.append(drive(readers.read_steps(source, REQUEST, Context()), Context()).size_bytes)

    for _ in range(3):
        thread = threading.Thread(target=one)
        thread.start()
        thread.join()
    assert len(set(pids)) == 1


def test_loops_in_threads_and_tasks_share_safely(readers: ReaderPool, tmp_path: Path) -> None:
    for n in range(12):
        (tmp_path / f"file{n}").write_text(f"word{n}")

    async def one(n: int) -> str | None:
        with open_source(tmp_path / f"file{n}") as source:
            return text_of(
                await drive_async(readers.read_steps(source, REQUEST, Context()), Context())
            )

    async def several(start: int) -> list[str | None]:
        return await asyncio.gather(*(one(n) for n in range(start, start + 6)))

    with ThreadPoolExecutor(2) as threads:
        found = list(threads.map(lambda start: asyncio.run(several(start)), (0, 6)))
    assert found == [[f"word{n}" for n in range(6)], [f"word{n}" for n in range(6, 12)]]


def test_cancelling_the_task_frees_the_place(readers: ReaderPool, tmp_path: Path) -> None:
    (tmp_path / "slow").write_text("sleep")
    (tmp_path / "fine").write_text("fine")

    async def one(name: str) -> Media:
        with open_source(tmp_path / name) as source:
            return await drive_async(readers.read_steps(source, REQUEST, Context()), Context())

    async def cancel_and_read() -> Media:
        slow = [
            asyncio.create_task(one("slow")) for _ in range(4)
        ]  # two hold a place, two wait for one
        await asyncio.sleep(0.5)
        for task in slow:
            task.cancel()
        assert all(
            isinstance(end, asyncio.CancelledError)
            for end in await asyncio.gather(*slow, return_exceptions=True)
        )
        return await asyncio.wait_for(one("fine"), 20)

    assert text_of(asyncio.run(cancel_and_read())) == "fine"


PARENT = """
    import sys
    sys.path.insert(0, {folder!r})
    from pathlib import Path
    from mediaprep.runtime.context import Context
    from mediaprep.runtime.source import open_source
    from mediaprep.probing.identify.sniffed import Sniffed
    from functools import partial
    from mediaprep.probing.reader.pool import ReaderPool
    from mediaprep.probing.reader.serve import serve_prefork
    from mediaprep.probing.request import ReadRequest
    from mediaprep.runtime.effects import drive
    from mediaprep.runtime.prefork import fork_child
    request = ReadRequest(sniffed=Sniffed(kind_hint="video", format="mp4", demuxer="mov"))
    readers = ReaderPool(reader={reader!r}, preloaded=())
    if {prefork}:
        readers.add_preforked([fork_child(partial(serve_prefork, reader={reader!r}))])
    def read(name):
        with open_source({work!r} + "/" + name) as source:
            return drive(readers.read_steps(source, request, Context()), Context())
    {act}
"""


def script(tmp_path: Path, act: str, *, prefork: bool) -> list[str]:
    code = textwrap.dedent(PARENT).format(
        folder=str(FOLDER), reader=READER, work=str(tmp_path), prefork=prefork, act=act
    )
    return [sys.executable, "-c", code]


@pytest.mark.skipif(sys.platform != "linux", reason="the lifeline is Linux's")
@pytest.mark.parametrize("prefork", [False, True])
def test_a_killed_parent_leaves_no_reader_whatever_it_does(
    tmp_path: Path, *, prefork: bool
) -> None:
    (tmp_path / "pid").write_text("pid")
    (tmp_path / "spin").write_text("spin")
    parent = subprocess.Popen(
        script(
            tmp_path, "print(read('pid').size_bytes, flush=True); read('spin')", prefork=prefork
        ),
        stdout=subprocess.PIPE,
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    time.sleep(0.3)
    assert alive(pid)
    parent.kill()
    parent.communicate()
    assert has_ended(pid, within=1.0)


@pytest.mark.skipif(sys.platform != "linux", reason="forks on Linux only")
def test_a_preforked_reader_is_confined_and_serves_several_files(tmp_path: Path) -> None:
    """The child has its parent's command line, is confined, and is replaced after a crash."""
    for name in ("pid", "crash", "fine", "modules", "descriptors", "environment"):
        (tmp_path / name).write_text(name)
    (tmp_path / "try").write_text("try open /etc/passwd")
    act = """
from mediaprep.errors import SourceUnreadable
pid = read("pid").size_bytes
print(Path(f"/proc/{pid}/cmdline").read_text() == Path("/proc/self/cmdline").read_text())
print(read("pid").size_bytes == pid)
print("numpy" in sys.modules, read("modules").complete, read("descriptors").size_bytes < 10)
print(read("try").incomplete_because)
try: read("crash")
except SourceUnreadable as problem: print(problem.reason[:51])
print(read("fine").incomplete_because)
"""
    done = subprocess.run(
        script(tmp_path, act, prefork=True), capture_output=True, text=True, timeout=60
    )
    assert done.stderr == ""
    assert done.stdout.split("\n")[:-1] == [
        "True",
        "True",
        "False False True",
        "refused: PermissionError" if STRICT else "done",
        "the reader crashed on this file (signal 11, SIGSEGV",
        "fine",
    ]


@pytest.mark.skipif(sys.platform == "win32", reason="forks")
def test_a_fork_of_the_host_program_gets_children_of_its_own(tmp_path: Path) -> None:
    """As in a pre-forking server: the fork must not use the parent's reader or keep it alive."""
    (tmp_path / "pid").write_text("pid")
    act = """
import os
from mediaprep.probing.reader import pool
def shared():
    pool._shared = pool._shared or readers
    with open_source(WORK + "/pid") as source:
        return drive(pool.read_steps(source, request, Context()), Context()).size_bytes
first = shared()
if os.fork() == 0:
    readers = ReaderPool(reader=READER, preloaded=())
    print(shared() not in (first, None), flush=True)
    pool._shared.close()
    os._exit(0)
os.wait()
print(shared() == first)
readers.close()
"""
    act = act.replace("WORK", repr(str(tmp_path))).replace("READER", repr(READER))
    done = subprocess.run(
        script(tmp_path, act, prefork=False), capture_output=True, text=True, timeout=60
    )
    assert (done.stdout.split(), done.stderr) == (["True", "True"], "")
