"""Reports, plans and outcomes as text, as JSON and as progress: what people and programs are shown."""

VERSION = 1  # of every JSON document and event; docs/json.md says what a version promises
