"""Properties of every plan: it converges, passes the rules, and changes only what is at fault."""

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


def outputs(media: Video, chosen: Options | None = None) -> tuple[Output, ...]:
    return plan((media,), PLACEMENT, chosen).outputs


def target(output: Output) -> Video:
    target_media = fill_in(output.target, output.tolerances)
    assert isinstance(target_media, Video)
    return target_media


@given(media=videos(), chosen=options())
@settings(max_examples=400, deadline=None)
def test_every_planned_output_passes_its_own_rules(media: Video, chosen: Options) -> None:
    """The target has no must that is broken or unknown; a refusal has a reason."""
    result = plan((media,), PLACEMENT, chosen)
    for output in result.outputs:
        assert [
            f.message for f in check(target(output), PLACEMENT).findings if f.level == "must"
        ] == []
    assert all(refusal.reason for refusal in result.refusals)
    assert result.status in ("already_ok", "planned", "refused")


@given(media=videos(), chosen=options())
@settings(max_examples=300, deadline=None)
def test_planning_twice_changes_nothing(media: Video, chosen: Options) -> None:
    """The plan of a planned output with the same options is empty."""
    for output in outputs(media, chosen):
        target_media = replace(target(output), complete=True, private=())
        video = target_media.video
        whole = replace(
            target_media,
            video=replace(
                video,
                reencode=False,
                timestamps="ok",
                start=video.start or Fraction(0),
                edit_list="plain",
            ),
            audio=None
            if target_media.audio is None
            else replace(target_media.audio, reencode=False),
        )
        again = plan((whole,), PLACEMENT, chosen)
        assert again.status == "already_ok", (again.refusals, [o.changes for o in again.outputs])


@given(media=videos())
@settings(max_examples=300, deadline=None)
def test_nothing_is_planned_if_and_only_if_nothing_is_wrong(media: Video) -> None:
    """already_ok: no must is broken or unknown, and there is no identifying metadata."""
    report = check(media, PLACEMENT)
    telling = any(item.identifying for item in media.private or ())
    assert (plan((media,), PLACEMENT).status == "already_ok") == (
        report.verdict == "pass" and not telling
    )


@given(media=conforming())
@settings(max_examples=100, deadline=None)
def test_conforming_files_are_not_changed(media: Video) -> None:
    assert plan((media,), PLACEMENT).status == "already_ok"


@given(media=conforming(), container=st.sampled_from(["matroska", "flv", "3gp"]))
@settings(max_examples=100, deadline=None)
def test_untouched_streams_are_copied(media: Video, container: str) -> None:
    """If only the container is wrong, no stream is encoded and no fact of a stream changes."""
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
def test_only_faulty_streams_are_encoded(media: Video) -> None:
    """A stream is encoded for a finding about it, for the size, or if MP4 cannot hold a copy."""
    for output in outputs(media):
        target_media = output.target
        assert isinstance(target_media, Video)
        at_fault = [f.rule for f in check(media, PLACEMENT).findings if f.level != "should"]
        uncopied = (
            media.video.codec not in ("h264", "hevc", "av1", "vp9", "mpeg4")
            or media.video.timestamps == "broken"
        )
        large = (media.size_bytes or 0) > 512_000_000
        if target_media.video.reencode:
            assert (
                uncopied
                or large
                or any(rule.startswith("video-") and rule != "video-container" for rule in at_fault)
            )
        else:
            assert all(
                getattr(target_media.video, name) == getattr(media.video, name) for name in PICTURE
            )
        if target_media.audio is not None and target_media.audio.reencode:
            delayed = media.audio is not None and bool(
                media.audio.start
            )  # MP4 expresses it only with an edit list
            assert delayed or {
                "audio-codec",
                "audio-channels",
                "video-duration",
                "video-edit-list",
            } & set(at_fault)
        assert not any(c.safety == "destructive" for c in output.changes)


@given(media=videos(), chosen=options())
@settings(max_examples=300, deadline=None)
def test_an_encoded_picture_is_even_never_enlarged_and_within_the_limits(
    media: Video, chosen: Options
) -> None:
    for output in outputs(media, chosen):
        target_media = output.target
        assert isinstance(target_media, Video)
        size, shown = target_media.video.display_size, media.video.display_size
        if not target_media.video.reencode or size is None or shown is None:
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
def test_rate_bytes_and_gop_of_an_output(media: Video) -> None:
    """At most 60 fps, 512 x 10^6 bytes, GOPs of two seconds; an allowed constant rate is kept."""
    for output in outputs(media):
        target_media = target(output)
        assert target_media.video.frame_rate is not None
        assert target_media.video.frame_rate <= 60
        assert AtMostBytes(limit=512_000_000) in output.tolerances
        if target_media.video.reencode:
            assert target_media.video.gop.length_max is not None
            assert target_media.video.gop.length_max <= 2 * target_media.video.frame_rate + 1
            rate = media.video.frame_rate
            if (
                rate
                and rate <= 60
                and media.video.scan not in ("interlaced", "telecine")
                and media.video.rate_mode == "cfr"
            ):
                assert target_media.video.frame_rate == rate


@given(media=videos())
@settings(max_examples=200, deadline=None)
def test_no_time_is_lost(media: Video) -> None:
    """The picture is at least as long as the source's, within a frame of the declared rate."""
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
def test_a_long_video_is_refused_or_trimmed_as_requested(media: Video, first: bool) -> None:
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
    result = plan((media,), PLACEMENT, Options(trim="first") if first else Options(split=True))
    for output in result.outputs:
        assert output.span is not None
        assert (
            Fraction(1, 2)
            <= output.span[1] - output.span[0]
            <= (Fraction(1399, 10) if first else 140)
        )
    if result.outputs and not first:
        spans = [output.span for output in result.outputs if output.span]
        assert spans[0][0] == 0
        assert spans[-1][1] == media.duration
        assert all(a[1] == b[0] for a, b in pairwise(spans))
        assert len(spans) <= -(-media.duration // Fraction(1399, 10)) + 1
