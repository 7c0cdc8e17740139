import pytest

from mediaprep.probing.bitstream.aac import AacConfig
from mediaprep.probing.video.audio import SoundFrame, aac_profile
from mediaprep.probing.video.notes import ReaderLog

LC, LC_NO_SBR, LC_SBR = AacConfig(aot=2), AacConfig(aot=2, sbr=False), AacConfig(aot=2, sbr=True)


def heard(samples):
    return (
        [SoundFrame(samples=samples, channels=2, layout="stereo", sample_rate=48000)]
        if samples
        else []
    )


@pytest.mark.parametrize(
    ("decoder", "config", "samples", "profile"),
    [
        ("LC", LC, 1024, "LC"),
        ("LC", LC_NO_SBR, 1024, "LC"),
        ("LC", LC, 960, "LC"),
        (
            "LC",
            LC_SBR,
            2048,
            "HE-AAC",
        ),  # a config announcing SBR over a plain payload: only two witnesses see it
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
def test_lc_only_where_all_three_witnesses_agree(decoder, config, samples, profile):
    notes = ReaderLog()
    told = aac_profile(decoder, config, heard(samples), notes, "audio")
    assert told.profile == profile
    assert (told.sbr is None) == (profile is None)
    assert bool(notes.unknown) == (profile is None)


def test_a_contradicting_witness_is_marked():
    notes = ReaderLog()
    aac_profile("LC", LC_SBR, heard(2048), notes, "audio")
    assert {witness.source: witness.agrees for witness in notes.reported_facts} == {
        "pyav": False,
        "bitstream": True,
        "frames": True,
    }
