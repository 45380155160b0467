"""Tenders: what is announced, opened, evaluated and awarded, what is signed, and what a receipt for a bid proves.

Promises the rules of docs/TENDERS.md as pure functions of facts and time, and the same bytes and hashes as the contract
that holds the register. `acts` is what is signed, `bids` the list of opened bids, `life` which act follows which,
`claims` what a bidder shows who was left out, `draw` how a panel of experts is drawn. Who may sign is left to the
contracts.
"""

from anchors.tenders.acts import (
    NO_TENDER,
    Act,
    Amendment,
    Award,
    Candidates,
    Evaluation,
    Failure,
    Notice,
    Objection,
    Opening,
    Ruling,
    members_mask,
    signed_digest,
    tender_domain,
)
from anchors.tenders.bids import (
    ENTRY_BYTES,
    Bid,
    OpenedList,
    Page,
    Refusal,
    find_bid,
    open_list,
    pack_bids,
    pack_refusals,
    parse_bids,
    parse_refusals,
    reason_of,
    show_page,
)
from anchors.tenders.claims import (
    Answer,
    Claim,
    check_replacement,
    claim_dropped,
    claim_late,
)
from anchors.tenders.evaluators import (
    Evaluators,
)
from anchors.tenders.life import (
    ANSWER_DAYS,
    LEAST_BIDS,
    State,
    Tender,
    announce,
    least_until,
)
from anchors.tenders.receipt import (
    WITHDRAWN,
    BidReceipt,
    Replacement,
    holder_of,
)

__all__ = [
    "ANSWER_DAYS",
    "ENTRY_BYTES",
    "LEAST_BIDS",
    "NO_TENDER",
    "WITHDRAWN",
    "Act",
    "Amendment",
    "Answer",
    "Award",
    "Bid",
    "BidReceipt",
    "Candidates",
    "Claim",
    "Evaluation",
    "Evaluators",
    "Failure",
    "Notice",
    "Objection",
    "OpenedList",
    "Opening",
    "Page",
    "Refusal",
    "Replacement",
    "Ruling",
    "State",
    "Tender",
    "announce",
    "check_replacement",
    "claim_dropped",
    "claim_late",
    "find_bid",
    "holder_of",
    "least_until",
    "members_mask",
    "open_list",
    "pack_bids",
    "pack_refusals",
    "parse_bids",
    "parse_refusals",
    "reason_of",
    "show_page",
    "signed_digest",
    "tender_domain",
]
