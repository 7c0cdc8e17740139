"""Bitstream readers, one codec each: just the headers that a rule needs. Bytes in, facts out."""
