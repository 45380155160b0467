"""An alliance of the compiled contracts that acts on one company's credit by what our own code folds and signs."""

import dataclasses
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from importlib import resources
from typing import Any

from credit_alliance import SEATS, SENDER, CreditAlliance, found_credit
from eth_account.signers.local import LocalAccount
from founded_alliance import connect, word
from web3 import Web3
from web3.contract.contract import ContractFunction

from anchors.chain.signatures import sign_digest
from anchors.credit import (
    NO_PLEDGE,
    Catalogue,
    Change,
    Event,
    Kind,
    Publication,
    Record,
    State,
    changes_digest,
    check_change,
    check_publication,
    check_record,
    day_at,
    fold,
    histories,
    links,
    publication_digest,
)
from anchors.subjects import Subject
from ledger_service.chain import devnet
from ledger_service.chain.contracts import COMPILED

ARTIFACTS = resources.files("ledger_service.chain") / "artifacts"
CATALOGUE = Catalogue.parse(resources.files("anchors.credit").joinpath("measures.json").read_bytes())
COMPANY = Subject.parse("CN-USCC:91510000201837253E")
CHAIN_ID = 1337
ISSUER = 2
PAPER = bytes(31) + b"\x07"


@dataclass
class Acting:
    """The alliance, and what happened to the company's records so far."""

    alliance: CreditAlliance
    events: list[Event] = field(default_factory=list)
    catalogue: Catalogue = CATALOGUE

    @property
    def register(self) -> bytes:
        return bytes.fromhex(self.alliance.register.address[2:])

    @property
    def registry(self) -> bytes:
        return bytes.fromhex(self.alliance.registry.address[2:])

    @property
    def today(self) -> date:
        return day_at(self.alliance.now)

    def record(self, kind: Kind, months: int, *measures: int) -> Record:
        """A record that was decided 100 days ago and ends about so many months later."""
        decided = self.today - timedelta(100)
        ends = decided + timedelta(30 * months + 20)
        return Record(COMPANY.key, ISSUER, kind, decided, ends, len(self.events), measures, PAPER, PAPER)

    # ---- publish ----

    def publishing(self, record: Record) -> ContractFunction:
        """Publish with the signatures that it takes, drawn up after all that happened."""
        deadline = self.alliance.now + 600
        digest = publication_digest(self.register, CHAIN_ID, [record], deadline)
        others = [self.alliance.regulator(n) for n in range(1, SEATS + 1) if n != ISSUER]
        endorsements = [compact(each, digest) for each in others] if record.kind is Kind.SERIOUS else []
        given = [(record.subject, content(record))]
        return self.alliance.register.functions.publish(given, [], deadline, self.pair(digest), endorsements)

    def publish(self, record: Record) -> None:
        check_record(record, self.catalogue, self.alliance.now)
        check_publication(record, self.events)
        self.events.append(Publication(record, self.send(self.publishing(record))))

    # ---- change ----

    def standing(self, record: Record) -> tuple[State, Record]:
        """What the record is now, and says."""
        (history,) = (each for each in histories(self.events) if each.record == record)
        standing = history.standing(self.alliance.now)
        assert standing is not None
        return standing.state, standing.content

    def drawn_up(self, record: Record, state: State, **facts: Any) -> Change:
        """A change with its papers, unless told otherwise."""
        pledge = PAPER if state is State.REPAIRED else NO_PLEDGE
        plain = Change(record.struct_hash(), state, PAPER, pledge, self.standing(record)[1], self.alliance.now)
        return dataclasses.replace(plain, **facts)

    def changing(self, record: Record, change: Change) -> ContractFunction:
        """Change a record with the signatures that it takes."""
        state, before = self.standing(record)
        made = list(links(self.events))
        at = max(place for place, link in enumerate(made) if link.record == change.record)
        opened = (record.subject, change.record, content(before), state, made[at].step, made[at].time)
        given = (*opened, fold(self.events[:at]), change.state, change.grounds, change.pledge)
        since = [part for link in made[at + 1 :] for part in (link.record, link.leaf())]
        deadline = self.alliance.now + 600
        digest = changes_digest(self.register, CHAIN_ID, [(made[at].leaf(), change)], deadline)
        functions = self.alliance.register.functions
        if change.state is State.OBJECTED:
            return functions.objectTo(given, since, deadline, compact(self.alliance.publisher(1), digest))
        if change.state is State.CORRECTED:
            return functions.correct(given, content(change.content), since, deadline, self.pair(digest))
        return functions.decide([given], since, deadline, self.pair(digest))

    def apply(self, record: Record, state: State, **facts: Any) -> None:
        change = self.drawn_up(record, state, **facts)
        check_change(*self.standing(record), change, self.catalogue)
        self.events.append(dataclasses.replace(change, time=self.send(self.changing(record, change))))

    # ---- sign and send ----

    def pair(self, digest: bytes) -> tuple[tuple[bytes, bytes], ...]:
        return compact(self.alliance.publisher(ISSUER), digest), compact(self.alliance.regulator(ISSUER), digest)

    def send(self, call: ContractFunction) -> int:
        return self.alliance.time_of(self.alliance.send(SENDER, call))

    def rpc(self, method: str, *arguments: Any) -> Any:
        answer = self.alliance.web3.provider.make_request(method, arguments)  # type: ignore[arg-type]
        return json.loads(Web3.to_json(answer))["result"]  # type: ignore[arg-type]


@contextmanager
def acting_alliance() -> Iterator[Acting]:
    """Found the alliance on a chain of its own, with the catalogue's measures in force."""
    with devnet.running("anvil") as chain:
        alliance = found_credit(connect(chain.rpc), {name: artifact(name) for name in COMPILED})
        for kind in Kind:
            name = f"measures:{kind.name.lower()}"
            alliance.vote(alliance.registry.functions.setParameter(word(name), CATALOGUE.mask(kind)))
        yield Acting(alliance)


def artifact(name: str) -> dict[str, Any]:
    return dict(json.loads((ARTIFACTS / f"{name}.json").read_bytes()))


def compact(account: LocalAccount, digest: bytes) -> tuple[bytes, bytes]:
    """Our own signature as EIP-2098 writes it."""
    made = sign_digest(bytes(account.key), digest)
    return made[:32], (int.from_bytes(made[32:64], "big") | (made[64] - 27) << 255).to_bytes(32, "big")


def content(record: Record) -> tuple[int, int, bytes, bytes]:
    """A record as the contract takes it."""
    first = date(1970, 1, 1)
    days = (record.decided_on - first).days, (record.last_day - first).days
    terms = record.member | record.kind << 16 | days[0] << 24 | days[1] << 56 | record.earlier << 88
    return terms, sum(1 << code for code in record.measures), record.statement, record.document
