"""Fuzzing of what reads the texts and files of others: `python -m fuzz parse --seconds 300`."""
