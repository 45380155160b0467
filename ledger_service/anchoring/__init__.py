"""Brings the log's checkpoints onto the chain, and keeps what proves that they are there.

`outbox` compares what the log has signed with what the contract holds and sends what is due; `proofs` captures, for
each anchor that the index has followed, the header and the receipt that prove it.
"""
