"""Lists of other bodies taken in, and the alliance's own given out.

A list is read (`listfile`, `reading`), its columns are given meaning (`mapping`), its rows drawn up as records
(`drafting`), held against what the register has (`planning`), and sent so that nothing is sent twice (`journal`,
`importing`). The way out is `exporting`.
"""
