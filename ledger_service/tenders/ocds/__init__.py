"""Tenders in the Open Contracting Data Standard, 1.1: packages of others taken in, the ledger's own tenders given out.

A package is read (`package`), its releases given meaning (`facts`), and what would be done in the register laid out
before anything is sent (`planning`). The way out starts from what happened on the chain (`told`) and ends in a package
whose extension says where each step is recorded and proven (`exporting`, `references`).
"""
