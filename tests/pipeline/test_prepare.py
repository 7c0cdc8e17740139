"""Prepare real files: copies are identical, outputs keep every rule, and nothing else is touched."""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

import mediaprep
from mediaprep import Options
from mediaprep.pipeline import encode_and_verify
from mediaprep.pipeline.inspect import inspect_steps
from mediaprep.pipeline.prepare import prepare_steps
from mediaprep.pipeline.request import Destination, Request
from mediaprep.runtime.context import Context
from mediaprep.runtime.effects import drive
from mediaprep.transcoding import execute

Make = Callable[[str], Path]


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def tree(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_an_accepted_file_is_left_as_it_is(make: Make, tmp_path: Path) -> None:
    outcome = mediaprep.prepare(make("base.mp4"), tmp_path / "out.mp4")
    assert outcome.status == "already_ok"
    assert outcome.outputs == ()
    assert [(u.path, u.media_type, u.category, u.chunked) for u in outcome.uploads] == [
        (str(make("base.mp4")), "video/mp4", "tweet_video", True)
    ]
    assert outcome.uploads[0].total_bytes == make("base.mp4").stat().st_size
    assert tree(tmp_path) == set()


@pytest.mark.parametrize("name", ["r60.mkv", "r60.ts"])
def test_a_wrong_container_copies_every_stream(make: Make, tmp_path: Path, name: str) -> None:
    """The decoded pictures have equal digests."""
    outcome = mediaprep.prepare(make(name), tmp_path / "out.mp4")
    assert outcome.status == "fixed", outcome.problems
    before = decoded_md5(make(name), tmp_path)
    after = decoded_md5(tmp_path / "out.mp4", tmp_path)
    assert before == after


@pytest.mark.parametrize(
    ("name", "rate"),
    [("r60.mkv", Fraction(60)), ("r60.flv", Fraction(60)), ("r5994.mkv", Fraction(60000, 1001))],
)
def test_a_copy_has_the_exact_frame_rate(
    make: Make, tmp_path: Path, name: str, rate: Fraction
) -> None:
    """Frames divided by the duration of the sample table; timestamps in milliseconds would give
    60.02.
    """
    import av

    assert mediaprep.prepare(make(name), tmp_path / "out.mp4").status == "fixed"
    with av.open(tmp_path / "out.mp4") as made:
        assert made.streams.video[0].average_rate == rate


def decoded_md5(path: Path, tmp_path: Path) -> str:
    """Return the MD5 of the picture as the bundled ffmpeg decodes it, a reader that is not under
    test.
    """
    import imageio_ffmpeg

    argv = [
        imageio_ffmpeg.get_ffmpeg_exe(),
        "-v",
        "error",
        "-i",
        str(path),
        "-map",
        "0:v:0",
        "-fps_mode",
        "passthrough",
        "-f",
        "md5",
        "-",
    ]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def test_wrong_sound_copies_the_picture(make: Make, tmp_path: Path) -> None:
    source = make("ac3.mp4")
    outcome = mediaprep.prepare(source, tmp_path / "out.mp4")
    assert outcome.status == "fixed", outcome.problems
    assert decoded_md5(source, tmp_path) == decoded_md5(tmp_path / "out.mp4", tmp_path)
    media = outcome.after[0].media
    assert isinstance(media, mediaprep.Video)
    assert media.audio is not None
    assert (media.audio.codec, media.audio.profile) == ("aac", "LC")


def test_only_encoded_streams_are_decoded(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The copied picture is verified by its digest."""
    decoded: list[Any] = []

    def spy(*words: Any, **options: Any) -> Any:
        decoded.append(options["kinds"])
        return execute.decode_steps(*words, **options)

    monkeypatch.setattr(encode_and_verify, "decode_steps", spy)
    assert mediaprep.prepare(make("ac3.mp4"), tmp_path / "out.mp4").status == "fixed"
    assert decoded == [("a",)]


def test_a_corrected_sample_aspect_ratio_is_a_verified_copy(make: Make, tmp_path: Path) -> None:
    """Nothing is encoded, and the digests are equal."""
    source = make("sar43.mp4")
    outcome = mediaprep.prepare(source, tmp_path / "out.mp4", options=Options(square_pixels=True))
    assert outcome.status == "fixed", outcome.problems
    assert outcome.records[0].frames_decoded is None
    (copied,) = (copy for copy in outcome.records[0].copied if copy.track == "video")
    assert copied.source_digest == copied.output_digest is not None
    assert decoded_md5(source, tmp_path) == decoded_md5(tmp_path / "out.mp4", tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "open.mp4",
        "yuv422p.mp4",
        "yuv420p10le.mp4",
        "tff.mp4",
        "rot90.mp4",
        "sar43.mp4",
        "hlg.mp4",
        "gdr.mp4",
        "r120.mp4",
    ],
)
def test_an_output_keeps_every_rule(make: Make, tmp_path: Path, name: str) -> None:
    source = make(name)
    digest = sha256(source)
    outcome = mediaprep.prepare(source, tmp_path / "out.mp4")
    assert outcome.status in ("fixed", "already_ok"), outcome.problems
    assert sha256(source) == digest
    for report in outcome.after:
        assert [f.rule for f in report.findings if f.level in ("must", "observed")] == []
        assert outcome.uploads[0].total_bytes == (tmp_path / "out.mp4").stat().st_size
    assert tree(tmp_path) <= {"out.mp4"}


def test_a_long_video_is_refused_with_remedies(make: Make, tmp_path: Path) -> None:
    outcome = mediaprep.prepare(make("d140_2997.mp4"), tmp_path / "out.mp4")
    assert outcome.status == "refused"
    assert "--trim first" in outcome.problems[0]
    assert "--split" in outcome.problems[0]
    assert tree(tmp_path) == set()


@pytest.mark.slow
def test_trim_first_keeps_the_first_139_9_seconds(make: Make, tmp_path: Path) -> None:
    outcome = mediaprep.prepare(
        make("d140_2997.mp4"), tmp_path / "out.mp4", options=Options(trim="first", quality="fast")
    )
    assert outcome.status == "fixed", outcome.problems
    media = outcome.after[0].media
    assert isinstance(media, mediaprep.Video)
    assert media.duration is not None
    assert 139.8 < media.duration <= 139.95


def test_an_existing_output_is_refused_before_any_work(make: Make, tmp_path: Path) -> None:
    (tmp_path / "out.mp4").write_bytes(b"mine")
    with pytest.raises(mediaprep.UsageProblem, match="--force"):
        mediaprep.prepare(make("r60.mkv"), tmp_path / "out.mp4")
    assert (tmp_path / "out.mp4").read_bytes() == b"mine"
    assert mediaprep.prepare(make("r60.mkv"), tmp_path / "out.mp4", force=True).status == "fixed"
    assert (tmp_path / "out.mp4").read_bytes() != b"mine"


@pytest.mark.parametrize("link", ["same", "symlink", "hardlink"])
def test_the_source_is_never_the_output(make: Make, tmp_path: Path, link: str) -> None:
    source = tmp_path / "in.mkv"
    source.write_bytes(make("r60.mkv").read_bytes())
    target = source if link == "same" else tmp_path / "alias.mp4"
    if link == "symlink":
        target.symlink_to(source)
    elif link == "hardlink":
        os.link(source, target)
    digest = sha256(source)
    with pytest.raises(mediaprep.UsageProblem):
        mediaprep.prepare(source, target, force=True)
    assert sha256(source) == digest


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"hello, world\n" * 50,
        b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n",
        b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom",
    ],
)
def test_other_content_is_unreadable_in_one_line(tmp_path: Path, content: bytes) -> None:
    source = tmp_path / "clip.mp4"
    source.write_bytes(content)
    outcome = mediaprep.prepare(source, tmp_path / "out.mp4")
    assert outcome.status == "unreadable"
    assert len(outcome.problems) == 1
    assert "\n" not in outcome.problems[0]
    assert tree(tmp_path) == {"clip.mp4"}


def test_a_missing_file_and_a_folder_are_unreadable(tmp_path: Path) -> None:
    assert mediaprep.prepare(tmp_path / "nothing.mp4").status == "unreadable"
    assert mediaprep.check(tmp_path).verdict == "unreadable"


def test_hostile_names_do_not_matter(make: Make, tmp_path: Path) -> None:
    """Names that look like options, protocols or patterns do not reach a tool."""
    for name in (
        b"-i.mkv",
        b"http:x.mkv",
        b"a%d.mkv",
        b"two\nlines.mkv",
        b"concat:a|b.mkv",
        b"caf\xe9.mkv",
    ):
        source = os.path.join(os.fsencode(tmp_path), name)
        with open(source, "wb") as file:
            file.write(make("r60.mkv").read_bytes())
        outcome = mediaprep.prepare(source, tmp_path / "out.mp4", force=True)
        assert outcome.status == "fixed", (name, outcome.problems)


def test_without_a_target_the_output_is_beside_the_source(make: Make, tmp_path: Path) -> None:
    source = tmp_path / "clip.mkv"
    source.write_bytes(make("r60.mkv").read_bytes())
    outcome = mediaprep.prepare(source)
    assert outcome.outputs == (str(tmp_path / "clip.twitter.mp4"),)
    assert tree(tmp_path) == {"clip.mkv", "clip.twitter.mp4"}


def test_the_output_is_beside_the_name_that_was_given(make: Make, tmp_path: Path) -> None:
    (tmp_path / "clip.mkv").symlink_to(make("r60.mkv"))
    assert mediaprep.prepare(tmp_path / "clip.mkv").outputs == (str(tmp_path / "clip.twitter.mp4"),)


def test_a_target_that_ends_in_a_separator_is_a_folder_and_created(
    make: Make, tmp_path: Path
) -> None:
    outcome = mediaprep.prepare(make("r60.mkv"), f"{tmp_path}/new/folder/")
    assert outcome.outputs == (str(tmp_path / "new" / "folder" / "r60.twitter.mp4"),)
    assert mediaprep.prepare(make("base.mp4"), f"{tmp_path}/other/").status == "already_ok"
    assert not (tmp_path / "other").exists(), "nothing had to be written"


@pytest.mark.parametrize("placement", ["nosuchprofile", "twitter/nosuchcategory"])
def test_an_unknown_placement_is_found_before_the_file_is_opened(
    placement: str, tmp_path: Path
) -> None:
    """A missing file must not hide it."""
    missing = tmp_path / "missing.mp4"
    calls = [
        lambda: mediaprep.check(missing, placement),
        lambda: mediaprep.plan(missing, placement),
        lambda: mediaprep.prepare(missing, None, placement),
        lambda: mediaprep.check_post([missing], placement),
        lambda: mediaprep.prepare_post([missing], None, placement),
        lambda: asyncio.run(mediaprep.check_async(missing, placement)),
        lambda: asyncio.run(mediaprep.plan_async(missing, placement)),
        lambda: asyncio.run(mediaprep.prepare_async(missing, None, placement)),
        lambda: next(iter(mediaprep.events(missing, None, placement))),
    ]
    for call in calls:
        with pytest.raises(mediaprep.ProfileError, match="nosuch"):
            call()


def test_the_request_is_not_changed_by_a_run(make: Make, tmp_path: Path) -> None:
    """Not even if a second attempt makes a video instead of a GIF."""
    profile = mediaprep.load_profile("twitter")
    request = Request(
        source=str(make("r60.mkv")), profile=profile, destination=Destination(folder=tmp_path)
    )
    before = replace(request)
    context = Context()
    first = drive(prepare_steps(request, context), context)
    assert (first.status, request) == ("fixed", before)
    again = drive(prepare_steps(replace(request, force=True), context), context)
    assert again.outputs == first.outputs


def test_verified_work_files_can_be_left_to_the_caller(make: Make, tmp_path: Path) -> None:
    """As a batch does: the outcome names them, and nothing is published."""
    profile, context = mediaprep.load_profile("twitter"), Context()
    request = Request(source=str(make("r60.mkv")), profile=profile)
    inspection = drive(inspect_steps(request, context, for_repair=True), context)
    steps = prepare_steps(request, context, probed=inspection.probed, work_folder=tmp_path)
    outcome = drive(steps, context)
    assert outcome.status == "fixed"
    assert tree(tmp_path) == {Path(outcome.outputs[0]).name}
    assert outcome.outputs[0].endswith(".mp4.part")


def test_a_binary_file_is_a_source(make: Make, tmp_path: Path) -> None:
    with make("r60.mkv").open("rb") as file:
        outcome = mediaprep.prepare(file, tmp_path / "out.mp4")
    assert outcome.status == "fixed", outcome.problems


def test_the_location_is_removed_and_the_streams_copied(make: Make, tmp_path: Path) -> None:
    outcome = mediaprep.prepare(make("loc.mov"), tmp_path / "out.mp4")
    assert outcome.status == "fixed", outcome.problems
    assert decoded_md5(make("loc.mov"), tmp_path) == decoded_md5(tmp_path / "out.mp4", tmp_path)
    assert b"+37.3349" not in (tmp_path / "out.mp4").read_bytes()
    assert {change.safety for change in outcome.changes} == {"lossless"}


def test_events_report_the_stages_in_order(make: Make, tmp_path: Path) -> None:
    items = list(mediaprep.events(make("r60.mkv"), tmp_path / "out.mp4"))
    assert isinstance(items[-1], mediaprep.Outcome)
    stages = [item.stage for item in items if isinstance(item, mediaprep.StageDone)]
    assert stages == ["probe", "encode", "verify", "publish"]


@pytest.mark.slow
def test_a_killed_run_leaves_no_output(make: Make, tmp_path: Path) -> None:
    """After kill -9 during the encode, nothing has the final name."""
    words = f"{str(make('d140_2997.mp4'))!r}, {str(tmp_path / 'out.mp4')!r}, options=mediaprep.Options(trim='first')"
    code = f"import mediaprep; mediaprep.prepare({words}, on_event=lambda e: print(e, flush=True))"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if "Progress" in line:
                break
        child.kill()
    assert not (tmp_path / "out.mp4").exists()
