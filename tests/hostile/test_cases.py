"""Regression cases give the correct result."""

from __future__ import annotations

from pathlib import Path

import pytest

import mediaprep
from mediaprep.model.media import Video
from tests.hostile.cases import CASES, UNKNOWN_COMPLETENESS
from tests.hostile.oracles import run_check, run_prepare


@pytest.mark.parametrize("name", CASES)
def test_a_case_has_the_correct_verdict_twice(name: str, tmp_path: Path) -> None:
    called, make, verdicts = CASES[name]
    path = tmp_path / called
    path.write_bytes(make())
    first, second = run_check(path), run_check(path)
    assert (first.status, first.text) == (second.status, second.text)
    assert first.status in verdicts, first.text
    outcome = run_prepare(path, tmp_path)
    assert not outcome.unexpected, outcome.text
    assert all(run_check(Path(output)).status == "pass" for output in outcome.outputs)


def test_a_file_cut_between_fragments_is_not_complete(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(UNKNOWN_COMPLETENESS())
    media = mediaprep.probe(path)
    assert isinstance(media, Video)
    assert media.complete is None
