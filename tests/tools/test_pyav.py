"""Opening, scanning and decoding with PyAV."""

import pytest

from mediaprep.errors import SourceUnreadable
from mediaprep.runtime.source import open_source
from mediaprep.tools import field_filters, pyav, pyav_frames
from tests.tools.sources import BytesSource


def opened(source, demuxer="mov", max_pixels=10**7):
    return pyav.open_container(source, demuxer=demuxer, whitelist=None, max_pixels=max_pixels)


def test_two_readers_share_no_offset(make):
    with open_source(make("base.mp4")) as source, opened(source) as one, opened(source) as two:
        first, second = one.scan(0, None), two.scan(0, None)
    assert first[0].packets == second[0].packets == 100


def test_a_scan_counts_and_feeds_every_packet(make):
    video_sizes, audio_views = [], []
    with open_source(make("base.mp4")) as source, opened(source) as reader:
        video, audio, ended_by = reader.scan(
            0,
            1,
            feed_video=lambda *packet: video_sizes.append(len(packet[0])),
            feed_audio=audio_views.append,
            keep_video=3,
            keep_audio=2,
        )
    assert (video.packets, len(video_sizes), sum(video_sizes)) == (100, 100, video.bytes)
    assert (len(video.head), len(audio.head), len(audio_views)) == (3, 2, audio.packets)
    assert ended_by is None


@pytest.mark.parametrize(
    "data",
    [b"", bytes(4000), b"\0\0\0\x18ftypisom" + bytes(12), b"#EXTM3U\n#EXTINF:1,\n/etc/hostname\n"],
)
def test_a_file_of_another_kind_is_unreadable(data):
    with pytest.raises(SourceUnreadable):
        opened(BytesSource(data))


def test_only_the_named_demuxer_is_tried(make):
    with open_source(make("base.mkv")) as source, pytest.raises(SourceUnreadable):
        opened(source, demuxer="mov")


def test_a_picture_of_more_pixels_than_allowed_is_not_decoded(make):
    with open_source(make("base.mp4")) as source, opened(source, max_pixels=1000) as reader:
        span = reader.scan(0, None, keep_video=10)[0]
        assert list(reader.frames(0, span.head)) == []


@pytest.mark.parametrize(
    ("name", "parity"), [("tff.mp4", "tff"), ("bff.mp4", "bff"), ("base.mp4", None)]
)
def test_field_order_is_read_from_the_frame(make, name, parity):
    with open_source(make(name)) as source, opened(source) as reader:
        frames = list(reader.frames(0, reader.scan(0, None, keep_video=10)[0].head))
    order = field_filters.FieldOrder(frames[0])
    assert {order.of(frame) for frame in frames} == {parity}


@pytest.mark.parametrize(
    ("name", "chroma", "bits", "alpha"),
    [
        ("yuv420p", "4:2:0", 8, False),
        ("yuvj420p", "4:2:0", 8, False),
        ("yuv420p10le", "4:2:0", 10, False),
        ("nv12", "4:2:0", 8, False),
        ("yuv422p", "4:2:2", 8, False),
        ("yuv444p12le", "4:4:4", 12, False),
        ("yuv411p", "4:1:1", 8, False),
        ("gray", "4:0:0", 8, False),
        ("ya8", "4:0:0", 8, True),
        ("yuva420p", "4:2:0", 8, True),
        ("gbrp", "rgb", 8, False),
        ("rgba", "rgb", 8, True),
    ],
)
def test_pixel_formats(name, chroma, bits, alpha):
    found = pyav_frames.pixel_format(name)
    assert (found.chroma, found.bits, found.alpha) == (chroma, bits, alpha)


def test_an_unknown_pixel_format():
    assert pyav_frames.pixel_format("nonsense") is None
