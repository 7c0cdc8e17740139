"""The diagnosis of a host, and of hosts that lack something."""

from __future__ import annotations

import json

import pytest

from mediaprep import cli, config, doctor
from mediaprep.runtime.context import Context
from mediaprep.tools import libraries


@pytest.fixture(autouse=True)
def _own_config(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("MEDIAPREP_FFMPEG", raising=False)


def items(context=None, settings=None):
    found = doctor.examine(settings or config.load(isolated=True), context or Context())
    return found, {item.name: item for item in found.items}


def test_this_host_has_everything_required():
    found, named = items()
    assert found.healthy, [item.message for item in found.items if item.status == "fail"]
    assert named["ffmpeg"].facts["source"].startswith("bundled (imageio-ffmpeg ")
    assert named["ffmpeg"].facts["needed_missing"] == []
    assert "libx264 aac zscale libvmaf palettegen" in named["ffmpeg"].message
    assert named["PyAV"].facts["says"].startswith("FFmpeg ")
    assert named["module ffmpeg"].facts["owners"] == ["ffmpeg-python"]
    assert "twitter" in named["profiles"].facts["names"]


def test_a_path_that_is_not_a_program_fails():
    found, named = items(Context(ffmpeg="/nonexistent/ffmpeg"))
    assert not found.healthy
    assert named["ffmpeg"].status == "fail"
    assert "is not an executable" in named["ffmpeg"].message


def test_the_origin_of_the_binary_is_shown(tmp_path):
    import imageio_ffmpeg

    binary = imageio_ffmpeg.get_ffmpeg_exe()
    (tmp_path / "mediaprep.toml").write_text(f'ffmpeg = "{binary}"\n')
    settings = config.load(environment={}, start=tmp_path)
    _, named = items(Context(ffmpeg=binary), settings)
    assert named["ffmpeg"].facts["source"] == f"from {tmp_path / 'mediaprep.toml'}"
    assert items(Context(ffmpeg=binary))[1]["ffmpeg"].facts["source"] == "from --ffmpeg"
    assert f"ffmpeg = {binary} ({tmp_path / 'mediaprep.toml'})" in named["configuration"].message


def test_two_owners_of_the_module_ffmpeg_are_an_error_with_a_remedy(monkeypatch):
    monkeypatch.setattr(libraries, "owners", lambda module: ("ffmpeg-python", "typed-ffmpeg"))
    found, named = items()
    assert not found.healthy
    assert "pip uninstall typed-ffmpeg" in named["module ffmpeg"].message


def test_a_library_that_is_missing_names_its_remedy():
    assert libraries.version("no-such-distribution") is None
    library = libraries._library("no-such-distribution", "It", lambda: "")
    assert (library.version, library.problem) == (
        None,
        "not installed: pip install no-such-distribution",
    )


def test_an_invalid_profile_of_the_user_is_a_warning():
    from mediaprep import profile

    profile.own_folder().mkdir(parents=True)
    (profile.own_folder() / "mine.toml").write_text("no profile")
    found, named = items()
    assert found.healthy
    assert named["profile mine"].status == "warn"


def test_the_command_exits_4_if_something_is_missing(capsys):
    assert cli.run(["doctor", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["version"], document["healthy"]) == (1, True)
    assert {"name", "status", "message", "facts"} == set(document["items"][0])
    assert cli.run(["doctor", "--ffmpeg", "/nonexistent/ffmpeg"]) == 4
    lines = capsys.readouterr().out.splitlines()
    assert all(line.split()[0] in ("ok", "warn", "fail") for line in lines)
    assert any(line.startswith("fail ") for line in lines)
