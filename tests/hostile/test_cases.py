"""What was found once stays right."""

from __future__ import annotations

from pathlib import Path

import pytest

import mediaprep
from mediaprep.model.media import Video
from tests.hostile.cases import CASES, UNTELLABLE
from tests.hostile.oracles import checked, prepared


@pytest.mark.parametrize("name", CASES)
def test_a_case_ends_as_it_should_and_twice_the_same(name: str, tmp_path: Path) -> None:
    called, make, verdicts = CASES[name]
    path = tmp_path / called
    path.write_bytes(make())
    first, second = checked(path), checked(path)
    assert (first.word, first.text) == (second.word, second.text)
    assert first.word in verdicts, first.text
    ending = prepared(path, tmp_path)
    assert not ending.bare, ending.text
    assert all(checked(Path(output)).word == "pass" for output in ending.outputs)


def test_a_cut_between_fragments_is_not_called_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(UNTELLABLE())
    media = mediaprep.probe(path)
    assert isinstance(media, Video)
    assert media.complete is None
