"""mediaprep."""
