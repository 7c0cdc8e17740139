"""Render reports, plans, outcomes and progress: as text and as JSON."""

VERSION = 1  # of every JSON document and event; docs/json.md says what a version guarantees
