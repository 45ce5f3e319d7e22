"""Find the peak: the range test, whatever trains, and what its curves suggest."""
