"""The offline evidence library: from a document to the block that anchors it, by proof and without asking anyone.

Pure: it reads no file, opens no socket, looks at no clock. This package file imports nothing, so that whoever
needs one part pays for that part alone.
"""
