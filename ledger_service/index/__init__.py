"""The chain as tables: fetched block by block, checked against hashes, decoded, applied, rolled back when it turns.

A new event is added in four places, in this order: its dataclass in `events`, its layout in `decode`, what it changes
in `apply`, and, where it needs one, its table in `tables`. All else follows from those.
"""
