"""Bitstream readers: kinds of pictures and stream headers, without decoding anything."""
