"""The command line that ``plan --argv`` prints."""

from __future__ import annotations

import shlex

from mediaprep.report.argv import printable_argv, quoted


def test_descriptor_and_work_file_become_names_and_nothing_is_overwritten():
    words = (
        "ffmpeg",
        "-y",
        "-protocol_whitelist",
        "fd",
        "-f",
        "mov",
        "-fd",
        "SOURCE_FD",
        "-i",
        "fd:",
        "-c",
        "copy",
        "TARGET",
    )
    assert printable_argv(words, "-a b.mov", "out.mp4") == (
        "ffmpeg",
        "-protocol_whitelist",
        "file",
        "-f",
        "mov",
        "-i",
        "file:-a b.mov",
        "-c",
        "copy",
        "file:out.mp4",
    )


def test_a_shell_splits_it_into_the_same_words():
    words = ("ffmpeg", "-i", "file:a 'b'\n.mov")
    assert shlex.split(quoted(words)) == list(words)
