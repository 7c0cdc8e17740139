"""Video outputs: the ffmpeg command, its filters and encoder options, and the encode."""
