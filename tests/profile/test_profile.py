"""Profiles: the numbers of the default profile, finding a profile, and all problems of a bad one."""

import pickle
import re
import shutil
import subprocess
import sys
from datetime import date
from fractions import Fraction
from pathlib import Path

import pytest

import mediaprep
from mediaprep import profile
from mediaprep.errors import ProfileError, UsageProblem
from mediaprep.model.limits import ByteLimit, DimensionRange, OneOf, Range, Rung
from mediaprep.profile.load import load

CHECKOUT = Path(mediaprep.__file__).parent.parent

# From the platform's page and our reading of it, by hand: rule, level, limit in words.
VIDEO = """
video-frame-rate must at most 60 fps
video-dimensions must 32x32 to 1280x1024, portrait or landscape
video-size must at most 512 MB
video-duration must 0.5 s to 140 s
video-aspect-ratio must 1:3 to 3:1
video-pixel-aspect-ratio must 1:1
video-pixel-format must yuv420p or yuvj420p
video-open-gop must closed or closed-nonidr
video-scan must progressive or soft-telecine
audio-codec must aac/LC
audio-channels must 1 to 2
video-codec must h264
video-container must mp4 or mov
video-profile should High
video-recommended-frame-rate should 30 fps or 60 fps
video-recommended-dimensions should 1280x720 or 720x1280 or 720x720
video-recommended-aspect-ratio should 16:9 or 9:16 or 1:1
video-recommended-bitrate should at least 5000 kbit/s
audio-recommended-bitrate should at least 128 kbit/s
video-gop-length observed at most 512
video-idr observed IDR at every random access point
video-start observed an IDR picture at time 0
video-peak-frame-rate observed at most 60 fps
video-colour-range observed limited or unspecified
video-hdr observed none
video-edit-list observed none or plain
"""
FILE = """
file-kind must content that the category takes
file-complete must a complete file
file-private-metadata should no location, device or owner metadata
"""
GIF = """
animation-type must gif
gif-dimensions must at most 1280x1080
gif-frames must at most 350
gif-pixels must at most 300 000 000
gif-size must at most 15 MB
"""
IMAGE = """
image-type must jpeg or png or gif or webp
image-size must at most 5 MB
"""
SUBTITLES = """
subtitle-format must srt
subtitle-encoding must utf-8
subtitle-cue-time must cues that start before they end, none before 0
subtitle-cue-order must cues in order of time
subtitle-cue-empty should no empty cue
subtitle-cue-overlap should no cues that overlap
subtitle-duration should cues within the duration of the video
"""
LADDER = """
landscape 1280 720 2048 128
landscape 640 360 768 64
landscape 320 180 256 64
portrait 720 1280 2048 128
portrait 360 640 768 64
portrait 180 320 256 64
square 720 720 2048 128
square 480 480 768 64
square 240 240 256 32
"""


@pytest.mark.parametrize(
    ("category", "kind", "expected"),
    [
        ("tweet_video", "video", VIDEO + FILE),
        ("dm_video", "video", VIDEO + FILE),
        ("tweet_gif", "animation", GIF + FILE),
        ("dm_gif", "animation", GIF + FILE),
        ("tweet_image", "image", IMAGE + FILE),
        ("dm_image", "image", IMAGE + FILE),
        ("subtitles", "subtitle", SUBTITLES + FILE),
    ],
)
def test_the_default_profile_has_exactly_the_limits_of_the_specification(category, kind, expected):
    placement = profile.find_placement("twitter", category)
    found = [f"{rule} {r.level} {r.limit.describe()}" for rule, r in placement.requirements.items()]
    assert found == [line for line in expected.splitlines() if line]
    assert (placement.kind, placement.name) == (kind, f"twitter/{category}")


def test_the_categories_are_those_of_the_platform():
    names = {
        "tweet_image",
        "tweet_video",
        "tweet_gif",
        "dm_image",
        "dm_video",
        "dm_gif",
        "subtitles",
    }
    assert set(profile.find_profile("twitter").placements) == names


