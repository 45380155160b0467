"""Tenders: what is signed and committed to in one, and by which rules."""
