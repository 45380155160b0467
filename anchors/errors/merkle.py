"""Trees, proofs and tiles."""

from anchors.errors.root import AnchorsError


class OutsideTree(AnchorsError):
    """A leaf, a node or a size that the tree does not have."""

    remedy = "Ask for a leaf and a size that the log has reached."


class BadFrontier(AnchorsError):
    """The edge of a tree that does not fit its size."""

    remedy = "Restore the tree from its tiles."


class BadInclusionPath(AnchorsError):
    """A path of hashes that cannot lead from that leaf to the root of a tree of that size."""


class BadConsistencyProof(AnchorsError):
    """A proof that does not show that the new tree begins with the old one."""

    remedy = "Ask the log for the proof again; if it cannot give one, it has forked: keep both checkpoints as evidence."


class BadTilePath(AnchorsError):
    """A path that is not the one name of a tile."""

    remedy = "Ask for tile/<level>/<index>[.p/<width>] as C2SP tlog-tiles writes it."


class BadTile(AnchorsError):
    """A tile or entry bundle whose bytes do not fit its name."""

    remedy = "Fetch the tile again; if it stays so, the log's storage is damaged."
