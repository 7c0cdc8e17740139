"""Sessions of development: ``nox -s tests``, ``lint``, ``types``, ``docs``, ``benchmarks``."""

from __future__ import annotations

import nox

nox.options.sessions = ["tests", "lint", "types", "docs"]
nox.options.default_venv_backend = "venv"


@nox.session(python=["3.11", "3.12", "3.13"])
def tests(session: nox.Session) -> None:
    """Run the ordinary tests; arguments go to pytest: ``nox -s tests-3.11 -- -m long``."""
    session.install("-e", ".[test]")
    session.run("python", "-m", "pytest", *(session.posargs or ("-n", "2")))


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and formatting."""
    session.install("-e", ".[lint]")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Check types."""
    session.install("-e", ".[lint,test]")
    session.run("mypy")


@nox.session
def docs(session: nox.Session) -> None:
    """Write the generated pages and diagrams anew; a test compares them with the code."""
    session.install("-e", ".[test]")
    session.run("python", "docs/generate.py")


@nox.session
def benchmarks(session: nox.Session) -> None:
    """Run one benchmark: ``nox -s benchmarks -- check``."""
    if len(session.posargs) < 1:
        session.error("name a benchmark: check, fix, encode, gif, image, batch, safety or score")
    session.install("-e", ".[test]")
    session.run("python", f"benchmarks/{session.posargs[0]}.py", *session.posargs[1:])
