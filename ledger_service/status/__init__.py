"""How the service is: its status in words and numbers, whether it is ready, and its metrics.

What tells how much work comes in (the outbox, the metrics) is for a key with the operator's scope only: the number of
bids is secret until they are opened.
"""
