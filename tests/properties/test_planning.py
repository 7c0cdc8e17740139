"""What must hold of every plan, whatever the file: it converges, is proved, touches only what is at fault, and loses nothing unasked."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import pairwise

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from mediaprep.model.media import Video, leaves
from mediaprep.model.options import Options
from mediaprep.model.tolerance import AtMostBytes, Near, fill_in
from mediaprep.planning.check import check
from mediaprep.planning.plan import Output, plan
from mediaprep.planning.streams import stream_actions
from tests.facts import twitter
from tests.properties.strategies import conforming, options, videos

PLACEMENT = twitter()
# What a picture that is copied keeps, whatever wraps it.
PICTURE = (
    "codec",
    "profile",
    "pixel_format",
    "width",
    "height",
    "rotation",
    "mirrored",
    "scan",
    "frame_count",
)


def outputs(media: Video, wish: Options | None = None) -> tuple[Output, ...]:
    return plan((media,), PLACEMENT, wish).outputs


def target(output: Output) -> Video:
    made = fill_in(output.target, output.tolerances)
    assert isinstance(made, Video)
    return made


@given(media=videos(), wish=options())
@settings(max_examples=400, deadline=None)
def test_every_planned_output_is_proved_by_its_own_rules(media: Video, wish: Options) -> None:
    """check of what is wanted has no must left, broken or unknown; a refusal says why."""
    made = plan((media,), PLACEMENT, wish)
    for output in made.outputs:
        assert [
            f.message for f in check(target(output), PLACEMENT).findings if f.level == "must"
        ] == []
    assert all(refusal.reason for refusal in made.refusals)
    assert made.status in ("already_ok", "planned", "refused")


@given(media=videos(), wish=options())
@settings(max_examples=300, deadline=None)
def test_planning_twice_changes_nothing(media: Video, wish: Options) -> None:
    """What was promised, taken as a file, needs nothing more: the plan of it, with the same wishes, is empty."""
    for output in outputs(media, wish):
        made = replace(target(output), complete=True, private=())
        video = made.video
        whole = replace(
            made,
            video=replace(
                video,
                reencode=False,
                timestamps="ok",
                start=video.start or Fraction(0),
                edit_list="plain",
            ),
            audio=None if made.audio is None else replace(made.audio, reencode=False),
        )
        again = plan((whole,), PLACEMENT, wish)
        assert again.status == "already_ok", (again.refusals, [o.changes for o in again.outputs])


@given(media=videos())
@settings(max_examples=300, deadline=None)
def test_nothing_is_done_exactly_where_nothing_is_wrong(media: Video) -> None:
    """already_ok if and only if no must is broken or unknown and no telling metadata is in the file."""
    report = check(media, PLACEMENT)
    telling = any(item.identifying for item in media.private or ())
    assert (plan((media,), PLACEMENT).status == "already_ok") == (
        report.verdict == "pass" and not telling
    )


@given(media=conforming())
@settings(max_examples=100, deadline=None)
def test_conforming_files_are_left_alone(media: Video) -> None:
    assert plan((media,), PLACEMENT).status == "already_ok"


@given(media=conforming(), container=st.sampled_from(["matroska", "flv", "3gp"]))
@settings(max_examples=100, deadline=None)
def test_untouched_streams_are_copied(media: Video, container: str) -> None:
    """Where only the wrapping is wrong, no stream is encoded, and every fact of the streams stays."""
    assume((media.video.gop.length_max or 0) <= 512)
    (output,) = outputs(replace(media, container=replace(media.container, format=container)))
    assert [row.action for row in stream_actions(output) if row.track in ("video", "audio")] == [
        "copied",
        "copied",
    ]
    before = dict(leaves(media))
    assert {c.fact for c in output.changes if before.get(c.fact) != c.after} <= {
        "container.format",
        "container.faststart",
        "container.fragmented",
    }


@given(media=videos())
@settings(max_examples=300, deadline=None)
def test_only_what_is_at_fault_changes(media: Video) -> None:
    """A picture is encoded only for a finding about the picture (or the size, or a stream that MP4 cannot copy); the same of the sound."""
    for output in outputs(media):
        made = output.target
        assert isinstance(made, Video)
        at_fault = [f.rule for f in check(media, PLACEMENT).findings if f.level != "should"]
        uncopied = (
            media.video.codec not in ("h264", "hevc", "av1", "vp9", "mpeg4")
            or media.video.timestamps == "broken"
        )
        large = (media.size_bytes or 0) > 512_000_000
        if made.video.reencode:
            assert (
                uncopied
                or large
                or any(rule.startswith("video-") and rule != "video-container" for rule in at_fault)
            )
        else:
            assert all(getattr(made.video, name) == getattr(media.video, name) for name in PICTURE)
        if made.audio is not None and made.audio.reencode:
            delayed = media.audio is not None and bool(
                media.audio.start
            )  # said in MP4 by an edit list alone
            assert delayed or {
                "audio-codec",
                "audio-channels",
                "video-duration",
                "video-edit-list",
            } & set(at_fault)
        assert not any(c.safety == "destructive" for c in output.changes)


@given(media=videos(), wish=options())
@settings(max_examples=300, deadline=None)
def test_an_encoded_picture_is_even_never_enlarged_and_within_the_limits(
    media: Video, wish: Options
) -> None:
    for output in outputs(media, wish):
        made = output.target
        assert isinstance(made, Video)
        size, shown = made.video.display_size, media.video.display_size
        if not made.video.reencode or size is None or shown is None:
            continue
        assert size[0] % 2 == size[1] % 2 == 0
        assert max(size) <= 1280
        assert min(size) <= 1024
        assert min(size) >= 32
        assert Fraction(1, 3) <= Fraction(*size) <= 3
        taken_for_square = any(s.value != 1 for s in media.video.sars or ())
        if not taken_for_square and min(shown) >= 32 and Fraction(1, 3) <= Fraction(*shown) <= 3:
            assert size[0] <= shown[0]
            assert size[1] <= shown[1]


@given(media=videos())
@settings(max_examples=200, deadline=None)
def test_rate_bytes_and_gop_of_what_is_written(media: Video) -> None:
    """At most 60 frames a second, 512 x 10^6 bytes, two seconds of GOP; a rate up to 60 of a progressive, constant stream is kept."""
    for output in outputs(media):
        made = target(output)
        assert made.video.frame_rate is not None
        assert made.video.frame_rate <= 60
        assert AtMostBytes(limit=512_000_000) in output.tolerances
        if made.video.reencode:
            assert made.video.gop.length_max is not None
            assert made.video.gop.length_max <= 2 * made.video.frame_rate + 1
            rate = media.video.frame_rate
            if (
                rate
                and rate <= 60
                and media.video.scan not in ("interlaced", "telecine")
                and media.video.rate_mode == "cfr"
            ):
                assert made.video.frame_rate == rate


@given(media=videos())
@settings(max_examples=200, deadline=None)
def test_no_time_is_lost(media: Video) -> None:
    """The promised picture is as long as the source's or longer (held frames), within what one frame of the header's rate may differ."""
    for output in outputs(media):
        (length,) = [
            p.value for p in output.tolerances if isinstance(p, Near) and p.fact == "video.duration"
        ] or [None]
        if (
            length is not None
            and media.video.duration is not None
            and media.video.timestamps != "broken"
        ):
            assert length >= media.video.duration


@given(media=videos(shortest=Fraction(140), longest=Fraction(1000)), first=st.booleans())
@settings(max_examples=150, deadline=None)
def test_a_long_video_is_refused_or_cut_as_told(media: Video, first: bool) -> None:
    assume(
        media.duration is not None
        and media.video.frame_rate is not None
        and media.video.timestamps == "ok"
    )
    refused = plan((media,), PLACEMENT)
    assert refused.status == "refused"
    assert any("--trim first" in refusal.remedies for refusal in refused.refusals) or any(
        r.rule != "video-duration" for r in refused.refusals
    )
    made = plan((media,), PLACEMENT, Options(trim="first") if first else Options(split=True))
    for output in made.outputs:
        assert output.span is not None
        assert (
            Fraction(1, 2)
            <= output.span[1] - output.span[0]
            <= (Fraction(1399, 10) if first else 140)
        )
    if made.outputs and not first:
        spans = [output.span for output in made.outputs if output.span]
        assert spans[0][0] == 0
        assert spans[-1][1] == media.duration
        assert all(a[1] == b[0] for a, b in pairwise(spans))
        assert len(spans) <= -(-media.duration // Fraction(1399, 10)) + 1
