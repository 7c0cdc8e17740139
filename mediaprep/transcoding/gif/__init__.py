"""GIF outputs: filters and palette, and the search for the widest GIF within a byte limit."""
