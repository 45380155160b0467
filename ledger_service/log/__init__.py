"""The member's own log: takes commitments, gives each its place and its receipt, grows on a clock, serves its tiles.

`accept` and `routes` are its doors on the web, `writer` the one writer behind the first, `reader` what all other parts
ask. The database is the log: tiles and the checkpoint are files that are made from it.
"""
