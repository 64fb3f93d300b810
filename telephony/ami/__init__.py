"""The edge to Asterisk's manager interface (AMI)."""
