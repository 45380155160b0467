"""The demonstration: a whole alliance on this machine, real files, and verdicts that nobody has to be believed for.

`ocds/` holds the tender process it submits by default (Open Contracting sample data, its source in PROVENANCE.json,
its licence beside it); `pdf.py` prints a bid document from it; `scenario.py` is the demonstration itself.
"""
