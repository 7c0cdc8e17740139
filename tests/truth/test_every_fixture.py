"""Probe and check report what the recipe of every fixture states: facts and broken limits, nothing
else.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

import fixtures
import mediaprep
from mediaprep.errors import SourceUnreadable
from mediaprep.model.media import Media, fact

pytestmark = pytest.mark.long  # some 300 probes: about two minutes on one core

OBSERVED = frozenset(
    {
        "video-gop-length",
        "video-idr",
        "video-start",
        "video-peak-frame-rate",
        "video-colour-range",
        "video-hdr",
        "video-edit-list",
        "subtitle-cue-empty",
        "subtitle-cue-overlap",
    }
)
MILLISECOND = Fraction(1, 1000)


def _differs(media: Media, path: str, wanted: Any) -> bool:
    found = fact(media, path)
    if path in {"duration", "video.duration"}:  # containers round to their ticks
        return found is None or abs(found - wanted) > MILLISECOND
    return bool(found != wanted)


@pytest.mark.parametrize(
    "name",
    [name for name in fixtures.names() if fixtures.RECIPES[name].facts.get("kind", "") is not None],
)
def test_probe_and_check_agree_with_the_recipe(name: str) -> None:
    """Probe reports the facts of the recipe; check finds the limits that it breaks and no others."""
    truth = fixtures.truth(name)
    try:
        media = mediaprep.probe(fixtures.make(name))
    except SourceUnreadable:
        assert truth.verdict in {"unreadable", ""}
        return
    assert truth.verdict != "unreadable"
    assert {
        path: fact(media, path)
        for path, wanted in truth.facts.items()
        if _differs(media, path, wanted)
    } == {}
    report = mediaprep.check(media)
    must = {finding.rule for finding in report.findings if finding.level == "must"}
    observed = {finding.rule for finding in report.findings} & OBSERVED
    assert (must - truth.recipe.maybe, observed - truth.recipe.maybe) == (truth.breaks, truth.warns)
