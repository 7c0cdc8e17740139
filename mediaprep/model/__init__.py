"""Values shared by every layer: facts of a file, limits, options, reports. No effects."""
