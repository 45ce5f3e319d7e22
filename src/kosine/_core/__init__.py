"""Schedules and plans: numbers, curves, phases, groups, placing, evaluation, text and JSON."""
