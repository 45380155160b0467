"""What an operation in a tender asks to be signed, read from its fields: nobody signs what a service says is meant.

Promises that the digest is that of the fields as they are shown, for the register of the network file that the signer
trusts; and of an opening that its root is that of the very list that is shown.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, Final

from anchors.chain.keccak import keccak256
from anchors.errors import AnchorsError
from anchors.network import Network
from anchors.tenders import (
    Act,
    Amendment,
    Award,
    Bid,
    Candidates,
    Evaluation,
    Failure,
    Notice,
    Objection,
    Opening,
    Refusal,
    Ruling,
    open_list,
    pack_bids,
    pack_refusals,
    signed_digest,
)
from ledger_service.chain.contracts import TENDER_REGISTER
from ledger_service.errors import Exit, InvalidContent
from ledger_service.tenders.typed import read_act, typed_act

__all__ = ["NotAsTold", "Signable", "read_signable"]

_ACTS: Final[Mapping[str, type[Act]]] = {
    "tender": Notice,
    "amendment": Amendment,
    "opening": Opening,
    "evaluation": Evaluation,
    "candidates": Candidates,
    "objection": Objection,
    "ruling": Ruling,
    "award": Award,
    "failure": Failure,
}
_TIMES: Final = ("deadline", "opening", "until")
_MASKS: Final = ("members", "sites")


class NotAsTold(InvalidContent):
    """What would be signed is not what the operation says, or for another contract."""

    problem, title, exit_code = "not-as-told", "The operation is not what it says", Exit.REFUTED


@dataclass(frozen=True, slots=True)
class Signable:
    """What would be signed."""

    digest: bytes  # 32 bytes
    lines: tuple[str, ...]  # what it says, for a person


def read_signable(operation: Mapping[str, Any], network: Network) -> Signable:
    """Work out what an operation asks to be signed.

    Args:
        operation: as the API told it.
        network: that the signer trusts: whose register it must be for.

    Raises:
        NotAsTold: it is for another contract, is not what it says, or is malformed.
    """
    try:
        kind, message = operation["act"], operation["typed_data"]["message"]
        act, deadline = read_act(_ACTS[kind], message["act"]), int(message["validUntil"])
        register = next(one.address for one in network.contracts_named(TENDER_REGISTER) if one.to_block is None)
        digest = signed_digest(register, network.chain_id, act, deadline)
        same = typed_act(register, network.chain_id, act, deadline) == operation["typed_data"]
        if not same or "0x" + digest.hex() != operation["digest"]:
            raise NotAsTold("The operation is not for the register of the network file, or not what it says.")
        lines = [kind, *_lines(act, network)]
        if isinstance(act, Opening):
            lines += _listed(act, operation["request"])
    except (AnchorsError, KeyError, TypeError, ValueError, AttributeError, StopIteration, OverflowError) as error:
        raise NotAsTold(f"The operation cannot be read ({type(error).__name__}: {error}); do not sign it.") from error
    return Signable(digest, (*lines, f"signatures are good until {_time(deadline)}"))


def _lines(act: Act, network: Network) -> Iterator[str]:
    codes = {member.number: member.code for member in network.members}
    for field in fields(act):
        value = getattr(act, field.name)
        if field.name in _MASKS:
            value = ", ".join(codes.get(n, f"member {n}") for n in range(value.bit_length()) if value >> n & 1)
        elif field.name == "host":
            value = codes.get(value, f"member {value}")
        elif field.name in _TIMES:
            value = _time(value)
        yield f"  {field.name} {'0x' + value.hex() if isinstance(value, bytes) else value}"


def _listed(act: Opening, request: Mapping[str, Any]) -> Iterator[str]:
    """The lists of an opening, which must be those that would be signed."""
    bids = [Bid(_word(one["commitment"]), int(one["index"])) for one in request["bids"]]
    refusals = [Refusal(_word(one["commitment"]), _word(one["reason"])) for one in request.get("refusals", ())]
    opened = open_list(pack_bids(bids))
    if (opened.root, opened.count, keccak256(pack_refusals(refusals))) != (act.root, act.count, act.refusals):
        raise NotAsTold("The lists that are shown are not those that would be signed; do not sign.")
    for bid in sorted(bids):
        yield f"  opened 0x{bid.commitment.hex()} at {bid.place}"
    for refusal in sorted(refusals):
        yield f"  refused 0x{refusal.commitment.hex()} because of 0x{refusal.reason.hex()}"


def _word(text: str) -> bytes:
    word = bytes.fromhex(text.removeprefix("0x"))
    if len(word) != 32:
        raise ValueError(f"{text[:80]} is not 32 bytes")
    return word


def _time(time: int) -> str:
    try:
        return f"{datetime.fromtimestamp(time, UTC):%Y-%m-%dT%H:%M:%SZ}"
    except (ValueError, OSError, OverflowError):  # after the year 9999
        return f"second {time}"
