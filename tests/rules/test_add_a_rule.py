"""A new rule is its function and one line in a profile: nothing else has to be edited."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import mediaprep

CHECKOUT = Path(mediaprep.__file__).parent.parent
RULE = '''

@rule(
    "video-chapters",
    kinds=("video",),
    subject="number of chapters",
    limit=RangeForm(quantity="count"),
    facts=("container.chapters",),
)
def chapters(source: Video, limit: Range) -> Judgement:
    """What it checks: the number of chapters.

    Why it matters: this rule exists only in a test.

    The fix: drops all chapters.
    """
    count = source.container.chapters
    if count is None:
        return Unknown(fact="container.chapters")
    return judge(str(count), allowed=limit.allows(count))


@fix("video-chapters", safety="lossless", summary="drop the chapters")
def without_chapters(target: Video, case: Case) -> Video:
    return remuxed(target)
'''
IMPORTS = """
from mediaprep.model.limit_forms import RangeForm
from mediaprep.model.limits import Range
"""
LINE = 'video-chapters = { max = 3, level = "must", source = "a test" }\n'
PROGRAM = """
import json
from dataclasses import replace
from mediaprep.planning.check import check
from mediaprep.planning.plan import plan
from mediaprep.profile import find_placement
from mediaprep.profile.build import derived_files
from tests.facts import good, changed

placement = find_placement("twitter/tweet_video")
media = changed(good(), container__chapters=4)
planned = plan((media,), placement)
files = {path.name: text for path, text in derived_files().items()}
print(json.dumps({
    "findings": [finding.message for finding in check(media, placement).findings],
    "chapters": planned.outputs[0].target.container.chapters,
    "schema": "video-chapters" in files["profile.schema.json"],
    "guide": "video-chapters" in files["profiles.md"],
}))
"""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the checkout with the new rule in ``rules/video/container.py``."""
    for name in ("mediaprep", "profiles", "docs"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(CHECKOUT / name, tmp_path / name, ignore=ignored)
    shutil.copy(CHECKOUT / "pyproject.toml", tmp_path)
    (tmp_path / "tests").mkdir()
    shutil.copy(CHECKOUT / "tests" / "facts.py", tmp_path / "tests")
    module = tmp_path / "mediaprep" / "rules" / "video" / "container.py"
    head, future, body = module.read_text().partition("from __future__ import annotations\n")
    module.write_text(head + future + IMPORTS + body + RULE)
    profile = tmp_path / "profiles" / "twitter.toml"
    profile.write_text(
        profile.read_text().replace("\nvideo-codec = {", f"\n{LINE}video-codec = {{", 1)
    )
    return tmp_path


def run(tree: Path, *argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *argv],
        cwd=tree,
        env={"PYTHONPATH": str(tree), "HOME": str(tree)},
        capture_output=True,
        text=True,
    )


def test_a_new_rule_needs_its_function_and_one_line(tree: Path) -> None:
    (tree / "program.py").write_text(PROGRAM)
    done = run(tree, "program.py")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "findings": [
            "clip.mp4: number of chapters is 4; twitter/tweet_video takes at most 3 (a test). "
            "Fix: drop the chapters."
        ],
        "chapters": 0,
        "schema": True,
        "guide": True,
    }
    explained = run(tree, "-m", "mediaprep", "explain", "video-chapters").stdout
    assert "drops all chapters" in explained
    assert "at most 3" in explained


def test_its_key_is_checked_like_any_other(tree: Path) -> None:
    wrong = LINE.replace("max = 3", "most = 3")
    profile = tree / "profiles" / "twitter.toml"
    profile.write_text(profile.read_text().replace(LINE, wrong))
    done = run(tree, "-m", "mediaprep", "profiles", "validate", str(profile))
    assert done.returncode == 1
    assert "tweet_video.video-chapters.most: no such key" in done.stdout
