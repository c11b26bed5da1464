"""Blind listening: pages that ask without saying what plays, answers that are locked when they come back, and what they show."""
