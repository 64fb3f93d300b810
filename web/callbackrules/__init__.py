"""What an admin decides about callbacks."""
