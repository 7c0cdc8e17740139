"""Confined child processes that read files: the pool, and what a child process runs."""
