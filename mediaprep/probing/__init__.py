"""Establish the facts of a file: identify it, then read it in a confined child process."""
