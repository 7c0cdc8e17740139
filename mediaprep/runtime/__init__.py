"""Access to the operating system: files, processes, forked children and their confinement."""
