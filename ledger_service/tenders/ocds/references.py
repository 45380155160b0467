"""The member `bidledger` of a release: where on the chain each step that it tells of is recorded, and what proves it.

Promises that what is written reads back the same, and that a release whose content is not what the chain recorded of it
is refused when it is read. That the chain recorded it at all is left to the evidence files that are named here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Self

from anchors.bounded_json import MAX_NUMBER, Fields
from anchors.errors import MalformedFile
from ledger_service.tenders.ocds.package import EXTENSION, BadPackage, Release, content_digest
from ledger_service.tenders.ocds.told import Anchored, Detail, Event, Happening, Leaf, LogPart, Place

__all__ = ["References", "read_references"]

_MAX_EVENTS: Final = 10_000
_MAX_LISTED: Final = 1_000
_URL: Final = r"https?://[!-~]{1,2000}"
_TIME: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z"
_PLACE: Final = ("blockNumber", "blockHash", "blockTime", "transactionIndex", "logIndex")
_MAY_LACK: Final = ("digest", "digestOf", "evidence", "commitments", "log", "details")
_LOG_MAY_LACK: Final = ("size", "leaves", "anchors")
_PROPOSED: Final = ("pending",)
_MADE: Final = (None, "active")

_Digests = Mapping[bytes, tuple[str, frozenset[Happening]]]


@dataclass(frozen=True, slots=True)
class References:
    """What one release's member says."""

    tender: bytes  # 32 bytes
    chain_id: int
    contract: bytes  # 20 bytes
    events: tuple[Event, ...]

    @classmethod
    def from_json(cls, value: object, where: str, release: Mapping[str, object]) -> Self:
        """Read the member of a release with this content; raises MalformedFile."""
        fields = Fields(value, where, ("tenderId", "chainId", "contract", "events"))
        digests = _digests(release)
        return cls(
            tender=fields.hex("tenderId", 32),
            chain_id=fields.number("chainId", 1),
            contract=fields.hex("contract", 20),
            events=fields.each("events", _MAX_EVENTS, lambda event, place: _read_event(event, place, digests)),
        )

    def to_json(self, release: Mapping[str, object]) -> dict[str, object]:
        """The member, for a release with this content."""
        digests = _digests(release)
        return {
            "tenderId": _hex(self.tender),
            "chainId": self.chain_id,
            "contract": _hex(self.contract),
            "events": [_write_event(event, digests) for event in self.events],
        }


def read_references(release: Release) -> References | None:
    """Read where a release's steps are recorded; None where it does not say.

    Raises:
        BadPackage: the member has another form, or the release is not what an event recorded of it.
    """
    value = release.content.members.get(EXTENSION)
    if value is None:
        return None
    try:
        return References.from_json(value, release.content.path(EXTENSION), release.published)
    except MalformedFile as error:
        raise BadPackage("The package", f"has references that do not fit: {error}") from error


def _digests(release: Mapping[str, object]) -> _Digests:
    """What an event's digest can be of: the release, or the awards in it that the event is about."""
    known: dict[bytes, tuple[str, frozenset[Happening]]] = {
        content_digest(dict(release)): ("release", frozenset(Happening))
    }
    awards = release.get("awards")
    if isinstance(awards, list):
        for happening, states in ((Happening.CANDIDATES, _PROPOSED), (Happening.AWARD, _MADE)):
            meant = [award for award in awards if isinstance(award, dict) and award.get("status") in states]
            if meant:
                known[content_digest(meant)] = ("awards", frozenset((happening,)))
    return known


def _recorded_as(event: Happening, digest: bytes, digests: _Digests) -> str:
    what, happenings = digests.get(digest, ("document", frozenset[Happening]()))
    return what if event in happenings else "document"


def _write_event(event: Event, digests: _Digests) -> dict[str, object]:
    recorded = {}
    if event.digest is not None:
        what = _recorded_as(event.happening, event.digest, digests)
        recorded = {"digest": _hex(event.digest), "digestOf": what}
    further: dict[str, Sequence[object] | Mapping[str, object]] = {
        "evidence": list(event.evidence),
        "commitments": [_hex(commitment) for commitment in event.commitments],
        "log": {} if event.log is None else _write_log(event.log),
        "details": {
            name: list(detail) if isinstance(detail, tuple) else detail for name, detail in event.details.items()
        },
    }
    return {
        "id": _id(event.place),
        "event": event.happening.value,
        **recorded,
        **_write_place(event.place),
        **{name: value for name, value in further.items() if value},
    }


def _id(place: Place) -> str:
    """By which whoever merges releases keeps every event. Source: OCDS 1.1, merging, identifier merge."""
    return f"{place.block}-{place.transaction}-{place.log_index}"


