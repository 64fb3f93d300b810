"""What only admins see: users, API tokens, the audit log."""