def test_limits_are_exact():
    limits = {
        rule: r.limit
        for rule, r in profile.find_placement("twitter/tweet_video").requirements.items()
    }
    assert limits["video-duration"] == Range(
        min=Fraction(1, 2), max=Fraction(140), quantity="duration"
    )
    assert limits["video-aspect-ratio"] == Range(
        min=Fraction(1, 3), max=Fraction(3), quantity="ratio"
    )
    assert limits["video-size"] == ByteLimit(judged=536_870_912, written=512_000_000, text="512 MB")
    assert limits["video-dimensions"] == DimensionRange(
        min=(32, 32), max=(1280, 1024), oriented=False
    )
    assert profile.find_placement("twitter/tweet_gif").requirements[
        "gif-dimensions"
    ].limit == DimensionRange(max=(1280, 1080), oriented=True)
    assert profile.find_placement("twitter/tweet_gif").requirements["gif-size"].limit == ByteLimit(
        judged=15_728_640, written=15_000_000, text="15 MB"
    )
    assert profile.find_placement("twitter/tweet_image").requirements[
        "image-size"
    ].limit == ByteLimit(judged=5_242_880, written=5_000_000, text="5 MB")


def test_the_ladder_is_the_table_of_the_page():
    rows = (line.split() for line in LADDER.splitlines() if line)
    wanted = tuple(
        Rung(
            orientation=o,
            width=int(w),
            height=int(h),
            video_bit_rate=int(v) * 1000,
            audio_bit_rate=int(a) * 1000,
        )
        for o, w, h, v, a in rows
    )
    encoding = profile.find_placement("twitter/tweet_video").encoding
    assert encoding.ladder.rungs == wanted
    assert (encoding.hq_bit_rate, encoding.trim_to, encoding.part_at_most) == (
        5_000_000,
        Fraction(1399, 10),
        Fraction(140),
    )
    assert (encoding.keyframe_seconds, encoding.sample_rates, encoding.quality) == (
        Fraction(2),
        (48000, 44100),
        "default",
    )


def test_a_post_takes_four_photos_or_one_gif_or_one_video():
    post = profile.find_profile("twitter").post
    assert (post.rule, post.level, post.gate) == ("post-attachments", "must", "post")
    assert (post.limit.images, post.limit.animations, post.limit.videos) == (4, 1, 1)


@pytest.mark.parametrize("name", profile.bundled())
def test_every_limit_of_every_bundled_profile_has_a_source_and_a_day(name):
    found = profile.find_profile(name)
    assert found.name == name
    assert (
        "docs" in found.source
        or "developer" in found.source.lower()
        or "github.com" in found.source
    )
    for placement in found.placements.values():
        for requirement in placement.requirements.values():
            assert len(requirement.source) > 10
            assert date.fromisoformat(requirement.date) >= date.fromisoformat("2026-08-22")


@pytest.mark.parametrize(
    ("name", "rule", "text"),
    [
        ("x-2026/tweet_video", "video-duration", "0.5 s to 1200 s"),
        ("x-2026/tweet_video", "video-size", "at most 8 GB"),
        ("x-2026/dm_video", "video-duration", "0.5 s to 140 s"),
        ("x-2026/amplify_video", "video-size", "at most 8 GB"),
        ("x-2026-premium/tweet_video", "video-duration", "0.5 s to 7500 s"),
        ("x-2026-premium/tweet_video", "video-size", "at most 16 GB"),
        ("x-2026-premium/dm_video", "video-duration", "0.5 s to 600 s"),
        ("x-2026-premium/dm_video", "video-size", "at most 1 GB"),
        ("x-2026-premium/tweet_gif", "gif-frames", "at most 350"),
        ("bluesky/image", "image-size", "at most 2000000 B"),
        ("discord/gif", "gif-size", "at most 20 MiB"),
        ("tiktok/video", "video-frame-rate", "23 fps to 60 fps"),
    ],
)
def test_other_platforms_differ_where_their_pages_do(name, rule, text):
    assert profile.find_placement(name).requirements[rule].limit.describe() == text


def test_a_category_inherits_what_it_omits():
    theirs, ours = (
        profile.find_placement("twitter/tweet_video"),
        profile.find_placement("x-2026/tweet_video"),
    )
    differing = {
        rule
        for rule in theirs.requirements
        if theirs.requirements[rule].limit != ours.requirements[rule].limit
    }
    assert differing == {"video-duration", "video-size"}
    assert (ours.encoding.part_at_most, ours.encoding.ladder) == (
        Fraction(1200),
        theirs.encoding.ladder,
    )


