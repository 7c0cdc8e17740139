"""One walker for each format: it reads the structure alone, within bounds, and decodes nothing."""
