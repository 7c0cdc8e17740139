"""From a target and a source to the steps that write the file."""
