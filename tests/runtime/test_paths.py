"""File names are displayed safely and shortened to what file systems accept."""

from __future__ import annotations

import os

import pytest

from mediaprep.runtime import paths


def test_display_name_changes_only_what_cannot_be_displayed():
    assert (
        paths.display_name("Bildschirmfoto 2024-01-01 um 10.00\u202fUhr ü.png")
        == "Bildschirmfoto 2024-01-01 um 10.00\u202fUhr ü.png"
    )
    assert paths.display_name(b"caf\xe9\n") == "caf\\xe9\\n"


@pytest.mark.parametrize("stem", ["a" * 251, "é" * 125, "\udcff" * 251, "a"])
def test_a_name_is_shortened_until_it_fits(stem):
    name = paths.fit_name(stem, ".twitter.mp4")
    assert len(os.fsencode(name)) <= 255
    assert name.endswith(".twitter.mp4")
    assert stem.startswith(name.removesuffix(".twitter.mp4"))
