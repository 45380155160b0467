"""Credit records as members keep them and everyone asks for them.

A record comes in as an act that several people sign (`operations`), is sent to the contracts, comes back through the
index, and is told: of a company, of a member, of a screening, as a certificate, as events.
"""
