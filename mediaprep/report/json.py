"""Reports, plans and outcomes as the JSON documents of the command line. Pure. The contract is docs/json.md.

Times and rates are exact: a ``Fraction`` is the text ``"n/d"``. Keys are added, never renamed; a rename would raise ``VERSION``.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mediaprep.model.serialize import encode
from mediaprep.report import VERSION

if TYPE_CHECKING:
    from mediaprep.jobs.run.events import JobEvent
    from mediaprep.model.events import Event
    from mediaprep.model.record import VerificationRecord
    from mediaprep.model.report import Finding, Report
    from mediaprep.pipeline.outcome import Outcome
    from mediaprep.planning.changes import Change
    from mediaprep.planning.plan import Output, Plan, Refusal


def document(**content: Any) -> dict[str, Any]:
    """A document: the version first."""
    return {"version": VERSION, **content}


def dumps(content: Any, *, indent: int | None = 2) -> str:
    """As text: ASCII only, so that neither a terminal nor an encoding can trip over a name."""
    import json

    return json.dumps(content, indent=indent, ensure_ascii=True)


class JsonStream:
    """A document whose ``files`` are said one by one, so that nothing is kept of them; the text is that of ``dumps``. Where it is broken
    off (a signal) it stays without its end."""

    def __init__(self, say: Callable[[str], None], **head: Any) -> None:
        self._say, self._head, self._count = say, head, 0

    def add(self, entry: dict[str, Any]) -> None:
        """One more of the files."""
        self._say(self._opening() if not self._count else ",")
        self._say("\n    " + dumps(entry).replace("\n", "\n    "))
        self._count += 1

    def end(self, **tail: Any) -> None:
        """The end, with the keys that come after the files."""
        closing = "\n  ]" if self._count else self._opening() + "]"
        self._say(closing + (("," + dumps(tail)[1:]) if tail else "\n}") + "\n")

    def _opening(self) -> str:
        return dumps(document(**self._head)).removesuffix("\n}") + ',\n  "files": ['


def check_file(
    path: str, report: Report | None, error: str | None = None, along: Sequence[Report] = ()
) -> dict[str, Any]:
    """One entry of ``check --json``. Without a report (we could not work) the verdict is undecided and ``error`` says why."""
    if report is None:
        nothing: dict[str, Any] = {
            "kind": None,
            "category": None,
            "verdict": "undecided",
            "findings": [],
            "media": None,
        }
        return {"path": path, **nothing, "captions": None, "error": error}
    return {"path": path, **report_body(report), "captions": captions(along)}


def captions(along: Sequence[Report]) -> dict[str, Any] | None:
    """The report of the captions that go with a video; null without any."""
    return next(({"path": report.path, **report_body(report)} for report in along), None)


def report_body(report: Report) -> dict[str, Any]:
    """A report without its path."""
    return {
        "kind": report.kind,
        "category": category(report),
        "verdict": report.verdict,
        "findings": [finding(item) for item in report.findings],
        "media": None if report.media is None else encode(report.media),
    }


def category(report: Report) -> str | None:
    """The category judged; None where nothing could be read and none was named."""
    return report.category if "/" in report.placement else None


def finding(item: Finding) -> dict[str, Any]:
    """One finding; ``measured`` is null where the fact could not be told."""
    return {
        "rule": item.rule,
        "level": item.level,
        "state": item.state,
        "measured": None if item.state == "unknown" else item.measured,
        "limit": item.limit,
        "message": item.message,
        "fix": item.fix,
        "gate": item.gate,
        "facts": list(item.facts),
        "evidence": [
            {"source": w.source, "value": w.value, "fact": w.fact, "agrees": w.agrees}
            for w in item.evidence
        ],
    }


def plan_file(
    path: str,
    report: Report | None,
    plan: Plan | None,
    outputs: Sequence[dict[str, Any]] = (),
    error: str | None = None,
) -> dict[str, Any]:
    """One entry of ``plan --json``."""
    status = "failed" if report is None else "unreadable" if plan is None else plan.status
    entry: dict[str, Any] = {
        "path": path,
        "kind": None if report is None else report.kind,
        "category": None if report is None else category(report),
        "status": status,
        "outputs": list(outputs),
        "changes": [
            change(item) for output in (plan.outputs if plan else ()) for item in output.changes
        ],
        "before": None if report is None else {"path": path, **report_body(report)},
        "captions": captions(plan.along if plan else ()),
        "problems": [error] if error else _problems(report, plan),
        "refusals": [refusal(item) for item in (plan.refusals if plan else ())],
    }
    return entry | ({"error": error} if error else {})


def _problems(report: Report | None, plan: Plan | None) -> list[str]:
    if plan is not None:
        return [item.reason for item in plan.refusals]
    return [] if report is None else [item.message for item in report.findings]


def plan_output(
    output: Output, predicted: dict[str, Any], argv: Sequence[str] | None
) -> dict[str, Any]:
    """One output of a plan."""
    from mediaprep.planning.streams import stream_actions

    return {
        "kind": output.target.kind,
        "placement": output.placement.name,
        "span": None if output.span is None else [encode(edge) for edge in output.span],
        "streams": [
            {"track": row.track, "action": row.action, "because": list(row.because)}
            for row in stream_actions(output)
        ],
        "changes": [change(item) for item in output.changes],
        "promises": [
            {"promise": type(item).__name__, **_record(item)} for item in output.tolerances
        ],
        "predicted": predicted,
        "argv": None if argv is None else list(argv),
        "want": encode(output.target),
    }


def change(item: Change) -> dict[str, Any]:
    """One changed fact."""
    return {
        "fact": item.fact,
        "before": encode(item.before),
        "after": encode(item.after),
        "because": list(item.because),
        "safety": item.safety,
    }


def refusal(item: Refusal) -> dict[str, Any]:
    """Why nothing is planned for a rule, and the ways out as command-line words."""
    return {"rule": item.rule, "reason": item.reason, "ways_out": list(item.remedies)}


def fix_file(path: str, outcome: Outcome | None, error: str | None = None) -> dict[str, Any]:
    """One entry of ``fix --json``, also the receipt of one file."""
    if outcome is None:
        nothing: dict[str, Any] = {
            "outputs": [],
            "uploads": [],
            "changes": [],
            "before": None,
            "after": [],
            "seconds": None,
        }
        return {
            "path": path,
            "status": "failed",
            **nothing,
            "problems": [error],
            "refusals": [],
            "error": error,
        }
    before = outcome.before
    return {
        "path": path,
        "kind": None if before is None else before.kind,
        "category": None if before is None else category(before),
        "status": outcome.status,
        "outputs": list(outcome.outputs),
        "uploads": [_record(item) for item in outcome.uploads],
        "changes": [change(item) for item in outcome.changes],
        "before": None if before is None else {"path": path, **report_body(before)},
        "captions": captions(outcome.plan.along if outcome.plan else ()),
        "after": [{"path": report.path, **report_body(report)} for report in outcome.after],
        "seconds": round(outcome.seconds, 3),
        "problems": list(outcome.problems),
        "stderr": list(outcome.stderr),
        "refusals": [refusal(item) for item in (outcome.plan.refusals if outcome.plan else ())],
        "measured": [_record(item) for item in outcome.measured],
        "evidence": [evidence(item) for item in outcome.evidence],
    }


def evidence(item: VerificationRecord) -> dict[str, Any]:
    """What was seen while one output was made."""
    return _record(item)


def event_body(event: Event | JobEvent) -> dict[str, Any]:
    """Return an event: version and kind first, without the objects that only this process has."""
    facts = {
        field.name: getattr(event, field.name)
        for field in dataclasses.fields(event)
        if field.repr and field.name != "event"
    }
    if event.event == "job.done" and event.outcome is not None:
        facts["changes"] = sorted({change.fact for change in event.outcome.changes})
    return {"version": VERSION, "event": event.event, **facts}


def post_body(report: Any) -> dict[str, Any] | None:
    """The judgement of all files as one post; null where it was not asked for."""
    return (
        None
        if report is None
        else {"verdict": report.verdict, "findings": [finding(item) for item in report.findings]}
    )


def receipt_name(path: str, taken: Iterable[str]) -> str:
    """The file name of one source's receipt: its own name and ``.json``, numbered where several sources are called the same."""
    stem = Path(path).name or "stream"
    names = set(taken)
    candidates = (f"{stem}.json", *(f"{stem}.{number}.json" for number in range(2, len(names) + 3)))
    return next(name for name in candidates if name not in names)


def _record(value: Any) -> dict[str, Any]:
    record = encode(value)
    assert isinstance(record, dict)
    return record
