"""Facts of a video: picture, sound, timing, GOP structure, interlacing, colour."""
