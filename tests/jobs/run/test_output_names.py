"""Names of outputs depend on the source files alone, and are unique."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest

from mediaprep.jobs.run import batch
from mediaprep.pipeline.output_paths import candidate_names
from tests.jobs.conftest import visible

Drop = Callable[..., Path]


@pytest.mark.parametrize(
    ("path", "suffixes", "others", "names"),
    [
        ("a/clip.mov", [".mp4"], [], ["a/clip.mp4", "a/clip.2.mp4"]),
        ("a/clip.mov", [".mp4"] * 2, [], ["a/clip.01.mp4", "a/clip.2.01.mp4"]),
        ("IMG_1.HEIC", [".jpg"], [".JPG"], ["IMG_1.heic.jpg", "IMG_1.heic.2.jpg"]),
        ("IMG_1.HEIC", [".jpg"], [".png"], ["IMG_1.heic.jpg", "IMG_1.heic.2.jpg"]),
        ("IMG_1.JPG", [".JPG"], [".HEIC"], ["IMG_1.JPG", "IMG_1.jpg.JPG", "IMG_1.jpg.2.JPG"]),
        ("IMG_1.HEIC", [".jpg"], [".MOV", ".AAE"], ["IMG_1.jpg", "IMG_1.2.jpg"]),
        ("IMG_1.MOV", [".mp4"], [".HEIC", ".AAE"], ["IMG_1.mp4", "IMG_1.2.mp4"]),
        ("clip.mov", [".mp4"], [".srt", ".jpg"], ["clip.mp4", "clip.2.mp4"]),
        ("clip.mov", [".mp4"], [".gif"], ["clip.mov.mp4", "clip.mov.2.mp4"]),
        ("clip.vtt", [".srt"], [".srt", ".mp4"], ["clip.vtt.srt", "clip.vtt.2.srt"]),
        ("clip.mov", [".mp4"] * 2, [".mkv"], ["clip.mov.01.mp4", "clip.mov.2.01.mp4"]),
    ],
)
def test_the_extension_is_included_if_another_file_could_get_the_name(
    path: str, suffixes: list[str], others: list[str], names: list[str]
) -> None:
    others_and_own = frozenset({Path(path).suffix, *others})
    candidates = islice(candidate_names(path, suffixes, others_and_own), len(names))
    assert [first for first, *_ in candidates] == names


@pytest.mark.slow
@pytest.mark.parametrize("first", ["clip.mkv", "clip.ts"])
def test_names_of_a_batch_do_not_depend_on_the_order_of_its_jobs(
    drop: Drop, open_driver, tmp_path: Path, first: str
) -> None:
    """One job at a time, in both orders; two sources with one stem do not stop the run."""
    sources = [drop("r60.mkv", "in/clip.mkv"), drop("r60.ts", "in/clip.ts")]
    drop("ac3.mp4", "in/clip.mp4")
    sources.sort(key=lambda path: path.name != first)
    inputs = [str(path) for path in (*sources, tmp_path / "in" / "clip.mp4")]
    with open_driver() as driver:
        end = batch.run(driver, inputs)
    assert end.counts == {"fixed": 3}
    assert visible(tmp_path / "out") == {"clip.mkv.mp4", "clip.ts.mp4", "clip.mp4"}


@pytest.mark.slow
def test_a_later_file_with_the_same_stem_gets_another_name(
    drop: Drop, open_driver, tmp_path: Path
) -> None:
    drop("r60.mkv", "in/clip.mkv")
    with open_driver() as driver:
        batch.run(driver, [str(tmp_path / "in")])
    drop("base.mp4", "in/clip.mp4")
    with open_driver() as driver:
        assert batch.run(driver, [str(tmp_path / "in")]).counts == {"already_ok": 1}
    assert visible(tmp_path / "out") == {"clip.mp4", "clip.mp4.mp4"}
    with open_driver() as driver:
        end = batch.run(driver, [str(tmp_path / "in")], fresh=True)
    assert end.counts == {"fixed": 1, "already_ok": 1}
    assert visible(tmp_path / "out") == {"clip.mp4", "clip.mp4.mp4"}
