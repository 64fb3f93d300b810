"""The panel through Flask's test client."""
