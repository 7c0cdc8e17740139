"""Wrappers of third-party code: ffmpeg, PyAV, Pillow, MediaInfo, gifsicle, pysubs2."""
