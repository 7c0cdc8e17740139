"""Events as they are drawn."""

from __future__ import annotations

import io
import json
import sys

from mediaprep.model.events import Progress, StageDone, StageStarted
from mediaprep.report.progress import Bar, JsonLines, Plain, Silent, drawer, progress_words

HALF = Progress(
    path="a\x1b.mov",
    stage="encode",
    fraction=0.63,
    speed=2.94,
    eta_seconds=18.2,
    size_bytes=24_000_000,
)


def test_a_line_of_progress():
    assert progress_words(HALF) == "a\\x1b.mov  encode 63%  2.9x  24 MB  ETA 0:18"
    assert progress_words(Progress(path="a", stage="encode", fraction=0.0)) == "a  encode 0%"


def test_plain_tells_of_each_file_every_ten_seconds():
    stream, now = io.StringIO(), [0.0]
    plain = Plain(stream, clock=lambda: now[0])
    plain(StageStarted(path=HALF.path, stage="encode"))
    for at in (0.5, 9.9, 10.1, 12.0, 20.2):
        now[0] = at
        plain(HALF)
    assert len(stream.getvalue().splitlines()) == 2


def test_json_is_one_line_an_event():
    stream = io.StringIO()
    draw = JsonLines(stream)
    draw(StageStarted(path="a", stage="probe"))
    draw(HALF)
    lines = [json.loads(row) for row in stream.getvalue().splitlines()]
    assert [row["event"] for row in lines] == ["stage.start", "progress"]
    assert lines[1] == {"version": 1, "event": "progress", "path": "a\x1b.mov", "stage": "encode", "fraction": 0.63, "speed": 2.94,
                        "eta_seconds": 18.2, "size_bytes": 24_000_000}  # fmt: skip


def test_a_bar_takes_any_name_and_makes_room_for_the_answer():
    stream = io.StringIO()
    with Bar(stream) as bar:
        bar(StageStarted(path="[red]a[/nonsense]", stage="encode"))
        bar(Progress(path="[red]a[/nonsense]", stage="encode", fraction=0.5, speed=1.0))
        bar(StageDone(path="[red]a[/nonsense]", stage="encode", seconds=1.0))
        with bar.aside("[red]a[/nonsense]"):
            assert not bar._bars.live.is_started
        assert not bar._bars.live.is_started
        bar(StageStarted(path="b", stage="encode"))
        with bar.aside("unheard of"):
            assert not bar._bars.live.is_started
        assert bar._bars.live.is_started
    assert bar._bars is None


def test_a_bar_leaves_stdout_alone(capsys):
    with Bar(io.StringIO()) as bar:
        bar(StageStarted(path="a", stage="encode"))
        sys.stdout.write("the answer\n")
    assert capsys.readouterr().out == "the answer\n"


def test_a_file_that_only_needs_a_look_draws_nothing():
    stream = io.StringIO()
    with Bar(stream) as bar:
        bar(StageStarted(path="a", stage="probe"))
        bar(StageDone(path="a", stage="probe", seconds=0.1))
    assert stream.getvalue() == ""


def test_auto_is_a_bar_on_a_terminal_only():
    assert isinstance(drawer("auto", io.StringIO(), terminal=True), Bar)
    assert isinstance(drawer("auto", io.StringIO(), terminal=False), Plain)
    assert type(drawer("none", io.StringIO(), terminal=True)) is Silent
    assert isinstance(drawer("json", io.StringIO(), terminal=True), JsonLines)
