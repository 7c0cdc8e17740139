"""``mediaprep profiles``: what it prints and how it exits."""

import json
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from mediaprep import profile
from mediaprep.cli.profiles import app


@pytest.fixture(autouse=True)
def _own_config(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def run(*arguments: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return result.stdout


def test_list_shows_name_title_and_categories():
    first = run("list").splitlines()[0]
    categories = "tweet_video dm_video tweet_gif dm_gif tweet_image dm_image subtitles"
    assert first.split() == ["twitter", "Twitter", "2026-08-22", *categories.split()]


def test_list_as_json():
    document = json.loads(run("list", "--json"))
    assert document["version"] == 1
    assert [row["name"] for row in document["profiles"]] == list(profile.bundled())


def test_show_prints_every_limit_with_level_and_source():
    text = run("show", "twitter")
    for placement in profile.find_profile("twitter").placements.values():
        for requirement in placement.requirements.values():
            assert any(
                line.startswith(f"{requirement.rule} ")
                and requirement.level in line
                and requirement.limit.describe() in line
                and line.endswith(requirement.source)
                for line in text.splitlines()
            )


def test_show_of_a_placement_prints_that_one():
    text = run("show", "twitter/tweet_gif")
    assert "gif-frames" in text
    assert "video-frame-rate" not in text


def test_show_as_json_is_exact():
    document = json.loads(run("show", "twitter/tweet_video", "--json"))
    limits = {limit["rule"]: limit for limit in document["categories"]["tweet_video"]["limits"]}
    assert limits["video-aspect-ratio"]["limit"] == {"min": "1/3", "max": "3", "quantity": "ratio"}
    assert limits["video-size"]["limit"]["judged"] == 536_870_912
    assert limits["video-size"]["gate"] == "upload"
    assert document["categories"]["tweet_video"]["encoding"]["trim_to"] == "1399/10"


def test_validate_exits_0_for_the_bundled_profiles():
    paths = sorted(profile.folder().glob("*.toml"))
    assert len(run("validate", *paths).splitlines()) == len(paths)


def test_validate_reports_every_problem_on_its_own_line_and_exits_1(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my.toml").write_text(
        profile.draft("my", "twitter").replace(
            "[tweet_video]\n",
            "[tweet_video]\n"
            'video-frame-rate = { max = "60", level = "mist", source = "x" }\n'
            "video-siz = {}\n",
        )
    )
    assert run("validate", "my.toml", "gone.toml", code=1).splitlines() == [
        "my.toml: tweet_video.video-frame-rate.level:"
        " input should be 'must', 'observed' or 'should' (got 'mist')",
        "my.toml: tweet_video.video-siz: no such key; did you mean 'video-size'?",
        "gone.toml: cannot be read: No such file or directory",
    ]


def test_diff_lists_the_limits_that_differ():
    lines = run("diff", "twitter/tweet_video", "x-2026/tweet_video", code=1).splitlines()
    assert [line.split()[1] for line in lines] == ["video-size", "video-duration"]
    assert run("diff", "twitter/dm_video", "x-2026/dm_video") == ""


def test_new_starts_a_profile_that_validates_and_never_overwrites():
    path = run("new", "mine", "--like", "bluesky").strip()
    assert path == str(profile.own_folder() / "mine.toml")
    assert "ok: mine" in run("validate", path)
    assert (
        profile.find_placement("mine/gif").requirements
        == profile.find_placement("bluesky/gif").requirements
    )
    assert CliRunner().invoke(app, ["new", "mine"]).exception is not None
    assert CliRunner().invoke(app, ["new", "twitter"]).exception is not None


def test_schema_is_the_committed_one():
    assert run("schema") == (profile.folder() / profile.SCHEMA_NAME).read_text()


def test_importing_the_command_loads_nothing_heavy():
    code = (
        "import sys, mediaprep.cli.profiles;"
        "print([m for m in ('pydantic', 'numpy', 'av', 'PIL') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
