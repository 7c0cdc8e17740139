"""Rules for still images."""
