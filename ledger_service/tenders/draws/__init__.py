"""Draws of experts at the tender's host: where the members' parts come together, and what of them is told to whom."""
