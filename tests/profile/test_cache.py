"""An entry is the profile itself, holds for the very bytes that it was made of, and nothing else in its place does harm."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mediaprep import profile
from mediaprep.profile import Profile, bundled, cache, folder, load


@pytest.fixture(autouse=True)
def entries(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "mediaprep" / "profiles"


@pytest.mark.parametrize("name", bundled())
def test_an_entry_is_the_profile(name, monkeypatch):
    path = folder() / f"{name}.toml"
    made = load(path)
    monkeypatch.setattr(profile, "_parsed", None)  # not called any more
    assert load(path) == made
    assert cache.read(path, Profile) == made


def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.toml"
    path.write_text(profile.draft("own", "twitter"))
    return path


def test_a_change_of_the_file_or_of_what_it_builds_on_is_seen(tmp_path, entries):
    path = own(tmp_path)
    load(path)
    assert cache.read(path, Profile) is not None
    (entry,) = [
        entry for entry in entries.iterdir() if len(json.loads(entry.read_text())["files"]) == 2
    ]  # its own and twitter's
    assert any(name.endswith("twitter.toml") for name in json.loads(entry.read_text())["files"])
    known = json.loads(entry.read_text())
    known["files"] = {
        name: "0" if name.endswith("twitter.toml") else value
        for name, value in known["files"].items()
    }
    entry.write_text(json.dumps(known))
    assert cache.read(path, Profile) is None
    path.write_text(path.read_text().replace('title = "own"', 'title = "New"'))
    assert load(path).title == "New"
    assert cache.read(path, Profile).title == "New"


PROFILES = ["3", '["Profile"]', '["os", ["a", 1]]', '["/", 1, 0]', "[" * 5000 + "]" * 5000]
ENTRIES = ["", "[]", "null", "{", '{"code": 1}', '{"code": "%", "files": [], "profile": 3}']


@pytest.mark.parametrize(
    "text",
    [*ENTRIES, *(f'{{"code": "%", "files": {{}}, "profile": {profile}}}' for profile in PROFILES)],
)
def test_nonsense_in_its_place_is_passed_over(tmp_path, entries, text):
    path = own(tmp_path)
    made = load(path)
    for entry in entries.iterdir():
        entry.write_text(text.replace("%", cache._code()))
    assert load(path) == made


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert load(own(tmp_path)).name == "own"
