"""Questions about plans: how two differ, what is odd, what they add up to."""
