"""``python -m mediaprep``."""

from mediaprep.cli import main

main()
