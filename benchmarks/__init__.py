"""Figures of our own speed, always as ratios to a hand-written ideal of the same run."""
