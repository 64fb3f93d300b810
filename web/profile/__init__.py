"""What every user decides about their own account."""
