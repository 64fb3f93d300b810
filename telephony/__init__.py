"""Dutyline: sends every call to the right person, beside Asterisk."""

__version__ = "0.1.0"
