"""Settings: which source overrides which, and which values are invalid."""

from __future__ import annotations

import pytest

from mediaprep import config
from mediaprep.errors import UsageProblem


@pytest.fixture(autouse=True)
def _own(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "own"))


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def load(tmp_path, explicit=None, environment=None, **options):
    return config.load(
        explicit, environment=environment or {}, start=tmp_path / "a" / "b", **options
    )


def test_without_files_and_variables_every_setting_has_its_default(tmp_path):
    found = load(tmp_path)
    assert found.values == {key: spec.default for key, spec in config.SETTINGS.items()}
    assert set(found.origins.values()) == {"default"}


def test_a_nearer_source_overrides_the_others(tmp_path):
    own = write(config.own_file(), 'profile = "own"\nquality = "fast"\nfit = "crop"\njobs = 2\n')
    project = write(
        tmp_path / "a" / "mediaprep.toml", 'profile = "project"\nquality = "hq"\nfit = "scale"\n'
    )
    given = write(tmp_path / "given.toml", 'profile = "given"\n')
    found = load(tmp_path, given, {"MEDIAPREP_QUALITY": "best", "MEDIAPREP_PROFILE": "environment"})
    assert [found.values[key] for key in ("profile", "quality", "fit", "jobs")] == [
        "given",
        "best",
        "scale",
        2,
    ]
    assert [found.origins[key] for key in ("profile", "quality", "fit", "jobs")] == [
        str(given),
        "MEDIAPREP_QUALITY",
        str(project),
        str(own),
    ]
    assert found.files == (str(given), str(project), str(own))


def test_a_table_in_pyproject_is_used_and_a_file_without_one_is_ignored(tmp_path):
    project = write(tmp_path / "pyproject.toml", "[tool.mediaprep]\nkeep-metadata = true\n")
    write(tmp_path / "a" / "pyproject.toml", "[tool.other]\nx = 1\n")
    found = load(tmp_path)
    assert found.flag("keep-metadata")
    assert found.origins["keep-metadata"] == str(project)


def test_isolated_reads_only_the_explicit_file(tmp_path):
    write(config.own_file(), 'profile = "own"\n')
    write(tmp_path / "mediaprep.toml", 'profile = "project"\n')
    assert (
        load(tmp_path, None, {"MEDIAPREP_PROFILE": "environment"}, isolated=True).text("profile")
        == "twitter"
    )
    given = write(tmp_path / "given.toml", 'profile = "given"\n')
    assert load(tmp_path, given, isolated=True).text("profile") == "given"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("qualty = 'fast'", "mediaprep.toml: qualty: unknown setting; did you mean 'quality'?"),
        (
            "quality = 'good'",
            "mediaprep.toml: quality: 'good' is invalid; expected fast or default or best or hq",
        ),
        ("jobs = 'two'", "mediaprep.toml: jobs: 'two' is invalid; expected a whole number"),
        ("jobs = true", "mediaprep.toml: jobs: True is invalid; expected a whole number"),
        ("jobs = 0", "mediaprep.toml: jobs: 0 is too small; the minimum is 1"),
        (
            "keep-metadata = 1",
            "mediaprep.toml: keep-metadata: 1 is invalid; expected true or false",
        ),
        ("profile = ", "mediaprep.toml: invalid TOML: "),
    ],
)
def test_an_invalid_setting_is_reported_with_file_key_and_expectation(tmp_path, text, message):
    write(tmp_path / "mediaprep.toml", text)
    with pytest.raises(UsageProblem) as caught:
        load(tmp_path)
    assert message in str(caught.value)


def test_every_problem_of_a_file_is_reported(tmp_path):
    write(tmp_path / "mediaprep.toml", "a = 1\nb = 2\n")
    with pytest.raises(UsageProblem) as caught:
        load(tmp_path)
    assert len(str(caught.value).splitlines()) == 2


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("MEDIAPREP_JOBS", "two"),
        ("MEDIAPREP_KEEP_METADATA", "maybe"),
        ("MEDIAPREP_SANDBOX", "none"),
    ],
)
def test_an_invalid_variable_is_reported_by_name(tmp_path, name, text):
    with pytest.raises(UsageProblem, match=name):
        load(tmp_path, None, {name: text})


def test_variables_are_parsed_by_the_type_of_the_setting(tmp_path):
    found = load(
        tmp_path,
        None,
        {
            "MEDIAPREP_JOBS": "3",
            "MEDIAPREP_KEEP_METADATA": "yes",
            "MEDIAPREP_TIMEOUT": "1.5",
            "MEDIAPREP_FFMPEG": "",
        },
    )
    assert (
        found.number("jobs"),
        found.flag("keep-metadata"),
        found.number("timeout"),
        found.text("ffmpeg"),
    ) == (3, True, 1.5, None)


def test_an_explicit_file_must_exist(tmp_path):
    with pytest.raises(UsageProblem, match="cannot be read"):
        load(tmp_path, tmp_path / "gone.toml")
