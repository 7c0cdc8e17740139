import io
import os

import pytest

from mediaprep.errors import SourceUnreadable
from mediaprep.runtime.source import open_source
from mediaprep.runtime.source_file import SourceFile
from mediaprep.tools import field_filters, mediainfo, pyav


class Held:
    """Bytes as a source."""

    def __init__(self, data):
        self.data = data
        self.size_bytes = len(data)

    def read_at(self, offset, n):
        return self.data[offset : offset + n]


def opened(source, demuxer="mov", max_pixels=10**7):
    return pyav.open_container(source, demuxer=demuxer, whitelist=None, max_pixels=max_pixels)


def test_raw_file_reads_as_bytesio_does():
    data = bytes(range(200))
    ours, theirs = SourceFile(Held(data)), io.BytesIO(data)
    for step in (
        lambda f: f.read(7), lambda f: f.seek(-5, os.SEEK_END), lambda f: f.read(10), lambda f: f.seek(20),
        lambda f: f.seek(3, os.SEEK_CUR),
                lambda f: f.tell(), lambda f: f.read(), lambda f: f.seek(500), lambda f: f.read(4),
    ):  # fmt: skip
        assert step(ours) == step(theirs)


def test_two_readers_share_no_offset(make):
    with open_source(make("base.mp4")) as source, opened(source) as one, opened(source) as two:
        first, second = one.scan(0, None, None), two.scan(0, None, None)
    assert first[0].packets == second[0].packets == 100


def test_scan_counts_every_packet_and_hands_on_the_picture(make):
    fed, heard = [], []
    with open_source(make("base.mp4")) as source, opened(source) as reader:
        picture, sound, ended_by = reader.scan(
            0,
            1,
            lambda *packet: fed.append(len(packet[0])),
            keep_video=3,
            keep_audio=2,
            hear=heard.append,
        )
    assert (picture.packets, len(fed), sum(fed), ended_by) == (100, 100, picture.bytes, None)
    assert (len(picture.head), len(sound.head), len(heard)) == (3, 2, sound.packets)


@pytest.mark.parametrize(
    "data",
    [b"", bytes(4000), b"\0\0\0\x18ftypisom" + bytes(12), b"#EXTM3U\n#EXTINF:1,\n/etc/hostname\n"],
)
def test_what_is_no_media_file_is_unreadable(data):
    with pytest.raises(SourceUnreadable):
        opened(Held(data))


def test_another_demuxer_than_the_one_named_is_not_tried(make):
    with open_source(make("base.mkv")) as source, pytest.raises(SourceUnreadable):
        opened(source, demuxer="mov")


def test_a_picture_of_more_pixels_than_allowed_does_not_decode(make):
    with open_source(make("base.mp4")) as source, opened(source, max_pixels=1000) as reader:
        span = reader.scan(0, None, None, keep_video=10)[0]
        assert list(reader.pictures(0, span.head)) == []


@pytest.mark.parametrize(
    ("name", "parity"), [("tff.mp4", "tff"), ("bff.mp4", "bff"), ("base.mp4", None)]
)
def test_field_order_is_that_of_the_frame(make, name, parity):
    with open_source(make(name)) as source, opened(source) as reader:
        pictures = list(reader.pictures(0, reader.scan(0, None, None, keep_video=10)[0].head))
    order = field_filters.FieldOrder(pictures[0])
    assert {order.of(picture) for picture in pictures} == {parity}


@pytest.mark.parametrize(
    ("name", "chroma", "bits", "alpha"),
    [
        ("yuv420p", "4:2:0", 8, False), ("yuvj420p", "4:2:0", 8, False), ("yuv420p10le", "4:2:0", 10, False), ("nv12", "4:2:0", 8, False),
        ("yuv422p", "4:2:2", 8, False), ("yuv444p12le", "4:4:4", 12, False), ("yuv411p", "4:1:1", 8, False), ("gray", "4:0:0", 8, False),
        ("ya8", "4:0:0", 8, True), ("yuva420p", "4:2:0", 8, True), ("gbrp", "rgb", 8, False), ("rgba", "rgb", 8, True),
    ],
)  # fmt: skip
def test_pixel_formats(name, chroma, bits, alpha):
    told = pyav.pixel_format(name)
    assert (told.chroma, told.bits, told.alpha) == (chroma, bits, alpha)


def test_a_name_that_is_no_pixel_format():
    assert pyav.pixel_format("nonsense") is None


def test_mediainfo_on_what_is_no_media_file():
    told = mediainfo.opinion(Held(b"nothing here" * 10))
    assert told is None or told.of_kind("Video") == ()


def test_mediainfo_reads_from_the_source(make):
    with open_source(make("base.mp4")) as source:
        told = mediainfo.opinion(source)
    assert (told.general()["Format"], told.track("Video", 0)["Width"], told.track("Video", 1)) == (
        "MPEG-4",
        "320",
        {},
    )


def test_mediainfo_that_fails_has_no_opinion():
    class Broken(Held):
        def read_at(self, offset, n):
            raise SourceUnreadable("reading failed")

    assert mediainfo.opinion(Broken(b"x" * 100)) is None


def test_mediainfo_that_does_not_end_has_no_opinion():
    class Endless(Held):
        def read_at(self, offset, n):
            released.wait()
            return b""

    import threading

    released = threading.Event()
    try:
        assert mediainfo.opinion(Endless(b"x" * 100), seconds=0.05) is None
    finally:
        released.set()
