"""The rules of lint, one theme a file."""
