"""Tests of the repository itself: the documents say what the code does."""
