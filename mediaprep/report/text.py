"""Reports, plans and outcomes as lines of text."""

from __future__ import annotations

import inspect
import shlex
import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from mediaprep.model import units
from mediaprep.model.level import LEVELS
from mediaprep.model.record import QualityMeasurement
from mediaprep.model.report import Finding, Report
from mediaprep.profile import DEFAULT
from mediaprep.report.facts import clock, summary
from mediaprep.report.lines import Line, StyledText, columns, line, relative_path
from mediaprep.rules import REGISTRY, Rule

# The modules of plans are imported where they are used: a check without findings needs none.
if TYPE_CHECKING:
    from mediaprep.pipeline.outcome import Outcome
    from mediaprep.planning.plan import Output, Plan, Refusal
    from mediaprep.report.predict import Prediction

_LEVEL_STYLE = {"must": "red", "observed": "yellow", "should": "cyan"}
_VERDICT = {
    "pass": StyledText("accepted", "green"),
    "fail": StyledText("not accepted", "red"),
    "undecided": StyledText("undecided", "yellow"),
    "unreadable": StyledText("unreadable", "red"),
}
_PAGE_WIDTH = 88


def check_lines(path: str, report: Report, plan: Plan | None, placement: str) -> tuple[Line, ...]:
    """Return the facts in brief, a row per finding, their number, and the command that fixes them.

    placement   as it can be passed to ``--profile``
    """
    if report.media is None:
        return (_unreadable(path, report),)
    findings = sorted(report.findings, key=lambda finding: LEVELS.index(finding.level))
    rows = columns([_finding_row(finding) for finding in findings], indent="  ")
    return (_header(path, report), *rows, _count(path, report, plan, placement))


def post_lines(report: Report) -> tuple[Line, ...]:
    """Return the verdict on all files as one post."""
    texts = [finding.message for finding in report.findings]
    if not texts:
        texts = ["these files can be posted together"]
    head = StyledText("one post", "bold")
    return tuple(line(head, ": ", _VERDICT[report.verdict], f": {text}") for text in texts)


def _header(path: str, report: Report) -> Line:
    facts = "" if report.media is None else summary(report.media)
    profile = StyledText(f"profile: {report.placement}", "dim")
    return line(StyledText(path, "bold"), "  ", facts, "    ", profile)


def _unreadable(path: str, report: Report) -> Line:
    reason = report.findings[0].reason if report.findings else "nothing can be read"
    return line(StyledText(path, "bold"), ": ", _VERDICT["unreadable"], f": {reason}")


def _finding_row(finding: Finding) -> tuple[StyledText, ...]:
    return (
        StyledText(finding.level, _LEVEL_STYLE[finding.level]),
        StyledText(finding.rule),
        StyledText(finding_text(finding)),
        StyledText(f"fix: {finding.fix}" if finding.fix else "", "dim"),
    )


def finding_text(finding: Finding) -> str:
    """Return ``hevc; allowed: h264``, or ``unknown (no timestamps); allowed: at most 60 fps``."""
    value = finding.measured
    if finding.state == "unknown":
        value = f"unknown ({finding.reason})"
    if not finding.limit:
        return value
    what = "recommended" if finding.level == "should" else "allowed"
    return f"{value}; {what}: {finding.limit}"


def _count(path: str, report: Report, plan: Plan | None, placement: str) -> Line:
    """Return the verdict, the number of findings by level, how many can be fixed, and how."""
    if not report.findings:
        return line("  ", StyledText("accepted", "green"), ": no findings")
    counts = {level: sum(finding.level == level for finding in report.findings) for level in LEVELS}
    levels = ", ".join(f"{count} {level}" for level, count in counts.items() if count)
    total = _plural(len(report.findings), "finding")
    text = "; ".join((f": {total} ({levels})", *_fixable(report, plan)))
    command = _next_command(path, plan, placement)
    text += "." if command is None else f".   Next: {command}"
    return line("  ", _VERDICT[report.verdict], text)


def _fixable(report: Report, plan: Plan | None) -> list[str]:
    """Return how many findings of level must can be fixed, with an option, or not at all."""
    if plan is None:
        return []
    refusals = {refusal.rule: refusal for refusal in plan.refusals}
    fixable = with_option = not_fixable = 0
    for finding in report.findings:
        if finding.level != "must":
            continue
        if finding.rule not in refusals:
            fixable += 1
        elif _options(refusals[finding.rule]):
            with_option += 1
        else:
            not_fixable += 1
    texts = {
        "fixable": fixable,
        "fixable with an option": with_option,
        "not fixable": not_fixable,
    }
    return [f"{count} {text}" for text, count in texts.items() if count]


