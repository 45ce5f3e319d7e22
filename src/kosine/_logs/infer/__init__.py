"""The schedule that a log shows."""