def _write_place(place: Place) -> dict[str, object]:
    return {
        "blockNumber": place.block,
        "blockHash": _hex(place.block_hash),
        "blockTime": place.time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "transactionIndex": place.transaction,
        "logIndex": place.log_index,
    }


def _write_log(part: LogPart) -> dict[str, object]:
    anchors = [{"size": each.size, "root": _hex(each.root)} | _write_place(each.place) for each in part.anchors]
    return {
        "contract": _hex(part.contract),
        "generation": part.generation,
        **({} if part.size is None else {"size": part.size}),
        **({"leaves": [_write_leaf(leaf) for leaf in part.leaves]} if part.leaves else {}),
        **({"anchors": anchors} if anchors else {}),
    }


def _write_leaf(leaf: Leaf) -> dict[str, object]:
    evidence = {"evidence": list(leaf.evidence)} if leaf.evidence else {}
    return {"commitment": _hex(leaf.commitment), "index": leaf.index} | evidence


def _read_event(value: object, where: str, digests: _Digests) -> Event:
    fields = Fields(value, where, ("id", "event", *_PLACE, *_MAY_LACK), _MAY_LACK)
    known = fields.members
    happening = Happening(fields.text("event", "|".join(Happening)))
    if ("digest" in known) != ("digestOf" in known):
        raise MalformedFile(where, "has a digest without what it is of, or the other way round")
    if "digest" in known:
        found = _recorded_as(happening, fields.hex("digest", 32), digests)
        if fields.text("digestOf", "release|awards|document") != found:
            raise MalformedFile(where, "records something else than this release says")
    place = _read_place(fields)
    fields.text("id", _id(place))
    return Event(
        happening=happening,
        place=place,
        digest=fields.hex("digest", 32) if "digest" in known else None,
        evidence=fields.each("evidence", _MAX_LISTED, _url) if "evidence" in known else (),
        commitments=fields.hex_list("commitments", _MAX_LISTED, 32) if "commitments" in known else (),
        log=_read_log(fields.raw("log"), fields.path("log")) if "log" in known else None,
        details=_details(fields.raw("details"), fields.path("details")) if "details" in known else {},
    )


def _read_place(fields: Fields) -> Place:
    return Place(
        block=fields.number("blockNumber"),
        block_hash=fields.hex("blockHash", 32),
        time=_time(fields.text("blockTime", _TIME), fields.path("blockTime")),
        transaction=fields.number("transactionIndex"),
        log_index=fields.number("logIndex"),
    )


def _read_log(value: object, where: str) -> LogPart:
    fields = Fields(value, where, ("contract", "generation", *_LOG_MAY_LACK), _LOG_MAY_LACK)
    known = fields.members
    return LogPart(
        contract=fields.hex("contract", 20),
        generation=fields.number("generation"),
        size=fields.number("size") if "size" in known else None,
        leaves=fields.each("leaves", _MAX_LISTED, _read_leaf) if "leaves" in known else (),
        anchors=fields.each("anchors", _MAX_LISTED, _read_anchor) if "anchors" in known else (),
    )


def _read_leaf(value: object, where: str) -> Leaf:
    fields = Fields(value, where, ("commitment", "index", "evidence"), ("evidence",))
    evidence = fields.each("evidence", _MAX_LISTED, _url) if "evidence" in fields.members else ()
    return Leaf(fields.hex("commitment", 32), fields.number("index"), evidence)


def _read_anchor(value: object, where: str) -> Anchored:
    fields = Fields(value, where, ("size", "root", *_PLACE))
    return Anchored(fields.number("size"), fields.hex("root", 32), _read_place(fields))


def _details(value: object, where: str) -> dict[str, Detail]:
    if not isinstance(value, dict) or len(value) > _MAX_LISTED:
        raise MalformedFile(where, f"is not an object of at most {_MAX_LISTED} members")
    return {name: _detail(member, f"{where}.{name[:80]}") for name, member in value.items()}


def _detail(value: object, where: str) -> Detail:
    if isinstance(value, list) and len(value) <= _MAX_LISTED and all(isinstance(element, str) for element in value):
        return tuple(value)
    if isinstance(value, bool | str) or (isinstance(value, int) and abs(value) <= MAX_NUMBER):
        return value
    raise MalformedFile(where, "is no text, integer, boolean or list of texts")


def _url(value: object, where: str) -> str:
    return Fields({"url": value}, where, ("url",)).text("url", _URL)


def _time(text: str, where: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise MalformedFile(where, "is no time") from error


def _hex(data: bytes) -> str:
    return f"0x{data.hex()}"
