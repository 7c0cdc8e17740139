"""Facts of videos and audio files: packets, frames, timing, GOPs, interlace, colour, audio."""
