"""Plans as programs that need no kosine."""
