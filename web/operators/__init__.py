"""Operators and what they do now, to be read."""
