"""The draw of experts across sites: a panel that nobody could choose, sealed until the award, then proven.

`experts` is a site's list, `terms` what all agree on, `acts` what members sign and `ceremony` when they may;
`sharing` and `sealing` are the shares of values, `drbg` the generator, `panel` the draw, `file` its JSON document and
`verdict` the verifier.
"""

from anchors.tenders.draw.acts import (
    Act,
    Confirmation,
    Deposit,
    Disclosure,
    Reveal,
    SealedShare,
    Sign,
    committed_digest,
    deposits_digest,
)
from anchors.tenders.draw.ceremony import (
    check_committed,
    check_deposits,
    check_lists,
    confirm,
    deposit,
    disclose,
    hold,
    recover_values,
    reveal,
)
from anchors.tenders.draw.drbg import HmacDrbg
from anchors.tenders.draw.experts import Expert, ExpertList, ListCommitment, ListedExpert, prove_listed
from anchors.tenders.draw.file import FORMAT, MAX_DRAW_BYTES, Draw, DrawFile, Opened, Result
from anchors.tenders.draw.panel import Panel, Seat, SeatProof, draw, prove_seat, recused_codes
from anchors.tenders.draw.sharing import new_value
from anchors.tenders.draw.terms import Member, Quota, Terms
from anchors.tenders.draw.verdict import STEPS, DrawState, DrawVerdict, check_next_round, replay

__all__ = [
    "FORMAT",
    "MAX_DRAW_BYTES",
    "STEPS",
    "Act",
    "Confirmation",
    "Deposit",
    "Disclosure",
    "Draw",
    "DrawFile",
    "DrawState",
    "DrawVerdict",
    "Expert",
    "ExpertList",
    "HmacDrbg",
    "ListCommitment",
    "ListedExpert",
    "Member",
    "Opened",
    "Panel",
    "Quota",
    "Result",
    "Reveal",
    "SealedShare",
    "Seat",
    "SeatProof",
    "Sign",
    "Terms",
    "check_committed",
    "check_deposits",
    "check_lists",
    "check_next_round",
    "committed_digest",
    "confirm",
    "deposit",
    "deposits_digest",
    "disclose",
    "draw",
    "hold",
    "new_value",
    "prove_listed",
    "prove_seat",
    "recover_values",
    "recused_codes",
    "replay",
    "reveal",
]
