"""Acts that several people sign: drawn up by a slice, collected here, sent to their contract and followed until final.

Promises the same for every slice: what an operation is, whose signatures count, that it takes effect once. What an act
says, what is called, and where it took effect is the slices' own: nothing here knows of credit or of tenders.
"""
