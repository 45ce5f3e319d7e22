"""Spaces of schedules, for sweeps: a text form in which some arguments are parameters."""
