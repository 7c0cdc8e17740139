"""Reports, plans and outcomes as lines for people. Pure; what is drawn and where is the caller's."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mediaprep.model import units
from mediaprep.model.record import QualityMeasurement
from mediaprep.model.report import Finding, Report
from mediaprep.report.facts import clock, made_summary, summary
from mediaprep.report.lines import Line, StyledText, columns, line
from mediaprep.rules import REGISTRY, Rule
from mediaprep.runtime.paths import display_name

if TYPE_CHECKING:
    from mediaprep.pipeline.outcome import Outcome
    from mediaprep.planning.plan import Output, Plan, Refusal
    from mediaprep.report.predict import Prediction

_SEVERITY = ("must", "observed", "should")
_LEVEL_STYLE = {"must": "red", "should": "cyan", "observed": "yellow"}
_VERDICT = {
    "pass": StyledText("accepted", "green"),
    "fail": StyledText("not accepted", "red"),
    "undecided": StyledText("undecided", "yellow"),
    "unreadable": StyledText("unreadable", "red"),
}


def check_lines(path: str, report: Report, plan: Plan | None, profile: str) -> tuple[Line, ...]:
    """The header with the facts, a row for each finding, the count, and what to do next."""
    if report.media is None:
        return (
            line(
                StyledText(path, "bold"),
                ": ",
                StyledText("unreadable", "red"),
                f": {_reason(path, report)}",
            ),
        )
    head = line(
        StyledText(path, "bold"),
        "  ",
        summary(report.media),
        "    ",
        StyledText(f"profile: {report.placement}", "dim"),
    )
    rows = [
        _row(item, report)
        for item in sorted(report.findings, key=lambda item: _SEVERITY.index(item.level))
    ]
    return (head, *columns(rows, indent="  "), *_count(path, report, plan, profile))


def post_lines(report: Report) -> tuple[Line, ...]:
    """The judgement of all files as one post."""
    found = [f": {item.message}" for item in report.findings] or [": they can go together"]
    return tuple(
        line(StyledText("one post", "bold"), ": ", _VERDICT[report.verdict], words)
        for words in found
    )


def _reason(path: str, report: Report) -> str:
    message = report.findings[0].message if report.findings else "nothing can be read"
    return message.removeprefix(f"{report.path}: ").removeprefix(f"{display_name(path)}: ")


def _row(item: Finding, report: Report) -> tuple[StyledText, ...]:
    return (
        StyledText(item.level, _LEVEL_STYLE[item.level]),
        StyledText(item.rule),
        StyledText(found_and_wanted(item, _unknown_reason(item, report))),
        StyledText(f"fix: {item.fix}" if item.fix else "", "dim"),
    )


def _unknown_reason(item: Finding, report: Report) -> str:
    unknown = () if report.media is None else report.media.unknown
    return next(
        (
            u.reason
            for u in unknown
            for fact in item.facts
            if fact == u.fact or fact.startswith(f"{u.fact}.")
        ),
        "it could not be read",
    )


def found_and_wanted(item: Finding, unknown_reason: str = "") -> str:
    """``59.94 fps > 30 fps``, ``hevc, want h264``, ``cannot be told (...), want 4:2:0``."""
    if item.state == "unknown":
        return f"cannot be told ({unknown_reason}), want {item.limit}"
    for words, sign in (("at most ", ">"), ("at least ", "<")):
        if item.limit.startswith(words) and item.measured[:1].isdigit():
            return f"{item.measured} {sign} {item.limit.removeprefix(words)}"
    return f"{item.measured}, want {item.limit}" if item.limit else item.measured


def _count(path: str, report: Report, plan: Plan | None, profile: str) -> tuple[Line, ...]:
    """The summary line: verdict, findings by level, how many can be fixed, and the command that does it."""
    total = len(report.findings)
    if not total:
        return (line("  ", StyledText("accepted", "green"), ": no findings"),)
    levels = ", ".join(
        f"{n} {level}"
        for level in ("must", "should", "observed")
        if (n := sum(f.level == level for f in report.findings))
    )
    refused = {item.rule: item for item in plan.refusals} if plan else {}
    musts = [item for item in report.findings if item.level == "must"]
    choices = [item for item in musts if item.rule in refused and _options(refused[item.rule])]
    hopeless = [item for item in musts if item.rule in refused and not _options(refused[item.rule])]
    counts = [
        f"{len(musts) - len(choices) - len(hopeless)} fixable"
        if len(musts) > len(choices) + len(hopeless)
        else "",
        f"{len(choices)} needs a choice" if choices else "",
        f"{len(hopeless)} cannot be repaired" if hopeless else "",
    ]
    words = f": {total} finding{'s' if total > 1 else ''} ({levels})" + "".join(
        f"; {word}" for word in counts if musts and word
    )
    next_step = _next(path, report, plan, profile)
    return (
        line("  ", _VERDICT[report.verdict], words, f".   Next: {next_step}" if next_step else "."),
    )


def _next(path: str, report: Report, plan: Plan | None, profile: str) -> str | None:
    """The command line that repairs the file; None where nothing has to be, or can be, done."""
    if plan is None or plan.status == "already_ok":
        return None
    ways = next((found for item in plan.refusals if (found := _options(item))), ())
    if plan.status == "refused" and not ways:
        return None
    words = [
        "mediaprep",
        "fix",
        _operand(path),
        *(["-p", shlex.quote(profile)] if profile != "twitter" else []),
        *ways[:1],
    ]
    return " ".join(words)


def _options(item: Refusal) -> tuple[str, ...]:
    """The ways out that are options of the command; others are advice in words."""
    return tuple(way for way in item.remedies if way.startswith("-"))


def _operand(path: str) -> str:
    """A name as a shell takes it; one that begins with ``-`` gets ``./`` in front."""
    return shlex.quote(f"./{path}" if path.startswith("-") and path != "-" else path)


def plan_lines(
    path: str, report: Report, plan: Plan | None, predictions: Sequence[Prediction] = ()
) -> tuple[Line, ...]:
    """The numbered steps of each output with their reasons, and what is predicted."""
    from mediaprep.report.predict import Prediction

    if plan is None or report.media is None:
        return (
            line(
                StyledText(path, "bold"),
                ": ",
                StyledText("unreadable", "red"),
                f": {_reason(path, report)}",
            ),
        )
    head = line(
        StyledText(path, "bold"),
        "  ",
        summary(report.media),
        "    ",
        StyledText(f"profile: {report.placement}", "dim"),
    )
    if plan.status == "already_ok":
        return (head, line("  ", StyledText("already fine", "green"), ": nothing to do"))
    if plan.refusals:
        return (head, *(_refused(item) for item in plan.refusals))
    lines: list[Line] = [head]
    spans = list(dict.fromkeys(output.span for output in plan.outputs))
    for number, output in enumerate(plan.outputs, 1):
        part = f"part {spans.index(output.span) + 1} of {len(spans)}" if len(spans) > 1 else ""
        along = "captions" if output.target.kind == "subtitle" and len(plan.sources) > 1 else ""
        if part or along:
            lines.append(line("  ", StyledText(", ".join(filter(None, (part, along))), "bold")))
        predicted = predictions[number - 1] if number <= len(predictions) else Prediction()
        lines += output_lines(output, predicted, report.findings)
    return tuple(lines)


def output_lines(
    output: Output, predicted: Prediction, findings: Sequence[Finding] = ()
) -> tuple[Line, ...]:
    """The steps of one output, and the prediction."""
    from mediaprep.report.steps import steps

    rows: list[tuple[str | StyledText, ...]] = []
    for number, step in enumerate(steps(output, findings), 1):
        why = ", ".join(rule for rule in step.because if rule != "written")
        rows.append(
            (str(number), step.name, step.words, StyledText(f"because {why}" if why else "", "dim"))
        )
    words = [units.bytes_text(predicted.bytes)] if predicted.bytes else []
    if predicted.seconds is not None:
        words.append(f"about {_rough(predicted.seconds)} of work")
    if isinstance(output.span, tuple):
        words.append(f"{clock(output.span[1] - output.span[0])} long")
    rows += [("", "predicted", ", ".join(words), "")] if words else []
    return columns(rows, indent="  ")


def _rough(seconds: float) -> str:
    return f"{max(1, round(seconds))} s" if seconds < 60 else f"{round(seconds / 60)} min"


def _refused(item: Refusal) -> Line:
    ways = f"; ways out: {', '.join(item.remedies)}" if item.remedies else ""
    return line("  ", StyledText("refused", "red"), f": {item.rule}: {item.reason}{ways}")


def fix_lines(path: str, outcome: Outcome, profile: str) -> tuple[Line, ...]:
    """One line for each output, or one that says why there is none."""
    match outcome.status:
        case "already_ok":
            return (
                line(
                    StyledText(path, "bold"),
                    "  ",
                    StyledText("already fine", "green"),
                    ", left alone",
                    _remarks(outcome.before),
                ),
            )
        case "fixed":
            made = (
                _made(target, report)
                for target, report in zip(outcome.outputs, outcome.after, strict=True)
            )
            measured = (line("  ", _measured_words(item)) for item in outcome.measured)
            return (
                *made,
                *measured,
                *(
                    line("  ", StyledText("note", "yellow"), f": {problem}")
                    for problem in outcome.problems
                ),
            )
        case "refused":
            return _refusals(path, outcome, profile)
        case "unreadable" | "failed":
            return tuple(
                line(
                    StyledText(path, "bold"),
                    ": ",
                    StyledText(outcome.status, "red"),
                    f": {problem}",
                )
                for problem in outcome.problems
            )


def _made(target: str, report: Report) -> Line:
    facts = "" if report.media is None else made_summary(report.media)
    verified = "verified: all rules pass" if not report.findings else f"verified{_remarks(report)}"
    return line(StyledText(target, "bold"), "  ", facts, "   ", StyledText(verified, "green"))


def _measured_words(item: QualityMeasurement) -> str:
    unit = " dB" if item.metric == "XPSNR" else ""
    return f"{item.metric} {item.mean:.1f}{unit} against the source ({item.worst:.1f}{unit} over the worst 5 % of {item.frames} frames)"


def _remarks(report: Report | None) -> str:
    """``; 2 remarks (video-recommended-bitrate, ...)``: advice that is not followed."""
    rules = [] if report is None else [item.rule for item in report.findings]
    more = ", ..." if len(rules) > 2 else ""
    return (
        f"; {len(rules)} remark{'s' if len(rules) > 1 else ''} ({', '.join(rules[:2])}{more})"
        if rules
        else ""
    )


def _refusals(path: str, outcome: Outcome, profile: str) -> tuple[Line, ...]:
    head = StyledText(path, "bold")
    refusals = outcome.plan.refusals if outcome.plan else ()
    if not refusals:
        return tuple(
            line(head, ": ", StyledText("refused", "red"), f": {problem}")
            for problem in outcome.problems
        )
    lines = []
    for item in refusals:
        ways = f"; ways out: {', '.join(item.remedies)}" if item.remedies else ""
        lines.append(
            line(head, ": ", StyledText("refused", "red"), f": {item.reason} ({item.rule}){ways}")
        )
    following = _next(path, outcome.before, outcome.plan, profile) if outcome.before else None
    return (*lines, line("  ", f"Next: {following}")) if following else tuple(lines)


def explain_lines(rule: Rule, limits: Sequence[tuple[str, str, str, str]]) -> tuple[Line, ...]:
    """The rule's help page, its fix, and its limits as rows of placement, level, limit, source."""
    head = line(
        StyledText(rule.id, "bold"),
        f"  {rule.subject}; judges {', '.join(rule.kinds) or 'all attachments of a post'}",
    )
    lines: list[Line] = [head, ()]
    lines += [line(text) for text in paragraphs(rule.page)]
    if rule.fix_summary:
        lines += [(), line(f"mediaprep fix: {rule.fix_summary} ({rule.safety})")]
    lines += [(), line(f"Facts: {', '.join(rule.facts)}")]
    if limits:
        lines += [
            (),
            line(StyledText("Limits", "bold")),
            *columns([tuple(map(StyledText, row)) for row in limits], indent="  "),
        ]
    return tuple(lines)


def paragraphs(page: str, width: int = 88) -> list[str]:
    """A help page refilled to a width; its paragraphs stay apart."""
    import inspect
    import textwrap

    blocks = inspect.cleandoc(page).split("\n\n")
    lines = [
        filled
        for block in blocks
        for filled in (*textwrap.wrap(" ".join(block.split()).replace("``", ""), width), "")
    ]
    return lines[:-1]


def rule_list() -> tuple[Line, ...]:
    """Every rule with what it is about."""
    rows = [
        (
            StyledText(rule.id, "bold"),
            StyledText(rule.subject),
            StyledText(", ".join(rule.kinds), "dim"),
        )
        for rule in REGISTRY.values()
    ]
    return columns(rows)
