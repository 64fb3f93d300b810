"""The record: tables by area and functions that take a Session; whoever opened it commits."""
