"""What a chain's node hands out, and how it is checked without the node: RLP, tries, headers, receipts, keccak."""
