"""A log against its plan."""
