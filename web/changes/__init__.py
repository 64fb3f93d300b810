"""What was changed in the set-up, by whom, and taking it back."""
