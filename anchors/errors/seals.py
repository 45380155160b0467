"""Who sealed a block: either something is missing that would show it, or what is there is wrong."""

from anchors.errors.root import AnchorsError


class NotSealed(AnchorsError):
    """Nothing is wrong, but it is not shown that enough validators sealed a block."""


class SealsNotSupported(NotSealed):
    """A consensus whose seals this version cannot check."""

    remedy = "Verify with a version that knows this consensus, or ask for the grade anchored (--require anchored)."

    def __init__(self, consensus: str, block: int) -> None:
        super().__init__(f"this version cannot check who sealed block {block} under the consensus {consensus}")


class ValidatorsUnknown(NotSealed):
    """A block for which the network file lists no validators."""

    remedy = "Get a network.json that lists the validators of that block."

    def __init__(self, block: int) -> None:
        super().__init__(f"the network file lists no validators for block {block}")


class ValidatorsByContract(NotSealed):
    """A header of a chain whose validators a contract selects, so that no header says who they are."""

    remedy = "Such a chain cannot be verified offline; ask for the grade anchored (--require anchored)."

    def __init__(self, block: int) -> None:
        super().__init__(f"block {block} lists no validators: a contract selects them, which no header can prove")


class SealsMissing(NotSealed):
    """A header with no seals, or fewer than a quorum."""

    def __init__(self, block: int, found: int, needed: int) -> None:
        super().__init__(f"block {block} has the seals of {found} validators, and {needed} are needed")


class ConfirmationsMissing(NotSealed):
    """Too few later headers by distinct signers."""

    remedy = "Get the evidence again, with the headers after its block (finality), once the chain has gone on."

    def __init__(self, block: int, found: int, needed: int) -> None:
        super().__init__(f"block {block} is confirmed by {found} later signers, and {needed} are needed")


class SealsRefused(AnchorsError):
    """Seals, or a header under them, that no honest network makes."""

    def __init__(self, block: int, what: str) -> None:
        super().__init__(f"block {block} {what}")


class NotOfConsensus(SealsRefused):
    """A header field that the consensus fixes, with another value."""


class MalformedExtra(SealsRefused):
    """Extra data that is not of the consensus's form: vanity, validators, vote, round, seals."""


class MalformedSeal(SealsRefused):
    """A seal that is not r, s and v, 65 bytes with v 0 or 1."""


class MalleableSeal(SealsRefused):
    """A seal with the higher of the two values of s, which anyone can make of the true one."""


class ForgedSeal(SealsRefused):
    """A seal that no key can have made."""


class ForeignSeal(SealsRefused):
    """A seal that none of the block's validators made for this header."""

    remedy = "The header or the seal was changed, or the network file is too old: get both again."


class DuplicateSeal(SealsRefused):
    """Two seals of one validator, or one seal twice."""


class TooManySeals(SealsRefused):
    """More seals than validators."""


class ValidatorsDiffer(SealsRefused):
    """A header that lists other validators than those in force at its block."""

    remedy = "Get the evidence again, with the headers at which the validators changed, or a newer network.json."


class HeaderOutOfPlace(SealsRefused):
    """A header of the finality part that does not belong where it stands."""


class WrongDifficulty(SealsRefused):
    """A Clique header whose difficulty does not tell whether its signer was in turn."""


class SignedTooSoon(SealsRefused):
    """A Clique header by a signer who must let others sign first."""
