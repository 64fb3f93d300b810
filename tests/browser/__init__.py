"""The panel in a real Chromium, with calls made on a real Asterisk."""
