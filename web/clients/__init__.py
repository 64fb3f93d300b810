"""Clients, to be read."""
