"""Confined reader processes: the pool and its slots."""