# ---------------------------------------------------------------- finding


@pytest.mark.parametrize(
    ("kind", "category"),
    [
        ("video", "tweet_video"),
        ("animation", "tweet_gif"),
        ("image", "tweet_image"),
        ("subtitle", "subtitles"),
        ("sound", "tweet_video"),
        (None, "tweet_video"),
    ],
)
def test_the_default_category_depends_on_the_kind_of_media(kind, category):
    assert profile.find_placement("twitter", kind=kind).category == category


def test_a_kind_that_a_profile_does_not_take_gets_the_first_category():
    assert profile.find_placement("tiktok", kind="image").name == "tiktok/video"


def test_two_different_categories_are_rejected():
    assert (
        profile.find_placement("twitter/dm_gif")
        == profile.find_placement("twitter", "dm_gif")
        == profile.find_placement("twitter/dm_gif", "dm_gif")
    )
    with pytest.raises(UsageProblem, match="two categories"):
        profile.find_placement("twitter/dm_gif", "tweet_gif")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("twiter", "no profile 'twiter'; did you mean 'twitter'?"),
        ("zzz", "no profile 'zzz'; known: twitter, bluesky"),
        ("twitter/dm_vidoe", "twitter: no category 'dm_vidoe'; did you mean 'dm_video'?"),
        ("nosuch.toml", "nosuch.toml: cannot be read: No such file"),
        ("nosuch.toml/dm_video", "nosuch.toml: cannot be read: No such file"),
    ],
)
def test_an_unknown_name_is_reported_with_a_similar_one(name, message):
    with pytest.raises(ProfileError, match=re.escape(message)):
        profile.find_placement(name)


