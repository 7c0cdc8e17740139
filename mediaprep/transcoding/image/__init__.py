"""Still images: encoding in a child process, and removal of metadata without re-encoding."""
