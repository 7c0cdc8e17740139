"""Rules for stills."""
