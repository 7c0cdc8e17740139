"""One reader for each container and picture format, by its structure alone: bounded reads, nothing decoded, no native parser."""
