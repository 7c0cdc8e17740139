"""The watched folder: find settled files and enqueue them."""