def _next_command(path: str, plan: Plan | None, placement: str) -> str | None:
    """Return the command that fixes the file; None if there is nothing to fix, or no way."""
    if plan is None or plan.status == "already_ok":
        return None
    options = [option for refusal in plan.refusals for option in _options(refusal)]
    if plan.status == "refused" and not options:
        return None
    words = ["mediaprep", "fix", _shell_word(path)]
    if placement != DEFAULT:
        words += ["-p", shlex.quote(placement)]
    return " ".join((*words, *options[:1]))


def _options(refusal: Refusal) -> tuple[str, ...]:
    """Return the remedies that are options of the command; others are advice."""
    return tuple(remedy for remedy in refusal.remedies if remedy.startswith("-"))


def _shell_word(path: str) -> str:
    """Quote a path for a shell; one that begins with ``-`` gets ``./`` in front."""
    return shlex.quote(f"./{path}" if path.startswith("-") and path != "-" else path)


def plan_lines(
    path: str,
    report: Report,
    plan: Plan | None,
    predictions: Sequence[Prediction] = (),
    names: Sequence[str] = (),
) -> tuple[Line, ...]:
    """Return the numbered steps of each output with the rules behind them, an estimate, and the
    name of the output.
    """
    if plan is None or report.media is None:
        return (_unreadable(path, report),)
    head = _header(path, report)
    if plan.status == "already_ok":
        return (head, line("  ", StyledText("already accepted", "green"), ": nothing to do"))
    if plan.refusals:
        refused = StyledText("refused", "red")
        return (
            head,
            *(
                line("  ", refused, f": {item.rule}: {item.reason}{_remedies(item)}")
                for item in plan.refusals
            ),
        )
    lines: list[Line] = [head]
    for number, output in enumerate(plan.outputs):
        title = _output_title(output, plan)
        if title:
            lines.append(line("  ", StyledText(title, "bold")))
        predicted = predictions[number] if number < len(predictions) else None
        name = names[number] if number < len(names) else ""
        lines += output_lines(output, predicted, report.findings, name)
    return tuple(lines)


def _output_title(output: Output, plan: Plan) -> str:
    """Return ``part 1 of 2, captions``; "" if there is only one output."""
    spans = list(dict.fromkeys(output.span for output in plan.outputs))
    titles = []
    if len(spans) > 1:
        titles.append(f"part {spans.index(output.span) + 1} of {len(spans)}")
    if output.target.kind == "subtitle" and len(plan.sources) > 1:
        titles.append("captions")
    return ", ".join(titles)


def output_lines(
    output: Output, predicted: Prediction | None, findings: Sequence[Finding] = (), name: str = ""
) -> tuple[Line, ...]:
    """Return the steps of one output, the estimate and the name."""
    from mediaprep.report.steps import steps

    rows: list[tuple[str | StyledText, ...]] = []
    for number, step in enumerate(steps(output, findings), 1):
        rules = ", ".join(step.because)
        because = StyledText(f"because {rules}" if rules else "", "dim")
        rows.append((str(number), step.name, step.text, because))
    estimate = _estimate(output, predicted)
    if estimate:
        rows.append(("", "estimate", estimate, ""))
    if name:
        rows.append(("", "output", name, ""))
    return columns(rows, indent="  ")


def _estimate(output: Output, predicted: Prediction | None) -> str:
    texts = []
    if predicted is not None and predicted.bytes:
        texts.append(units.bytes_text(predicted.bytes))
    if predicted is not None and predicted.seconds is not None:
        texts.append(f"about {_rounded(predicted.seconds)} of work")
    if output.span is not None:
        texts.append(f"duration {clock(output.span[1] - output.span[0])}")
    return ", ".join(texts)


def _rounded(seconds: float) -> str:
    return f"{max(1, round(seconds))} s" if seconds < 60 else f"{round(seconds / 60)} min"


def _remedies(refusal: Refusal) -> str:
    return f"; remedies: {', '.join(refusal.remedies)}" if refusal.remedies else ""


