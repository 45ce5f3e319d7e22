"""Logs of runs: read them, check them against a plan, infer the schedule that they show."""
