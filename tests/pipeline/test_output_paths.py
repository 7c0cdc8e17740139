"""Where outputs go and what they are called: decided from the sources alone, before any work."""

from __future__ import annotations

import io
import itertools
import os
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mediaprep.errors import UsageProblem
from mediaprep.model.media import Image, Subtitle
from mediaprep.model.options import Options
from mediaprep.model.tolerance import Among
from mediaprep.pipeline.output_paths import (
    check_paths,
    create_folder,
    destination_of,
    output_paths,
    output_stems,
    part_numbers,
)
from mediaprep.pipeline.request import Destination, OutputStem, Request
from mediaprep.planning.plan import Output, plan
from mediaprep.profile import find_profile
from mediaprep.runtime.paths import collision_key
from mediaprep.runtime.source import open_source
from tests.facts import good, twitter

Make = Callable[[str], Path]
TWITTER = find_profile("twitter")


def video_output() -> Output:
    (output,) = plan((good(container__format="matroska"),), twitter()).outputs
    return output


def parts(count: int) -> list[Output]:
    spans = [(Fraction(n), Fraction(n + 1)) for n in range(count)]
    return [replace(video_output(), span=span) for span in spans]


def names(*sources: str, folder: Path | None = None) -> list[str]:
    """Return stem and tag of each source."""
    return [stem.name + stem.tag for stem in output_stems(sources, folder)]


# -- stems --------------------------------------------------------------


def test_sources_of_different_stems_keep_them() -> None:
    assert names("a.mov", "b.mov", "sub/a.mov") == ["a", "b", "a"]


def test_sources_of_one_stem_keep_their_extension() -> None:
    assert names("IMG_1.HEIC", "IMG_1.JPG", "IMG_2.JPG") == ["IMG_1.heic", "IMG_1.jpg", "IMG_2"]


def test_sources_whose_outputs_are_of_other_kinds_need_no_extension(
    make: Make, tmp_path: Path
) -> None:
    """A photo and its live video: the first bytes tell, not the extension."""
    for fixture, name in (("plain.jpg", "a.heic"), ("base.mp4", "a.mov"), ("anim.gif", "b.jpg")):
        (tmp_path / name).write_bytes(make(fixture).read_bytes())
    (tmp_path / "b.mov").write_bytes(make("base.mp4").read_bytes())
    sources = [str(tmp_path / name) for name in ("a.heic", "a.mov", "b.jpg", "b.mov")]
    assert names(*sources) == ["a", "a", "b.jpg", "b.mov"], "an animation may become a video"
    assert names(*sources[::-1]) == ["b.mov", "b.jpg", "a", "a"]
    stems = output_stems(sources[:2], None, to="gif")
    assert [stem.tag for stem in stems] == [".heic", ".mov"]


def test_an_extension_may_be_missing() -> None:
    assert names("clip", "clip.mp4") == ["clip", "clip.mp4"]


def test_letter_case_and_composed_characters_collide() -> None:
    """As they do on some file systems."""
    assert names("Clip.mov", "clip.mp4") == ["Clip.mov", "clip.mp4"]
    assert names("caf\u00e9.mov", "cafe\u0301.mp4") == ["caf\u00e9.mov", "cafe\u0301.mp4"]


def test_sources_of_one_name_are_numbered_in_one_folder() -> None:
    assert names("a/clip.mov", "b/clip.mov", folder=Path("out")) == ["clip.mov", "clip.mov.2"]
    assert names("a/clip.mov", "b/clip.mov") == ["clip", "clip"]
    assert names("clip.MOV", "clip.mov") == ["clip.mov", "clip.mov.2"]


def test_a_stem_may_look_like_another_with_its_extension() -> None:
    assert sorted(names("a.heic", "a.jpg", "a.heic.jpg")) == ["a.heic", "a.heic.2", "a.jpg"]


def test_streams_are_called_upload() -> None:
    assert names("") == ["upload"]
    assert names("", "") == ["upload", "upload.2"]
    assert names("", "upload.mp4") == ["upload", "upload.mp4"]


@pytest.mark.parametrize("again", ["clip.mov", "./clip.mov", "sub/../clip.mov", "link/clip.mov"])
def test_one_path_passed_twice_is_a_usage_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again: str
) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "link").symlink_to(tmp_path)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageProblem, match="passed twice"):
        output_stems(["clip.mov", "other.mov", again], None)


@given(
    st.lists(
        st.tuples(st.sampled_from(["", "x/", "y/"]), st.sampled_from(["a", "A", "a.jpg", "b"])),
        unique=True,
        max_size=5,
    ).flatmap(
        lambda stems: st.tuples(
            st.just([folder + stem for folder, stem in stems]),
            st.lists(st.sampled_from(["", ".jpg", ".JPG", ".png"]), min_size=5, max_size=5),
        )
    ),
    st.booleans(),
)
def test_names_are_unique_and_independent_of_the_order(
    drawn: tuple[list[str], list[str]], one_folder: bool
) -> None:
    sources = list(dict.fromkeys(stem + ext for stem, ext in zip(*drawn, strict=False)))
    folder = Path("out") if one_folder else None
    expected = dict(zip(sources, output_stems(sources, folder), strict=True))
    for order in itertools.islice(itertools.permutations(sources), 24):
        assert dict(zip(order, output_stems(order, folder), strict=True)) == expected
    keys = [
        (folder or Path(source).parent, collision_key(f"{stem.name}{stem.tag}.twitter.mp4"))
        for source, stem in expected.items()
    ]
    assert len(set(keys)) == len(keys)


