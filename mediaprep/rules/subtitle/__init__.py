"""Rules for captions."""
