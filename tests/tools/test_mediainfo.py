"""MediaInfo's report, and what happens without one."""

import threading

from mediaprep.errors import SourceUnreadable
from mediaprep.runtime.source import open_source
from mediaprep.tools import mediainfo
from tests.tools.sources import BytesSource


def test_a_file_of_another_kind_has_no_video_track():
    report = mediainfo.read_report(BytesSource(b"nothing here" * 10))
    assert report is None or report.of_kind("Video") == ()


def test_the_report_of_a_source(make):
    with open_source(make("base.mp4")) as source:
        report = mediainfo.read_report(source)
    assert (
        report.general()["Format"],
        report.track("Video", 0)["Width"],
        report.track("Video", 1),
    ) == (
        "MPEG-4",
        "320",
        {},
    )


def test_a_source_that_fails_has_no_report():
    class Broken(BytesSource):
        def read_at(self, offset, n):
            raise SourceUnreadable("reading failed")

    assert mediainfo.read_report(Broken(b"x" * 100)) is None


def test_a_reader_that_does_not_return_has_no_report():
    class Endless(BytesSource):
        def read_at(self, offset, n):
            released.wait()
            return b""

    released = threading.Event()
    try:
        assert mediainfo.read_report(Endless(b"x" * 100), seconds=0.05) is None
    finally:
        released.set()
