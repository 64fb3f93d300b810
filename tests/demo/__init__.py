"""`make demo`: a short working day on a real Asterisk with scripted phones."""
