"""Facts of still images and animations."""
