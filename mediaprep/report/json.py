"""Reports, plans and outcomes as JSON documents, which docs/json.md describes.

Times and rates are exact: a ``Fraction`` is the text ``"n/d"``. Keys are added, never renamed; a
rename would raise ``VERSION``.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mediaprep.model.serialize import encode
from mediaprep.report import VERSION

if TYPE_CHECKING:
    from mediaprep.jobs.run.events import JobEvent
    from mediaprep.model.events import Event
    from mediaprep.model.report import Finding, Report
    from mediaprep.pipeline.outcome import Outcome
    from mediaprep.planning.changes import Change
    from mediaprep.planning.plan import Output, Plan, Refusal


def document(**content: Any) -> dict[str, Any]:
    """Return a document: the version first."""
    return {"version": VERSION, **content}


def dumps(content: Any, *, indent: int | None = 2) -> str:
    """Return a document as text: ASCII only, safe for any terminal and encoding."""
    return json.dumps(content, indent=indent, ensure_ascii=True)


class JsonStream:
    """Writes a document whose ``files`` come one by one; the text is that of ``dumps``.

    If the run is stopped, the document stays incomplete.
    """

    def __init__(self, write: Callable[[str], None], **head: Any) -> None:
        self._write, self._head, self._count = write, head, 0

    def add(self, entry: dict[str, Any]) -> None:
        """Write the entry of one file."""
        self._write(self._opening() if self._count == 0 else ",")
        self._write("\n    " + dumps(entry).replace("\n", "\n    "))
        self._count += 1

    def end(self, **tail: Any) -> None:
        """Write the keys that come after the files, and the end."""
        closing = "\n  ]" if self._count else self._opening() + "]"
        rest = "," + dumps(tail).removeprefix("{") if tail else "\n}"
        self._write(f"{closing}{rest}\n")

    def _opening(self) -> str:
        return dumps(document(**self._head)).removesuffix("\n}") + ',\n  "files": ['


def check_file(
    path: str, report: Report | None, error: str | None = None, along: Sequence[Report] = ()
) -> dict[str, Any]:
    """Return one entry of ``check --json``.

    report   None: the check itself failed; the verdict is undecided, and ``error`` says why
    along    the report of the captions
    """
    if report is None:
        return {
            "path": path,
            "kind": None,
            "category": None,
            "verdict": "undecided",
            "findings": [],
            "media": None,
            "captions": None,
            "error": error,
        }
    return {"path": path, **report_body(report), "captions": captions(along)}


def captions(along: Sequence[Report]) -> dict[str, Any] | None:
    """Return the report of the captions that belong to a video; None if there are none."""
    return next(({"path": report.path, **report_body(report)} for report in along), None)


def report_body(report: Report) -> dict[str, Any]:
    """Return a report without its path."""
    return {
        "kind": report.kind,
        "category": category(report),
        "verdict": report.verdict,
        "findings": [finding(item) for item in report.findings],
        "media": None if report.media is None else encode(report.media),
    }


def category(report: Report) -> str | None:
    """Return the category; None if the file is unreadable and none was requested."""
    return report.category if "/" in report.placement else None


def finding(item: Finding) -> dict[str, Any]:
    """Return one finding; ``measured`` is null if the fact is unknown."""
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
            {
                "source": reported.source,
                "value": reported.value,
                "fact": reported.fact,
                "agrees": reported.agrees,
            }
            for reported in item.evidence
        ],
    }


def plan_file(
    path: str,
    report: Report | None,
    plan: Plan | None,
    outputs: Sequence[dict[str, Any]] = (),
    error: str | None = None,
) -> dict[str, Any]:
    """Return one entry of ``plan --json``.

    report   None: planning itself failed, and ``error`` says why
    plan     None: the file is unreadable
    """
    planned = plan.outputs if plan is not None else ()
    refusals = plan.refusals if plan is not None else ()
    entry: dict[str, Any] = {
        "path": path,
        "kind": None if report is None else report.kind,
        "category": None if report is None else category(report),
        "status": _plan_status(report, plan),
        "outputs": list(outputs),
        "changes": [change(item) for output in planned for item in output.changes],
        "before": None if report is None else {"path": path, **report_body(report)},
        "captions": captions(plan.caption_reports if plan is not None else ()),
        "problems": [error] if error else _plan_problems(report, plan),
        "refusals": [refusal(item) for item in refusals],
    }
    return entry | ({"error": error} if error else {})


def _plan_status(report: Report | None, plan: Plan | None) -> str:
    if report is None:
        return "failed"
    return "unreadable" if plan is None else plan.status


def _plan_problems(report: Report | None, plan: Plan | None) -> list[str]:
    if plan is not None:
        return [item.reason for item in plan.refusals]
    return [] if report is None else [item.message for item in report.findings]


def plan_output(
    output: Output, path: str, predicted: dict[str, Any], argv: Sequence[str] | None
) -> dict[str, Any]:
    """Return one output of a plan; ``path`` is the one that ``fix`` would give it."""
    from mediaprep.planning.streams import stream_actions

    return {
        "kind": output.target.kind,
        "path": path,
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
    """Return one changed fact."""
    return {
        "fact": item.fact,
        "before": encode(item.before),
        "after": encode(item.after),
        "because": list(item.because),
        "safety": item.safety,
    }


def refusal(item: Refusal) -> dict[str, Any]:
    """Return why nothing is planned for a rule, with the remedies."""
    return {"rule": item.rule, "reason": item.reason, "ways_out": list(item.remedies)}


def fix_file(path: str, outcome: Outcome | None, error: str | None = None) -> dict[str, Any]:
    """Return one entry of ``fix --json``, which is also the report of one file.

    outcome   None: the run itself failed, and ``error`` says why
    """
    if outcome is None:
        return {
            "path": path,
            "status": "failed",
            "outputs": [],
            "uploads": [],
            "changes": [],
            "before": None,
            "after": [],
            "seconds": None,
            "problems": [error],
            "refusals": [],
            "error": error,
        }
    before, plan = outcome.before, outcome.plan
    return {
        "path": path,
        "kind": None if before is None else before.kind,
        "category": None if before is None else category(before),
        "status": outcome.status,
        "outputs": list(outcome.outputs),
        "uploads": [_record(item) for item in outcome.uploads],
        "changes": [change(item) for item in outcome.changes],
        "before": None if before is None else {"path": path, **report_body(before)},
        "captions": captions(plan.caption_reports if plan is not None else ()),
        "after": [{"path": report.path, **report_body(report)} for report in outcome.after],
        "seconds": round(outcome.seconds, 3),
        "problems": list(outcome.problems),
        "stderr": list(outcome.stderr),
        "refusals": [refusal(item) for item in (plan.refusals if plan is not None else ())],
        "measured": [_record(item) for item in outcome.measured],
        "evidence": [_record(item) for item in outcome.records],
    }


def post_body(report: Report | None) -> dict[str, Any] | None:
    """Return the report of all files as one post; None if it was not requested."""
    if report is None:
        return None
    return {"verdict": report.verdict, "findings": [finding(item) for item in report.findings]}


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


def report_name(path: str, taken: Collection[str]) -> str:
    """Return the file name of the report of one input: its name and ``.json``.

    A number is added if another input of the same name has ``taken`` it.
    """
    stem = Path(path).name or "stream"
    candidates = (f"{stem}.json", *(f"{stem}.{number}.json" for number in range(2, len(taken) + 3)))
    return next(name for name in candidates if name not in taken)


def _record(value: Any) -> dict[str, Any]:
    record = encode(value)
    assert isinstance(record, dict)
    return record
