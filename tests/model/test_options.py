"""The declarations of options, and the parsers of their values."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from types import NoneType, UnionType
from typing import Literal, Union, get_args, get_origin, get_type_hints

import pytest

from mediaprep.config import SETTINGS
from mediaprep.errors import UsageProblem
from mediaprep.model.option_spec import option_specs
from mediaprep.model.options import (
    Options,
    parse_frame_rate,
    parse_loudness,
    parse_max_size,
    parse_options,
    parse_rung,
    parse_trim,
)

SPECS = option_specs(Options)
DEFAULTS = {key: spec.default for key, spec in SETTINGS.items()}


def test_every_field_is_declared_as_an_option():
    assert list(SPECS) == [field.name for field in dataclasses.fields(Options)]


@pytest.mark.parametrize("name", SPECS)
def test_the_choices_are_those_of_the_type(name):
    hint = get_type_hints(Options)[name]
    parts = [hint]
    if get_origin(hint) in (Union, UnionType):
        parts = [part for part in get_args(hint) if part is not NoneType]
    words = get_args(parts[0]) if len(parts) == 1 and get_origin(parts[0]) is Literal else ()
    assert SPECS[name].choices == words


@pytest.mark.parametrize("spec", SPECS.values(), ids=lambda spec: spec.name)
def test_a_help_text_is_a_sentence_and_a_value_has_a_placeholder(spec):
    assert spec.help.endswith(".")
    assert spec.help[0].isupper()
    assert spec.is_flag or spec.choices or spec.metavar


def test_without_values_the_options_are_the_defaults():
    assert parse_options({}, DEFAULTS) == Options()


def test_a_setting_applies_to_what_the_command_line_omits():
    settings = DEFAULTS | {"fit": "crop", "keep-metadata": True}
    assert parse_options({"fit": "scale"}, settings) == Options(fit="scale", keep_metadata=True)
    assert not parse_options({"keep_metadata": False}, settings).keep_metadata


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"split": True, "trim": "first"}, "--trim first and --split exclude each other"),
        ({"snap": "1"}, "--snap needs --trim"),
        ({"trim": "5"}, "--trim: invalid span '5'; expected first, or START-END"),
        ({"min_vmaf": "101"}, "--min-vmaf: 101 is too large; the maximum is 100"),
        ({"min_vmaf": "high"}, "--min-vmaf: 'high' is not a number"),
        ({"quality": "good"}, "--quality: 'good' is not one of fast, default, best, hq"),
    ],
)
def test_an_invalid_value_names_the_option(values, message):
    with pytest.raises(UsageProblem) as caught:
        parse_options(values, DEFAULTS)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("parse", "text", "value"),
    [
        (parse_trim, "first", "first"),
        (parse_trim, "0:10-1:20", (Fraction(10), Fraction(80))),
        (parse_max_size, "15MB", 15_000_000),
        (parse_rung, "640x360", (640, 360)),
        (parse_frame_rate, "29.97", Fraction(30000, 1001)),
        (parse_loudness, "-14", Fraction(-14)),
        (parse_loudness, "-14.5 LUFS", Fraction(-29, 2)),
    ],
)
def test_a_value_is_parsed(parse, text, value):
    assert parse(text) == value


@pytest.mark.parametrize(
    ("parse", "text"),
    [
        (parse_trim, "0:10"),
        (parse_trim, "10-5"),
        (parse_max_size, "0MB"),
        (parse_rung, "0x360"),
        (parse_frame_rate, "0.5"),
        (parse_frame_rate, "1001"),
        (parse_loudness, "0"),
        (parse_loudness, "loud"),
        (parse_loudness, "1/0"),
    ],
)
def test_an_invalid_value_is_a_value_error(parse, text):
    with pytest.raises(ValueError, match="invalid"):
        parse(text)
