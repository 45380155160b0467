"""C2SP's signed texts, and the policy on who must cosign them."""

from anchors.errors.root import AnchorsError


class MalformedText(AnchorsError):
    """A C2SP text that breaks its format."""


class MalformedEncoding(MalformedText):
    """Text that is not the one spelling of bytes in base64 or of a decimal."""


class MalformedKey(MalformedText):
    """A verifier key, or a name or seed for one, that is none."""

    remedy = "Take the key again from whoever owns it, in the form name+ID+key."


class MalformedNote(MalformedText):
    """Bytes that are no signed note."""

    def __init__(self, what: str) -> None:
        super().__init__(f"malformed signed note: {what}")


class MalformedCheckpoint(MalformedText):
    """A note's text that is no checkpoint."""

    def __init__(self, what: str) -> None:
        super().__init__(f"malformed checkpoint: {what}")


class WrongEmptyRoot(MalformedCheckpoint):
    """A checkpoint of no leaves whose root is not that of the empty tree."""

    def __init__(self) -> None:
        super().__init__("the tree is empty, and the root is not that of the empty tree")


class MalformedTlogProof(MalformedText):
    """Bytes that are no `tlog-proof@v1`."""

    def __init__(self, what: str) -> None:
        super().__init__(f"malformed tlog-proof: {what}")


class BadNoteSignature(AnchorsError):
    """A note that the key it must be signed by did not sign."""


class MalformedPolicy(MalformedText):
    """A witness policy that breaks its format."""

    remedy = "Mend the policy file at that line; C2SP tlog-policy says how it is written."

    def __init__(self, line: int, what: str) -> None:
        super().__init__(f"malformed policy: line {line} has {what}")


class LogNotInPolicy(AnchorsError):
    """A checkpoint of a log that the policy does not accept."""

    remedy = "Verify with a policy that lists the log's key, or none."

    def __init__(self, origin: str) -> None:
        super().__init__(f"the policy lists logs, and the key of {origin!r} is not among them")


class QuorumMissed(AnchorsError):
    """A checkpoint that too few of the policy's witnesses cosigned."""

    remedy = "Fetch the evidence again when more witnesses have cosigned the checkpoint."

    def __init__(self, quorum: str, cosigners: list[str], witnesses: int) -> None:
        who = ", ".join(map(repr, cosigners)) or "nobody"
        super().__init__(f"of {witnesses} witnesses {who} cosigned the checkpoint: not the quorum {quorum!r}")


class UnfitSigner(AnchorsError):
    """A key asked for a signature that it cannot give."""

    remedy = "Sign with the log's own key, or as a cosigner with a time."