def test_a_path_and_a_profile_of_the_user_are_found(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    folder = profile.own_folder()
    folder.mkdir(parents=True)
    (folder / "mine.toml").write_text(profile.draft("mine", "x-2026"))
    assert profile.own() == ("mine",)
    assert profile.find_placement("mine/dm_video").name == "mine/dm_video"
    assert profile.find_placement(f"{folder}/mine.toml/tweet_gif").name == "mine/tweet_gif"
    assert (
        profile.find_profile(f"{folder}/mine.toml").post.limit
        == profile.find_profile("x-2026").post.limit
    )


def test_a_bundled_name_always_means_the_bundled_profile(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    profile.own_folder().mkdir(parents=True)
    (profile.own_folder() / "twitter.toml").write_text("not a profile")
    assert profile.own() == ()
    assert profile.find_profile("twitter").title == "Twitter"


def test_an_edited_profile_is_read_again(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(profile.draft("mine", "twitter"))
    assert profile.find_profile(str(path)).title == "mine"
    path.write_text(path.read_text().replace('title = "mine"', 'title = "Mine, edited"'))
    assert profile.find_profile(str(path)).title == "Mine, edited"


def _where(root: Path) -> Path:
    code = "from mediaprep import profile; print(profile.folder()); profile.find_profile('added')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(root)},
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    )
    return Path(done.stdout.strip())


@pytest.mark.parametrize("layout", ["checkout", "wheel", "checkout with a stale copy"])
def test_profiles_come_from_the_checkout_when_there_is_one_else_from_the_package(tmp_path, layout):
    """An edit in the checkout takes effect despite the copy that an editable install makes."""
    shutil.copytree(
        CHECKOUT / "mediaprep",
        tmp_path / "mediaprep",
        ignore=shutil.ignore_patterns("__pycache__", "profiles"),
    )
    inside, beside = tmp_path / "mediaprep" / "profiles", tmp_path / "profiles"
    real = inside if layout == "wheel" else beside
    shutil.copytree(profile.folder(), real)
    (real / "added.toml").write_text((real / "discord.toml").read_text())
    if layout != "wheel":
        (tmp_path / "pyproject.toml").touch()
    if "stale" in layout:
        shutil.copytree(profile.folder(), inside)
    assert _where(tmp_path) == real


# ---------------------------------------------------------------- wrong profiles

GOOD = profile.draft("mine", "twitter").partition("\n[tweet_video]")[
    0
]  # the head: [profile], [profile.defaults], [post]
CATEGORIES = "\n".join(
    f'[{key}]\nkind = "{placement.kind}"\nlike = "twitter/{key}"'
    for key, placement in profile.find_profile("twitter").placements.items()
    if key != "tweet_video"
)
VIDEO_HEAD = f'{GOOD}\n{CATEGORIES}\n[tweet_video]\nkind = "video"\nlike = "twitter/tweet_video"\n'
OK = 'level = "must", source = "here"'


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (
            'video-frame-rate = { max = "60", level = "mist", source = "here" }',
            "tweet_video.video-frame-rate.level: input should be 'must', 'observed' or 'should' (got 'mist')",
        ),
        (
            'video-frame-rat = { max = "60" }',
            "tweet_video.video-frame-rat: no such key; did you mean 'video-frame-rate'?",
        ),
        (
            f"video-frame-rate = {{ maxx = 60, max = 60, {OK} }}",
            "tweet_video.video-frame-rate.maxx: no such key; did you mean 'max'?",
        ),
        (
            f"video-frame-rate = {{ max = 29.97, {OK} }}",
            'tweet_video.video-frame-rate.max: write it as text, such as "29.97"',
        ),
        (
            f'video-frame-rate = {{ max = "fast", {OK} }}',
            "tweet_video.video-frame-rate.max: invalid frame rate 'fast'; expected a number",
        ),
        (f"video-frame-rate = {{ {OK} }}", "tweet_video.video-frame-rate: needs min, max or both"),
        (
            'video-frame-rate = { max = "60", level = "must" }',
            "tweet_video.video-frame-rate.source: is missing",
        ),
        (
            f'video-duration = {{ min = "3 s", max = "2 s", {OK} }}',
            "tweet_video.video-duration: min is above max",
        ),
        (
            f'video-dimensions = {{ min = "64x64", max = "32x32", {OK} }}',
            "tweet_video.video-dimensions: min is above max",
        ),
        (
            f'video-scan = {{ one_of = ["progresive"], {OK} }}',
            "tweet_video.video-scan.one_of[0]: input should be 'progressive'",
        ),
        ("video-codec = 3", "tweet_video.video-codec: should be a table (got 3)"),
        (
            f"gif-frames = {{ max = 3, {OK} }}",
            "tweet_video.gif-frames: no such key here; it is a rule for 'animation'",
        ),
        ('encoding = { crf = "-vf null" }', "tweet_video.encoding.crf: no such key"),
        (
            'encoding = { trim_to = "141 s" }',
            "tweet_video.encoding: trim_to is longer than part_at_most",
        ),
        (
            'encoding = { part_at_most = "141 s" }',
            "tweet_video: encoding.part_at_most is longer than video-duration allows",
        ),
        (
            'ladder = [{ orientation = "square", width = 9, height = 9, video_bit_rate = "1k", audio_bit_rate = "1k" }]',
            "tweet_video: ladder has no rung for landscape or portrait",
        ),
        (
            'ladder = [{ orientation = "square", width = 9, height = 8, video_bit_rate = "1k", audio_bit_rate = "1k" }]',
            "tweet_video.ladder[0]: 9x8 is landscape, not square",
        ),
        (
            '[dm]\nkind = "vidoe"',
            "dm.kind: input should be 'video', 'animation', 'image' or 'subtitle' (got 'vidoe')",
        ),
        ("[posts]\nx = 1", "posts.kind: is missing; did you mean 'post'?"),
        ('[Dm]\nkind = "video"', "Dm: a category's name is lower-case letters, digits and _"),
        (
            '[dm]\nkind = "video"\nlike = "twitter/tweet_vide"',
            "dm.like: no category 'tweet_vide'; did you mean 'tweet_video'?",
        ),
        (
            '[dm]\nkind = "video"\nlike = "twiter/tweet_video"',
            "dm.like: no profile 'twiter'; did you mean 'twitter'?",
        ),
        ('[dm]\nkind = "video"\nlike = "dm"', "dm.like: refers to itself"),
        (
            '[dm]\nkind = "video"\nlike = "tweet_gif"',
            "dm.like: 'tweet_gif' is for animation, this category for 'video'",
        ),
        ("[dm]\nlike = 3", "dm.like: input should be text (got 3)"),
        ('[dm]\nkind = "subtitle"\nencoding = { format = "srt" }', "dm.file-kind: is missing"),
    ],
)
def test_a_problem_names_file_key_path_and_a_similar_key(tmp_path, line, problem):
    path = tmp_path / "my.toml"
    path.write_text(f"{VIDEO_HEAD}{line}\n")
    with pytest.raises(ProfileError) as caught:
        load(path)
    assert any(found.startswith(f"{path}: {problem}") for found in caught.value.problems), (
        caught.value.problems
    )


