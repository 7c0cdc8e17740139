"""Processes, files and confinement: everything that touches the operating system."""
