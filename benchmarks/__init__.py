"""The figures of kosine, each a ratio or a count measured in one run: `python -m benchmarks.<name>`."""
