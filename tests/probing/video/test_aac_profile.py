import pytest

from mediaprep.probing.bitstream.aac import AacConfig
from mediaprep.probing.reader_log import ReaderLog
from mediaprep.probing.video.aac_profile import AudioFrame, aac_profile

LC, LC_NO_SBR, LC_SBR = AacConfig(aot=2), AacConfig(aot=2, sbr=False), AacConfig(aot=2, sbr=True)


def frames_of(samples):
    if not samples:
        return []
    return [AudioFrame(samples=samples, channels=2, layout="stereo", sample_rate=48000)]


@pytest.mark.parametrize(
    ("decoder", "config", "samples", "profile"),
    [
        ("LC", LC, 1024, "LC"),
        ("LC", LC_NO_SBR, 1024, "LC"),
        ("LC", LC, 960, "LC"),
        # SBR is announced over a plain payload: only two readers detect it.
        ("LC", LC_SBR, 2048, "HE-AAC"),
        ("LC", LC_SBR, 1024, "HE-AAC"),
        ("LC", LC, 2048, "HE-AAC"),  # implicit SBR that the decoder's profile missed
        ("HE-AAC", LC, 2048, "HE-AAC"),
        ("HE-AACv2", LC, 2048, "HE-AACv2"),
        ("LC", AacConfig(aot=2, sbr=True, ps=True), 2048, "HE-AACv2"),
        ("Main", AacConfig(aot=1), 1024, "Main"),
        ("LTP", AacConfig(aot=4), 1024, "LTP"),
        ("LC", LC, 512, None),
        ("LC", LC, None, None),  # nothing decodes
        ("LC", None, 1024, None),  # no configuration found
        (None, LC, 1024, None),
        (None, None, None, None),
    ],
)
def test_lc_only_if_all_three_readers_agree(decoder, config, samples, profile):
    log = ReaderLog()
    found = aac_profile(decoder, config, frames_of(samples), log)
    assert found.profile == profile
    assert (found.sbr is None) == (profile is None)
    assert bool(log.unknown) == (profile is None)


def test_a_contradicting_reader_is_marked():
    log = ReaderLog()
    aac_profile("LC", LC_SBR, frames_of(2048), log)
    assert {reported.source: reported.agrees for reported in log.reported_facts} == {
        "pyav": False,
        "bitstream": True,
        "frames": True,
    }