def fix_lines(path: str, outcome: Outcome, placement: str) -> tuple[Line, ...]:
    """Return a line per output, or lines that say why there is none."""
    head = StyledText(path, "bold")
    match outcome.status:
        case "already_ok":
            status = StyledText("already accepted", "green")
            return (line(head, "  ", status, f", unchanged{_remaining(outcome.before)}"),)
        case "fixed":
            return _fixed_lines(outcome)
        case "refused":
            return _refused_lines(path, outcome, placement)
        case "unreadable" | "failed":
            status = StyledText(outcome.status, "red")
            return tuple(line(head, ": ", status, f": {item}") for item in outcome.problems)


def _fixed_lines(outcome: Outcome) -> tuple[Line, ...]:
    outputs = [
        _output_line(target, report)
        for target, report in zip(outcome.outputs, outcome.after, strict=True)
    ]
    measured = [line("  ", _measurement_text(item)) for item in outcome.measured]
    notes = [line("  ", StyledText("note", "yellow"), f": {note}") for note in outcome.problems]
    return (*outputs, *measured, *notes)


def _output_line(target: str, report: Report) -> Line:
    facts = "" if report.media is None else summary(report.media, codec_profile=True)
    verified = f"verified{_remaining(report)}" if report.findings else "verified: all rules pass"
    return line(
        StyledText(relative_path(target), "bold"), "  ", facts, "   ", StyledText(verified, "green")
    )


def _measurement_text(item: QualityMeasurement) -> str:
    unit = " dB" if item.metric == "XPSNR" else ""
    return (
        f"{item.metric} {item.mean:.1f}{unit} against the source "
        f"({item.worst:.1f}{unit} in the worst 5 % of {item.frames} frames)"
    )


def _remaining(report: Report | None) -> str:
    """Return ``; 2 findings remain (video-recommended-bitrate, ...)``; "" if there are none."""
    rules = [] if report is None else [finding.rule for finding in report.findings]
    if not rules:
        return ""
    names = ", ".join((*rules[:2], "...") if len(rules) > 2 else rules)
    remain = "remains" if len(rules) == 1 else "remain"
    return f"; {_plural(len(rules), 'finding')} {remain} ({names})"


def _refused_lines(path: str, outcome: Outcome, placement: str) -> tuple[Line, ...]:
    head, refused = StyledText(path, "bold"), StyledText("refused", "red")
    refusals = outcome.plan.refusals if outcome.plan is not None else ()
    if not refusals:
        return tuple(line(head, ": ", refused, f": {problem}") for problem in outcome.problems)
    lines = [
        line(head, ": ", refused, f": {item.reason} ({item.rule}){_remedies(item)}")
        for item in refusals
    ]
    command = _next_command(path, outcome.plan, placement)
    if command is not None:
        lines.append(line("  ", f"Next: {command}"))
    return tuple(lines)


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def explain_lines(rule: Rule, limits: Sequence[tuple[str, str, str, str]]) -> tuple[Line, ...]:
    """Return the help page of a rule, its fix, and its limits.

    limits   rows of placement, level, limit, source
    """
    kinds = ", ".join(rule.kinds) or "all attachments of a post"
    lines: list[Line] = [
        line(StyledText(rule.id, "bold"), f"  {rule.subject}; applies to {kinds}"),
        (),
        *(line(text) for text in paragraphs(rule.page)),
    ]
    if rule.fix_summary:
        lines += [(), line(f"mediaprep fix: {rule.fix_summary} ({rule.safety})")]
    lines += [(), line(f"Facts: {', '.join(rule.facts)}")]
    if limits:
        rows = [tuple(map(StyledText, row)) for row in limits]
        lines += [(), line(StyledText("Limits", "bold")), *columns(rows, indent="  ")]
    return tuple(lines)


def paragraphs(page: str) -> list[str]:
    """Wrap the paragraphs of a help page; an empty line separates them."""
    lines: list[str] = []
    for block in inspect.cleandoc(page).split("\n\n"):
        text = " ".join(block.split()).replace("``", "")
        lines += [*textwrap.wrap(text, _PAGE_WIDTH), ""]
    return lines[:-1]


def rule_list() -> tuple[Line, ...]:
    """Return every rule with its subject and the kinds of media that it applies to."""
    rows = [
        (
            StyledText(rule.id, "bold"),
            StyledText(rule.subject),
            StyledText(", ".join(rule.kinds), "dim"),
        )
        for rule in REGISTRY.values()
    ]
    return columns(rows)
