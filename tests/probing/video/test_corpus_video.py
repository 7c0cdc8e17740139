"""Every video of the corpus against ``truth.tsv``, column by column.

Where we differ, ``EXPLAINED`` has the reason.
"""

from __future__ import annotations

from fractions import Fraction
from importlib import import_module

import pytest

from mediaprep.model.media import Sound, Video
from mediaprep.probing.identify.sniff import sniff
from mediaprep.probing.request import ReadRequest
from mediaprep.probing.video.assemble import read_video
from mediaprep.runtime.source import open_source

corpus_table = import_module("tests.corpus")
VIDEOS = [file for file in corpus_table.real_files() if file.kind in ("video", "audio")]
# Tools round, and some count AAC priming: 1024 samples of 44.1 kHz are 23 ms.
MILLISECONDS = Fraction(25, 1000)

# (file, column): the evidence for our value against the table's
EXPLAINED = {
    (
        "torchcodec__nasa_13013.mp4",
        "duration",
    ): "the longest of six tracks; the chosen ones last 13.0 and 13.056 s (elst 13000, 13056)",
    (
        "media__sample_rotate_and_reflect.mp4",
        "rotation",
    ): "mirrored, then rotated by 270, is the table's transpose",
    (
        "media__sample_rotate_and_reflect.mp4",
        "duration",
    ): "1.024 s of sound begin after an empty edit of 44 ms (elst (44, -1))",
    (
        "media__bbb_2500ms.ts",
        "cfr_vfr",
    ): "a first gap of 125 ms: by presentation times variable, as the note says",
    (
        "media__sample.avi",
        "cfr_vfr",
    ): "one gap of 125 ms: by presentation times variable, as the note says",
    ("media__bbb_2500ms.ts", "gop"): "closed in effect",
    ("openh264__SarVui.264", "container"): "a raw stream has no container",
}
# Nominal rates by the notes, if the table has an average or a guess
RATES = {
    "media__sample.flv": (30000, 1001),
    "media__portrait_4k60.mp4": (60, 1),
    "dovi_tool__regular.mkv": (24000, 1001),
}


def read(file):
    with open_source(file.path) as source:
        sniffed = sniff(source)
        return read_video(source, sniffed, ReadRequest(sniffed=sniffed))


@pytest.fixture(params=VIDEOS, ids=lambda file: file.name)
def real(request, corpus):
    return request.param, read(request.param)


def differing(file, found):
    """Return the unexplained columns in which ``found`` (column: value) differs from the table."""
    row = file.row
    return {
        name: (row[name], value)
        for name, value in found.items()
        if row[name] not in ("", value) and (file.name, name) not in EXPLAINED
    }


def test_facts_agree_with_the_table(real):
    file, media = real
    found = {
        "container": media.container.format,
        "n_audio": str(sum(track.kind == "audio" for track in media.container.tracks)),
    }
    if media.audio is not None:
        found |= {"acodec": media.audio.codec, "channels": str(media.audio.channels)}
        if file.row["aprofile"]:
            found["aprofile"] = media.audio.profile
    if isinstance(media, Video):
        found |= video_columns(file, media.video)
    assert differing(file, found) == {}
    assert isinstance(media, Video) == (file.kind == "video")
    if file.duration is not None and (file.name, "duration") not in EXPLAINED:
        assert abs(media.duration - file.duration) < MILLISECONDS


def video_columns(file, video):
    row = file.row
    found = {
        "vcodec": video.codec,
        "vprofile": video.profile,
        "pix_fmt": video.pixel_format,
        "coded_wh": f"{video.width}x{video.height}"
        + row["coded_wh"].partition("x")[2].lstrip("0123456789"),
        "display_wh": "{}x{}".format(*video.display_size),
        "rotation": str(video.rotation),
        "scan": video.scan,
    }
    if video.sars or "undefined" not in row["sar"]:
        found["sar"] = f"{video.sar.numerator}:{video.sar.denominator}"
    if video.rate_mode is not None:
        found["cfr_vfr"] = video.rate_mode.upper()
    if row["gop"] not in ("", "unknown"):
        single = video.gop.count == 1 and video.gop.structure == "closed" and "single" in row["gop"]
        found["gop"] = "single GOP" if single else video.gop.structure
    return found


def test_nominal_rate(real):
    file, media = real
    if not isinstance(media, Video) or media.video.frame_rate is None:
        return
    wanted = Fraction(*RATES[file.name]) if file.name in RATES else file.rate
    assert abs(media.video.frame_rate - wanted) < wanted * Fraction(2, 1000)


def test_a_mirrored_picture_is_not_a_plain_rotation(corpus):
    file = next(item for item in VIDEOS if item.name == "media__sample_rotate_and_reflect.mp4")
    video = read(file).video
    assert (video.rotation, video.mirrored, video.matrix_exact, video.display_size) == (
        270,
        True,
        True,
        (720, 1080),
    )


@pytest.mark.parametrize(
    ("name", "formats"),
    [
        ("rails__rotated_hdr_video.mov", [("HLG", None, None), ("Dolby Vision", 8, 4)]),
        ("dovi_tool__regular.mkv", [("HDR10", None, None), ("Dolby Vision", 8, 1)]),
        ("media__sample_with_colr_mdcv_and_clli.mp4", [("HDR10", None, None)]),
        ("auto-editor__testsrc.mp4", []),
    ],
)
def test_hdr(corpus, name, formats):
    video = read(next(item for item in VIDEOS if item.name == name)).video
    assert [(item.name, item.profile, item.compatibility) for item in video.colour.hdr] == formats


def test_a_bogus_fragment_time_does_not_lengthen_the_file(corpus):
    """FFmpeg 5.1 reports 143165 s for this file."""
    assert (
        read(next(item for item in VIDEOS if item.name == "media__sample_fragmented.mp4")).duration
        < 2
    )


def test_he_aac_is_never_lc(corpus):
    media = read(next(item for item in VIDEOS if item.name == "shaka-player__id3-metadata.ts"))
    assert isinstance(media, Sound)
    assert (media.audio.profile, media.audio.sbr, media.audio.ps) == ("HE-AACv2", True, True)


def test_what_h263_implies_is_not_declared(corpus):
    """Pixels of 176x144 are 12:11 (ITU-T H.263, 4.1).

    The decoder reports that without a declaration; the box declares 1:1.
    """
    (declared,) = read(next(item for item in VIDEOS if item.name.endswith("h263.3gp"))).video.sars
    assert (declared.where, declared.value) == ("container", 1)
