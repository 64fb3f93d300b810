"""Who is told of what, as people set it up: for the panel, the API and the command line."""
