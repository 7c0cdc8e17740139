"""Descriptions of rewritten files: the facts an output will have once it is encoded or converted. Pure."""
