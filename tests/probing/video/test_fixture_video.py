"""Facts that the fixtures' recipes claim, read back; the code under test wrote none of them."""

from __future__ import annotations

from fractions import Fraction

import pytest

import fixtures
from mediaprep.errors import SourceUnreadable
from mediaprep.model.media import fact
from mediaprep.probing.identify.sniff import sniff
from mediaprep.probing.request import ReadRequest
from mediaprep.probing.video.assemble import read_video
from mediaprep.runtime.source import open_source

NAMES = """
base.mp4 tff.mp4 bff.mp4 bff_as_tff.mp4 hidden_interlace.mp4 psf.mp4 fake.mp4 telecine.mp4 telecine_flagged.mp4 soft_telecine.mpg static.mp4
static_black.mp4 deinterlaced.mp4 mpeg4_tff.avi mpeg2_tff.ts dv.avi prores_tff.mov hevc_field.mp4
rot90.mp4 rot180.mp4 rot270.mp4 hflip.mp4 vflip.mp4 transpose.mp4 rot45.mp4 rot0_offset.mp4 scaled_matrix.mp4 rot90.mkv sei_rot90.mp4
crop.mp4 clap.mp4 clap_whole.mp4 sizechange.ts sar43.mp4 pasp_only.mp4 vui_only.mp4 sar_unstated.mp4 sar_pal.mp4 sar43.mkv sar_rot90.mp4
yuv422p.mp4 yuv420p10le.mp4 yuvj420p.mp4 gray.mp4 rgb.mp4 alpha.webm
pq.mp4 hlg.mp4 hdr10.mp4 dv5.mp4 dv81.mp4 dv84.mp4 bt709.mp4 bt470bg.mp4 untagged.mp4
aac_mono.mp4 aac_stereo.mp4 aac_51.mp4 aac_pce.mp4 he_explicit.mp4 mp3.mp4 ac3.mp4 opus.mp4 pcm.mov adts.ts no_audio.mp4 two_audio.mp4
second_default_51.mp4 lc51.m4a tone_cover.m4a elst.mp4 vdelay.mp4 no_elst.mp4 off.ts fs.mp4 moov_last.mp4 frag.mp4 cover.mp4 tmcd.mov
two_video.mp4 chapters.mp4 loc.mov base.mkv base.ts base.flv base.avi raw.h264 vp9.webm wmv.wmv r60.mkv r5994.mkv burst120.mp4 gap3s.mp4
one_frame.mp4 fs_cut60.mp4 base_cut60.mkv base_cut60.ts base_cut60.avi trunc.mp4 one_byte_short.mp4 zeroed_middle.mp4 cenc.mp4
durations.mp4 header_size.mp4 short_colr.mp4 fiel_in_name.mp4
""".split()  # noqa: SIM905 - a table of words
CLOSE = Fraction(1, 1000)


def read(path, **options):
    with open_source(path) as source:
        sniffed = sniff(source)
        return read_video(source, sniffed, ReadRequest(sniffed=sniffed, **options))


def agrees(wanted, found):
    near = isinstance(wanted, Fraction) and isinstance(found, Fraction | int)
    return abs(wanted - found) < CLOSE if near else wanted == found


@pytest.mark.parametrize("name", NAMES)
def test_every_claim_of_the_recipe_is_read_back(make, name):
    claims = fixtures.truth(name).facts
    path = make(name)
    if fixtures.truth(name).recipe.verdict == "unreadable":
        with pytest.raises(SourceUnreadable):
            read(path)
        return
    media = read(path)
    assert {
        path: (wanted, fact(media, path))
        for path, wanted in claims.items()
        if not agrees(wanted, fact(media, path))
    } == {}


@pytest.mark.parametrize("name", ["base_cut30.mp4", "stts_bomb.mp4", "box_size_1.mp4"])
def test_unreadable_files_raise(make, name):
    with pytest.raises(SourceUnreadable):
        read(make(name))


def test_a_picture_of_too_many_pixels_is_not_decoded(make):
    media = read(make("base.mp4"), max_pixels=1000)
    assert media.video.scan_content is None
    assert (media.video.width, media.video.height) == (320, 240)  # from the bitstream
    assert media.video.gop.structure == "closed"


def test_a_deep_probe_measures_every_window(make):
    def measured_frames(deep):
        values = [
            reported.value
            for reported in read(make("tff.mp4"), deep=deep).reported_facts
            if reported.fact == "video.scan_content"
        ]
        assert values[0].startswith("tff")
        return sum(int(part.split()[-1]) for part in values[0].split(", "))

    assert measured_frames(deep=True) > measured_frames(deep=False)


def test_unknown_facts_have_a_reason(make):
    media = read(make("raw.h264"))
    assert media.duration is None
    assert {"video.start", "video.duration", "video.frame_rate", "duration"} <= {
        item.fact for item in media.unknown
    }


def test_mediainfo_is_the_second_opinion(make):
    media = read(make("vui_only.mp4"))
    assert [
        reported
        for reported in media.reported_facts
        if reported.source == "mediainfo" and reported.fact == "video.sars"
    ]


def test_the_containers_encryption_flag_decides(make):
    """cenc encrypts parts of each packet: sizes and parameter sets can still be read."""
    with pytest.raises(SourceUnreadable, match="its video track is encrypted"):
        read(make("cenc.mp4"))