def test_long_names_that_differ_at_their_end_stay_different() -> None:
    """The stem is shortened to what a file system accepts, the tag is not."""
    sources = [f"{'x' * 240}{end}.mov" for end in "ab"]
    requests = [
        Request(source=source, profile=TWITTER, stem=stem)
        for source, stem in zip(sources, output_stems(sources, None), strict=True)
    ]
    paths = [
        output_paths(request, str(request.source), [video_output()])[0].path for request in requests
    ]
    assert paths[0] != paths[1]
    assert max(len(os.fsencode(path.name)) for path in paths) <= 255


# -- paths --------------------------------------------------------------


def test_an_output_lies_beside_its_source() -> None:
    request = Request(source="in/clip.mkv", profile=TWITTER)
    (path,) = output_paths(request, "in/clip.mkv", [video_output()])
    assert path.path == Path("in/clip.twitter.mp4").absolute()
    assert path.possible == (path.path,)


def test_a_folder_and_a_stem_are_used() -> None:
    request = Request(
        source="in/clip.mkv",
        profile=TWITTER,
        destination=Destination(folder=Path("out")),
        stem=OutputStem(name="clip", tag=".mkv"),
    )
    (path,) = output_paths(request, "in/clip.mkv", [video_output()])
    assert path.path == Path("out/clip.mkv.twitter.mp4").absolute()


def test_parts_are_numbered() -> None:
    request = Request(source="clip.mkv", profile=TWITTER)
    assert [path.path.name for path in output_paths(request, "clip.mkv", parts(3))] == [
        "clip.twitter.01.mp4",
        "clip.twitter.02.mp4",
        "clip.twitter.03.mp4",
    ]
    file = replace(request, destination=Destination(file=Path("out.mp4")))
    assert [path.path.name for path in output_paths(file, "clip.mkv", parts(2))] == [
        "out.01.mp4",
        "out.02.mp4",
    ]
    assert part_numbers(1) == [""]
    assert part_numbers(120)[0] == ".001"


def test_captions_are_named_after_their_video() -> None:
    captions = replace(video_output(), target=Subtitle(format="srt"))
    request = Request(source="clip.mkv", profile=TWITTER, captions="words.ass")
    assert [
        path.path.name for path in output_paths(request, "clip.mkv", [video_output(), captions])
    ] == ["clip.twitter.mp4", "clip.twitter.srt"]


def still_output() -> Output:
    """A still whose format the encoder chooses."""
    placement = TWITTER.placements["tweet_image"]
    source = Image(
        name="a.tif", size_bytes=6_000_000, complete=True, private=(), format="tiff", width=400,
        height=300, orientation=1, mode="RGB", bit_depth=8, alpha=False, colour_space="sRGB",
        pictures=1, gain_map=False, least_bytes=5_990_000,
    )  # fmt: skip
    (output,) = plan((source,), placement, Options()).outputs
    assert any(isinstance(item, Among) for item in output.tolerances)
    return output


def test_the_suffix_of_a_still_follows_its_format() -> None:
    request = Request(source="a.tif", profile=TWITTER)
    (path,) = output_paths(request, "a.tif", [still_output()])
    assert [possible.name for possible in path.possible] == ["a.twitter.png", "a.twitter.jpg"]
    assert path.of(Image(format="jpeg")).name == "a.twitter.jpg"
    named = replace(request, destination=Destination(file=Path("mine.jpeg")))
    (path,) = output_paths(named, "a.tif", [still_output()])
    assert path.possible == (Path("mine.jpeg").absolute(),)
    assert path.of(Image(format="png")).name == "mine.jpeg"


def test_every_possible_path_is_checked(make: Make, tmp_path: Path) -> None:
    (tmp_path / "a.twitter.jpg").write_bytes(b"mine")
    source = str(tmp_path / "a.tif")
    request = Request(source=source, profile=TWITTER)
    paths = output_paths(request, source, [still_output()])
    with open_source(make("base.mp4")) as opened:
        with pytest.raises(UsageProblem, match="--force"):
            check_paths(paths, request, [opened])
        check_paths(paths, replace(request, force=True), [opened])


# -- destinations --------------------------------------------------------------


def test_a_folder_exists_or_ends_in_a_separator(tmp_path: Path) -> None:
    assert destination_of(None) == Destination()
    assert destination_of(tmp_path) == Destination(folder=tmp_path)
    assert destination_of(f"{tmp_path}/new/") == Destination(folder=tmp_path / "new")
    assert destination_of(tmp_path / "new", folder=True) == Destination(folder=tmp_path / "new")
    assert destination_of(tmp_path / "a.mp4") == Destination(file=tmp_path / "a.mp4")
    assert list(tmp_path.iterdir()) == [], "nothing is created before there is an output"


def test_a_destination_that_cannot_be_written_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for target in (f"{tmp_path}/file/", f"{tmp_path}/file/sub/", f"{tmp_path}/a\0b/"):
        with pytest.raises(UsageProblem):
            destination_of(target)
    with pytest.raises(UsageProblem, match="does not exist"):
        destination_of(tmp_path / "missing" / "a.mp4")


def test_a_folder_is_created_with_its_parents(tmp_path: Path) -> None:
    create_folder(Destination())
    create_folder(Destination(folder=tmp_path / "a" / "b"))
    create_folder(Destination(folder=tmp_path / "a" / "b"))
    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UsageProblem, match="cannot be created"):
        create_folder(Destination(folder=tmp_path / "file" / "sub"))


def test_binary_files_without_a_name_are_streams() -> None:
    from mediaprep.pipeline.inspect import source_name, source_path

    assert (source_path(io.BytesIO()), source_name(io.BytesIO())) == ("", "stream")
    assert source_path(b"a.mp4") == "a.mp4"
