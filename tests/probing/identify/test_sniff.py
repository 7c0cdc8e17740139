"""Recognising a file by its content, and refusing other files by name."""

from __future__ import annotations

import struct

import pytest

from mediaprep.errors import SourceUnreadable
from mediaprep.probing.formats.window import InMemoryFile
from mediaprep.probing.identify.sniff import sniff
from mediaprep.runtime.source import open_source
from tests.corpus import real_files

FIXTURES = {
    # name of the recipe: kind, format, demuxer
    "base.mp4": ("video", "mp4", "mov"),
    "frag.mp4": ("video", "mp4", "mov"),
    "base.mov": ("video", "mov", "mov"),
    "base.m4v": ("video", "mp4", "mov"),
    "base.3gp": ("video", "3gp", "mov"),
    "lc51.m4a": ("sound", "mp4", "mov"),
    "base.mkv": ("video", "matroska", "matroska"),
    "vp8.webm": ("video", "webm", "matroska"),
    "base.ts": ("video", "mpegts", "mpegts"),
    "base.m2ts": ("video", "mpegts", "mpegts"),
    "mpeg2_nob.mpg": ("video", "mpegps", "mpeg"),
    "base.avi": ("video", "avi", "avi"),
    "dv.avi": ("video", "avi", "avi"),
    "base.flv": ("video", "flv", "flv"),
    "theora.ogv": ("video", "ogg", "ogg"),
    "wmv.wmv": ("video", "asf", "asf"),
    "raw.h264": ("video", "raw-h264", "h264"),
    "raw.hevc": ("video", "raw-hevc", "hevc"),
    "mpeg2_flag_open.m2v": ("video", "mpegvideo", "mpegvideo"),
    "tone.wav": ("sound", "wav", "wav"),
    "tone.mp3": ("sound", "mp3", "mp3"),
    "mpeg2_id.aac": ("sound", "aac", "aac"),
    "anim.gif": ("animation", "gif", "gif"),
    "still.gif": ("image", "gif", "gif"),
    "anim.apng": ("animation", "apng", "apng"),
    "anim_named.png": ("animation", "apng", "apng"),
    "anim.webp": ("animation", "webp", "webp_anim"),
    "anim.avif": ("animation", "avif", "mov"),
    "plain.jpg": ("image", "jpeg", "jpeg_pipe"),
    "plain.png": ("image", "png", "png_pipe"),
    "actl_bomb.png": ("image", "png", "png_pipe"),
    "plain.webp": ("image", "webp", "webp_pipe"),
    "plain.avif": ("image", "avif", "mov"),
    "plain.tiff": ("image", "tiff", "tiff_pipe"),
    "plain.bmp": ("image", "bmp", "bmp_pipe"),
    "plain.jp2": ("image", "jpeg2000", "j2k_pipe"),
    "plain.ico": ("image", "ico", "ico"),
    "good.srt": ("subtitle", "srt", None),
    "utf16.srt": ("subtitle", "srt", None),
    "latin.srt": ("subtitle", "srt", None),
    "negative.srt": ("subtitle", "srt", None),
    "good.vtt": ("subtitle", "webvtt", None),
    "good.ass": ("subtitle", "ass", None),
    # the name lies
    "mp4_named.mkv": ("video", "mp4", "mov"),
    "mkv_named.mp4": ("video", "matroska", "matroska"),
    "ts_named.mov": ("video", "mpegts", "mpegts"),
    "mp4_named.jpg": ("video", "mp4", "mov"),
    "jpg_named.mp4": ("image", "jpeg", "jpeg_pipe"),
    "vtt_named.srt": ("subtitle", "webvtt", None),
}


@pytest.mark.parametrize("name", FIXTURES)
def test_content_decides_kind_format_and_demuxer(make, name):
    with open_source(make(name)) as source:
        found = sniff(source)
    assert (found.kind_hint, found.format, found.demuxer) == FIXTURES[name]


@pytest.mark.parametrize(
    "name",
    [name for name, (_, _, demuxer) in FIXTURES.items() if demuxer and name != "actl_bomb.png"],
)
def test_the_demuxer_is_that_of_ffprobe(make, name):
    """Truth: ffprobe's format_name."""
    import fixtures

    named = fixtures.truth(name).reference["ffprobe"]["format_name"].split(",")
    with open_source(make(name)) as source:
        found = sniff(source)
    assert named == ["image2"] or set(named) & set(found.format_whitelist.split(","))


@pytest.mark.parametrize(
    "name", [name for name, (kind, _, _) in FIXTURES.items() if kind in ("image", "animation")]
)
def test_the_size_is_that_of_exiftool(make, name):
    """Truth: exiftool's ImageWidth and ImageHeight; of several pictures the largest."""
    import fixtures

    facts = fixtures.truth(name).reference["exiftool"]
    wide, high = (
        [size] if isinstance(size, int) else size
        for size in (facts["ImageWidth"], facts["ImageHeight"])
    )
    with open_source(make(name)) as source:
        found = sniff(source)
    assert (found.width, found.height) == (max(wide), max(high))


