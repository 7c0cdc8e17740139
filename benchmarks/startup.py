"""What each start-up technique of ``mediaprep.runtime.startup`` saves in a check of one small file.

    python benchmarks/startup.py [--rounds 15]

Each row checks the same file with one technique switched off; the ratio is the median of the
rounds' ratios to the unchanged command. The byte code of the package is compiled first, as
installing a wheel does.
"""

from __future__ import annotations

import argparse
import compileall
import sys

from _run import ROOT, Contender, compare, table
from check import small_files

BASE = "unchanged"
VARIANTS = {
    BASE: "",
    "no forked readers": "startup.fork_children = lambda count, entry: ()",
    "no loading in the background": (
        "startup.load_in_background = lambda load: contextlib.nullcontext(load())"
    ),
    "imports not frozen": "startup.imports_frozen = contextlib.nullcontext",
    "options parsed by typer": (
        "from mediaprep.cli import _fast_path; _fast_path.simple_command = lambda words: None"
    ),
}
CODE = """
import contextlib, sys
from mediaprep.runtime import startup
{change}
from mediaprep.cli import main
main()
"""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    compileall.compile_dir(ROOT / "mediaprep", quiet=1)
    path = str(small_files(16)[0])
    contenders = [
        Contender(name=name, argv=[sys.executable, "-c", CODE.format(change=change), "check", path])
        for name, change in VARIANTS.items()
    ]
    timings = compare(contenders, options.rounds)
    print(table("mediaprep check of one small file, the whole process", timings, BASE))


if __name__ == "__main__":
    main()