def test_every_problem_is_reported_once(tmp_path):
    """A problem in an inherited key is reported where it is written, not for each heir."""
    path = tmp_path / "my.toml"
    text = (profile.folder() / "twitter.toml").read_text()
    text = text.replace('max = "60", level = "must"', 'max = "60", level = "mist"').replace(
        'max = "15 MB"', 'max = "15 MBs"'
    )
    path.write_text(text.replace('video = "tweet_video"', 'video = "tweet_vide"'))
    with pytest.raises(ProfileError) as caught:
        load(path)
    assert [problem.split(": ")[1] for problem in caught.value.problems] == [
        "tweet_video.video-frame-rate.level",
        "tweet_gif.gif-size.max",
        "profile.defaults.video",
    ]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"[profile\n", "not TOML"),
        (b"\xff\xfe", "not UTF-8 at byte 0"),
        (b"", "profile: is missing"),
        (
            b'[profile]\nname = "x"\ntitle = "x"\nsource = "x"\ndate = "soon"\ndefaults = {}',
            "profile.date: string should match pattern",
        ),
        (
            b'[profile]\nname = "x"\ntitle = "x"\nsource = "x"\ndate = 2026-01-31\ndefaults = {}',
            "profile.defaults: needs a category",
        ),
        (
            b'[profile]\nname = "x"\ntitle = "x"\nsource = "x"\ndate = "2026-13-01"\ndefaults = {}',
            "profile.date: month must be in 1..12",
        ),
        (b"profile = 3", "profile: should be a table (got 3)"),
        (b'x = "y"', "x: no such key"),
    ],
)
def test_a_file_that_is_not_a_profile_raises_profile_error(tmp_path, content, problem):
    path = tmp_path / "my.toml"
    path.write_bytes(content)
    with pytest.raises(ProfileError, match=re.escape(problem)):
        load(path)


def test_a_folder_raises_profile_error(tmp_path):
    with pytest.raises(ProfileError, match="cannot be read"):
        load(tmp_path)


# ---------------------------------------------------------------- values, digest, schema


def test_the_digest_depends_only_on_the_content(tmp_path):
    text = (profile.folder() / "twitter.toml").read_text()
    variants = {
        "same": text,
        "commented": f"{text}\n# a remark\n",
        "changed": text.replace("max = 350", "max = 351"),
    }
    digests = {}
    for name, variant in variants.items():
        (tmp_path / f"{name}.toml").write_text(variant)
        digests[name] = load(tmp_path / f"{name}.toml").digest
    assert digests["same"] == digests["commented"] == profile.find_profile("twitter").digest
    assert digests["changed"] != digests["same"]
    assert re.fullmatch(r"[0-9a-f]{64}", digests["same"])


def test_a_profile_can_be_pickled():
    found = profile.find_profile("x-2026-premium")
    assert pickle.loads(pickle.dumps(found)) == found


def test_a_limit_of_names():
    assert profile.find_placement("twitter").requirements["video-container"].limit == OneOf(
        values=("mp4", "mov")
    )


@pytest.mark.parametrize(
    "path", sorted((CHECKOUT / "profiles").glob("*.toml")), ids=lambda path: path.name
)
def test_line_1_names_the_schema_for_editors(path):
    assert path.read_text().splitlines()[0] == "#:schema ./profile.schema.json"


def test_the_example_of_the_guide_loads(tmp_path):
    guide = (CHECKOUT / "docs" / "profiles.md").read_text()
    example = re.search(r"```toml\n(#:schema.*?)```", guide, re.DOTALL)[1]
    (tmp_path / "mine.toml").write_text(example)
    assert profile.find_placement(f"{tmp_path}/mine.toml", kind="video").name == "mine/wall"
