"""How a draw stands, as the API tells everybody: who has given what, whose part is missing, and what came of it.

Promises that no value, share, list or seat is in it.
"""

import json
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from anchors.commitment import Statement, commit
from ledger_service.tenders.draws.rounds import Round

__all__ = ["DrawsOut", "RevealedOut", "RoundOut", "SeatProofOut", "SeatsOut", "round_told"]

StateName = Literal["depositing", "confirming", "listing", "revealing", "ready", "drawn", "void", "short"]
_WORD: Final = "^0x[0-9a-f]{64}$"


class _Out(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ShareOut(_Out):
    """Who has disclosed a share of whose value."""

    site: str
    member: str


class GivenOut(_Out):
    """Who has given what, by codes."""

    deposits: list[str]
    confirmations: list[str]
    lists: list[str]
    reveals: list[str]
    shares: list[ShareOut]


class NeededSharesOut(_Out):
    """How many more shares give the value of a site that has not revealed."""

    site: str
    count: int


class MissingOut(_Out):
    """Whose part may come now and has not, by codes."""

    deposits: list[str]
    confirmations: list[str] = Field(description="Of all members; not all need confirm.")
    lists: list[str]
    reveals: list[str]
    shares: list[NeededSharesOut]


class ResultOut(_Out):
    """What came of it."""

    panel: str | None = Field(pattern=_WORD, description="The root under which the panel is sealed.")
    void: list[str] = Field(description="The sites that kept their values back.")


class EvidenceOut(_Out):
    """The sealed file's evidence in the host's log, of the kind `expert-draw`."""

    commitment: str = Field(pattern=_WORD)
    statement: dict[str, Any] = Field(description="What it commits to, with its salt.")
    receipt: dict[str, Any] | None = Field(description="The log's; null: ask for the result again.")


class RoundOut(_Out):
    """A round of a draw."""

    tender: str = Field(pattern=_WORD)
    round: int
    state: StateName
    terms: str = Field(pattern=_WORD, description="Their digest.")
    threshold: int = Field(description="How many shares give a value.")
    members: list[str]
    sites: list[str]
    seats: int = Field(description="How many are to be drawn.")
    begun_at: int
    given: GivenOut
    missing: MissingOut
    held_at: int | None
    result: ResultOut | None = Field(description="Null also where the lists could not fill the quotas.")
    digest: str | None = Field(pattern=_WORD, description="SHA-256 of the sealed file, once the draw was held.")
    evidence: EvidenceOut | None


class DrawsOut(_Out):
    """All rounds of a tender's draw, first to last."""

    draws: list[RoundOut]


class RevealedOut(_Out):
    """What sites revealed, and the shares that were disclosed; parts, as the draw's file has them."""

    reveals: list[dict[str, Any]]
    shares: list[dict[str, Any]]


class SeatsOut(_Out):
    """Who was drawn."""

    seats: list[dict[str, Any]] = Field(description="As the draw's file has them.")
    words: list[str] = Field(description="What stands for the seats, ascending: the `drawn` of the award.")


class SeatProofOut(_Out):
    """One seat of a panel, with the path to the root under which it was sealed."""

    terms: str = Field(pattern=_WORD)
    seat: dict[str, Any]
    index: int
    count: int
    path: list[str]


def round_told(one: Round) -> dict[str, Any]:
    """A round as it stands."""
    terms, result = one.draw.terms, one.draw.result
    missing = _missing(one)
    return {
        "tender": "0x" + one.row.tender.hex(),
        "round": one.row.round,
        "state": _state(one, missing),
        "terms": "0x" + terms.digest().hex(),
        "threshold": terms.threshold,
        "members": terms.member_codes,
        "sites": terms.site_codes,
        "seats": terms.seats,
        "begun_at": one.row.begun_at,
        "given": {
            "deposits": [each.site for each in one.draw.deposits],
            "confirmations": [each.member for each in one.draw.confirmations],
            "lists": list(one.listed),
            "reveals": [each.site for each in one.opened.reveals],
            "shares": [{"site": each.site, "member": each.member} for each in one.opened.shares],
        },
        "missing": missing,
        "held_at": one.row.held_at,
        "result": None if result is None else result.to_json(),
        "digest": "0x" + one.draw.digest().hex() if one.is_held else None,
        "evidence": _evidence(one),
    }


def _evidence(one: Round) -> dict[str, Any] | None:
    if one.row.statement is None:
        return None
    statement = json.loads(one.row.statement)
    return {
        "commitment": "0x" + commit(Statement.from_json(statement)).hex(),
        "statement": statement,
        "receipt": None if one.row.receipt is None else json.loads(one.row.receipt),
    }


def _missing(one: Round) -> dict[str, Any]:
    terms, draw, opened = one.draw.terms, one.draw, one.opened
    nothing: dict[str, Any] = {"deposits": [], "confirmations": [], "lists": [], "reveals": [], "shares": []}
    if one.is_held:
        return nothing
    deposited, confirmed = {each.site for each in draw.deposits}, {each.member for each in draw.confirmations}
    revealed = {each.site for each in opened.reveals}
    lists = [site for site in terms.site_codes if site not in one.listed]
    deposits = [site for site in terms.site_codes if site not in deposited]
    found = nothing | {"deposits": deposits, "lists": lists}
    if not deposits and not one.is_revealing:
        found["confirmations"] = [code for code in terms.member_codes if code not in confirmed]
    if one.is_committed:
        found["reveals"] = [site for site in terms.site_codes if site not in revealed]
        held = {site: sum(each.site == site for each in opened.shares) for site in found["reveals"]}
        found["shares"] = [
            {"site": site, "count": terms.threshold - count} for site, count in held.items() if count < terms.threshold
        ]
    return found


def _state(one: Round, missing: dict[str, Any]) -> StateName:
    if one.is_held:
        return "drawn" if one.is_drawn else "void" if one.is_void else "short"
    if missing["deposits"]:
        return "depositing"
    if not one.is_committed:
        return "confirming"
    if missing["lists"]:
        return "listing"
    return "revealing" if missing["shares"] else "ready"
