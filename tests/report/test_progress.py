"""The display of progress."""

from __future__ import annotations

import io
import json
import sys

import pytest

from mediaprep.model.events import Progress, StageDone, StageStarted
from mediaprep.report.progress import (
    Bars,
    FileTracker,
    JsonLines,
    PlainLines,
    ProgressDisplay,
    file_progress,
)

HALF = Progress(
    path="a\x1b.mov",
    stage="encode",
    fraction=0.63,
    speed=2.94,
    eta_seconds=18.2,
    size_bytes=24_000_000,
)


def bars() -> Bars:
    return Bars(io.StringIO(), FileTracker())


def test_a_state_as_one_line():
    (state,) = FileTracker()(HALF)
    assert state.line() == "a\\x1b.mov  encode 63%  2.9x  24 MB  ETA 0:18"
    (state,) = FileTracker()(Progress(path="a", stage="encode", fraction=0.0))
    assert state.line() == "a  encode 0%"


def test_the_state_names_the_output_of_several():
    tracker = FileTracker()
    tracker(StageStarted(path="a", stage="encode", index=1, count=3))
    (state,) = tracker(Progress(path="a", stage="encode", fraction=0.5))
    assert state.stage == "encode 2/3"


def test_plain_lines_come_every_ten_seconds_per_file():
    stream, now = io.StringIO(), [0.0]
    plain = PlainLines(stream, FileTracker(), clock=lambda: now[0])
    plain(StageStarted(path=HALF.path, stage="encode"))
    for at in (0.5, 9.9, 10.1, 12.0, 20.2):
        now[0] = at
        plain(HALF)
    assert len(stream.getvalue().splitlines()) == 2


def test_json_is_one_line_per_event():
    stream = io.StringIO()
    display = JsonLines(stream)
    display(StageStarted(path="a", stage="probe"))
    display(HALF)
    lines = [json.loads(row) for row in stream.getvalue().splitlines()]
    assert [row["event"] for row in lines] == ["stage.start", "progress"]
    assert lines[1] == {
        "version": 1,
        "event": "progress",
        "path": "a\x1b.mov",
        "stage": "encode",
        "fraction": 0.63,
        "speed": 2.94,
        "eta_seconds": 18.2,
        "size_bytes": 24_000_000,
    }


def test_bars_accept_any_name_and_pause_for_other_output():
    with bars() as display:
        display(StageStarted(path="[red]a[/nonsense]", stage="encode"))
        display(Progress(path="[red]a[/nonsense]", stage="encode", fraction=0.5, speed=1.0))
        display(StageDone(path="[red]a[/nonsense]", stage="encode", seconds=1.0))
        with display.paused("[red]a[/nonsense]"):
            assert not display._bars.live.is_started
        assert not display._bars.live.is_started
        display(StageStarted(path="b", stage="encode"))
        with display.paused("unknown"):
            assert not display._bars.live.is_started
        assert display._bars.live.is_started
    assert display._bars is None


def test_bars_leave_stdout_alone(capsys):
    with bars() as display:
        display(StageStarted(path="a", stage="encode"))
        sys.stdout.write("the answer\n")
    assert capsys.readouterr().out == "the answer\n"


def test_a_file_that_is_only_probed_has_no_bar():
    stream = io.StringIO()
    with Bars(stream, FileTracker()) as display:
        display(StageStarted(path="a", stage="probe"))
        display(StageDone(path="a", stage="probe", seconds=0.1))
    assert stream.getvalue() == ""


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("bar", Bars), ("plain", PlainLines), ("none", ProgressDisplay), ("json", JsonLines)],
)
def test_each_mode_has_its_display(mode, kind):
    assert type(file_progress(mode, io.StringIO())) is kind
