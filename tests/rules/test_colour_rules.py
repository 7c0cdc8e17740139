"""``video-hdr`` with a limit that allows some HDR formats; its other rows: test_three_rows.py."""

from __future__ import annotations

import pytest

from mediaprep.model.limits import OneOf
from mediaprep.model.media import HdrFormat, HdrName
from mediaprep.rules import REGISTRY
from mediaprep.rules.registry import Failed, Passed
from tests.facts import good

HLG_ALLOWED = OneOf(values=("none", "HLG"))


@pytest.mark.parametrize(
    ("names", "judgement"),
    [
        ((), Passed(measured="none")),
        (("HLG",), Passed(measured="HLG")),
        (("PQ",), Failed(measured="PQ")),
        (("HLG", "Dolby Vision"), Failed(measured="HLG, Dolby Vision")),
    ],
)
def test_a_profile_may_allow_hdr(names: tuple[HdrName, ...], judgement: Passed | Failed) -> None:
    media = good(video__colour__hdr=tuple(HdrFormat(name=name) for name in names))
    assert REGISTRY["video-hdr"].check(media, HLG_ALLOWED) == judgement