REFUSED = {
    "hls.mp4": "HLS",
    "hls_relative.mp4": "HLS",
    "hls.m3u8": "HLS",
    "dash.mp4": "DASH",
    "dash.mpd": "DASH",
    "ffconcat.mp4": "concatenation",
    "svg.png": "SVG",
    "image.svg": "SVG",
    "zeros.mp4": "zero bytes",
    "text.mp4": "text file",
    "garbage.srt": "text file",
    "ftyp_only.mp4": "no moov",
    "no_moov.mp4": "no moov",
    "base_cut30.mp4": "truncated",
    "base_cut95.mov": "truncated",
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_names_the_kind_of_file(make, name):
    with (
        open_source(make(name)) as source,
        pytest.raises(SourceUnreadable, match=REFUSED[name]) as caught,
    ):
        sniff(source)
    assert "\n" not in caught.value.reason
    assert ":" in caught.value.reason  # before the remedy


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"%PDF-1.7\n%\xe2\xe3", "PDF"),
        (b"PK\x03\x04" + bytes(60), "archive"),
        (bytes(257) + b"ustar\0", "archive"),
        (b"\x7fELF" + bytes(60), "program"),
        (b"MZ" + bytes(60), "program"),
        (b"#!/bin/sh\necho", "program"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(60), "Office"),
        (b"II*\0\x10\0\0\0CR\x02\0" + bytes(60), "camera raw"),
        (b"\0\0\0\x18ftypcrx \0\0\0\1crx isom", "camera raw"),
        (b"FWS\x09" + bytes(60), "Flash"),
        (b"\xef\xbb\xbf\n\n#EXTM3U\n#EXTINF:1,\na.ts\n", "HLS"),
        ("#EXTM3U\na.ts\n".encode("utf-16"), "HLS"),
        (b"#EXTM3U\n1\n00:00:01,000 --> 00:00:02,000\nx\n", "HLS"),
        (b"ffconcat version 1.0\n00:00:01,000 --> 00:00:02,000\n", "concatenation"),
        (b"<?xml version='1.0'?>\n<!-- x -->\n<!-- y -->\n<MPD></MPD>", "DASH"),
        (b"<!DOCTYPE html><html></html>", "web page"),
        (b"<html><body>", "web page"),
        (b'{"a": 1}', "JSON"),
        (b"[playlist]\nFile1=/etc/passwd\n", "playlist"),
        (b"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\n", "SDP"),
        (b"{0}{25}Hello\n", "MicroDVD"),
        (b"<SAMI><BODY>", "SAMI"),
        (b"\x1a\x45\xdf\xa3\x8b\x42\x82\x88somethng", "EBML"),
        (b"\x13\x37" * 40, "no known format"),
        (b"xyz", "text"),
        (b"\x01", "too few"),
    ],
)
def test_other_kinds_of_files_are_refused_by_name(data, what):
    with pytest.raises(SourceUnreadable, match=what):
        sniff(InMemoryFile(data))


@pytest.mark.parametrize(
    "data",
    [
        b"<!---->" * 9000 + b"<x>",
        b"<!-- " * 13000,
        b"\n" * 65000 + b"x",
        b"\n1:1:1" * 10000,
        b"00:00:00" + b"-" * 65000,
        b"\x47" * 65000 + b"\0",
        b"\0\0\1" * 21000,
        b"P6" + b"#\n " * 20000,
    ],
)
def test_patterns_do_not_backtrack(data):
    """Careless patterns take for ever on this data; the time limit would end it."""
    with pytest.raises(SourceUnreadable):
        sniff(InMemoryFile(data))


def test_a_transport_stream_may_begin_inside_a_packet():
    packet = b"\x47\x40\x00\x10" + bytes(184)
    assert sniff(InMemoryFile((packet * 20)[100:])).format == "mpegts"
    assert sniff(InMemoryFile(packet * 3)).format == "mpegts"


def test_the_refusal_of_an_unfinished_recording_states_the_missing_bytes():
    data = b"\0\0\0\x14ftypisom\0\0\2\0mp41" + struct.pack(">I4s", 100_000, b"mdat") + b"x" * 1000
    with pytest.raises(SourceUnreadable, match="98992 bytes after the end") as caught:
        sniff(InMemoryFile(data))
    assert caught.value.rule == "file-complete"


FORMATS = {"h264": "raw-h264", "heic": "heif", "apng": "apng"}


@pytest.mark.parametrize("file", real_files(), ids=lambda file: file.name)
def test_real_files_are_recognised_as_in_the_corpus_table(file):
    """Truth: the corpus table, made with ffprobe, mediainfo and exiftool."""
    with open_source(file.path) as source:
        found = sniff(source)
    assert found.format == FORMATS.get(file.container, file.container)
    still = "image" if "animated" not in file.notes else "animation"
    assert found.kind_hint == {"gif": "animation", "image": still, "subtitle": "subtitle"}.get(
        file.kind, "video"
    )
    if found.width and file.kind in ("gif", "image"):
        assert (found.width, found.height) == file.size
