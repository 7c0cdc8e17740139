"""Suggestions for misspelt names, to append to a message."""

from __future__ import annotations

from collections.abc import Iterable


def similar(word: str, known: Iterable[str]) -> str:
    """Return ``; did you mean 'x'?``, or an empty text if no known name is similar."""
    import difflib  # takes some milliseconds, and only messages need it

    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def similar_or_all(word: str, known: Iterable[str]) -> str:
    """Return ``; did you mean 'x'?``, or all known names if none is similar."""
    names = list(known)
    return similar(word, names) or f"; known: {', '.join(names)}"
