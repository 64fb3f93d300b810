"""The block list."""
