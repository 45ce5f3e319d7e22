"""Reading the learning rates of a run from its log."""
