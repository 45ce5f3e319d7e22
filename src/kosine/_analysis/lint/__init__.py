"""Mistakes in a plan, each with a code."""
