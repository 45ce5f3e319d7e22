"""Tests of the programs that plans are written as: each is run, and compared with its plan over the whole run."""
