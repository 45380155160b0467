"""The files themselves: their JSON, the network file, the evidence file."""

from anchors.errors.root import AnchorsError


class MalformedFile(AnchorsError):
    """A file, or a part of one, that is not of its format."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where} {what}")


class NotCanonical(AnchorsError):
    """A network file in another spelling than the one that its writer uses."""

    remedy = "Get network.json again, byte for byte; no tool may reformat it."

    def __init__(self) -> None:
        super().__init__("the network file is not in its canonical form")


class BadGovernorSignature(AnchorsError):
    """A signature in a network file that gives no voice to whom it names."""

    remedy = "Get network.json again from a member that you trust."

    def __init__(self, governor: bytes, what: str) -> None:
        super().__init__(f"the governor 0x{governor.hex()} {what}")


class TooFewGovernors(AnchorsError):
    """A network file without the signatures of more than two thirds of the members."""

    remedy = "Get a network.json that more governors have signed."

    def __init__(self, voices: int, threshold: int, members: int) -> None:
        super().__init__(
            f"the network file has the voices of {voices} members, its threshold is {threshold}, and more than two "
            f"thirds of {members} are needed"
        )


class VersionGap(AnchorsError):
    """A later network file that is not the version after the one before it."""

    remedy = "Give every version from the pinned one on, one after the other, in order."

    def __init__(self, expected: int, found: int) -> None:
        super().__init__(f"version {found} of the network file stands where version {expected} must follow")


class HistoryRewritten(AnchorsError):
    """A later network file that takes back or alters what an earlier one says."""

    remedy = "Keep to the version that you have: entries may be added and open ones ended, no more."

    def __init__(self, version: int, where: str) -> None:
        super().__init__(f"version {version} of the network file rewrites {where}")


class TooFewPredecessors(AnchorsError):
    """A later network file that the governors in force before it have not agreed to."""

    remedy = "Keep to the version that you have, and get one that more of its governors have signed."

    def __init__(self, version: int, voices: int, threshold: int) -> None:
        super().__init__(
            f"version {version} of the network file has the voices of {voices} members by the governors in force in "
            f"version {version - 1}, whose threshold is {threshold}"
        )


class UnknownMember(AnchorsError):
    """A member that the network file does not list."""

    def __init__(self, number: int) -> None:
        super().__init__(f"the network file knows no member {number}")


class LogKeyNotInForce(AnchorsError):
    """A checkpoint that no listed key of the member may sign."""

    def __init__(self, code: str, generation: int, size: int) -> None:
        super().__init__(f"no key of {code} is good for a checkpoint of size {size} in generation {generation}")


class ContractNotInForce(AnchorsError):
    """A contract that was not in force at the block."""

    def __init__(self, name: str, block: int) -> None:
        super().__init__(f"the network file lists no {name} in force at block {block}")


class SignerNotInForce(AnchorsError):
    """A receipt by someone who was no signer of the member when it was accepted."""

    def __init__(self, code: str, signer: bytes, time: int) -> None:
        super().__init__(f"0x{signer.hex()} was no receipt signer of {code} at time {time}")
