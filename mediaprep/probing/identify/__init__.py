"""Identify a file from its content: format, completeness, private metadata."""
