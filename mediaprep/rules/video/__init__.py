"""Rules for videos, one module per subject."""
