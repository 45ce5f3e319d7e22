"""Losses of runs that were not trained, from the logs of runs that were."""
