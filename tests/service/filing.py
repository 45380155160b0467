"""Credit acts of a small alliance on a real chain, signed by the keys of those who must, for tests of what follows."""

from dataclasses import dataclass, field, replace
from datetime import timedelta

from founding import Founded, block_time

from anchors.credit import (
    NO_PLEDGE,
    Change,
    Choice,
    Event,
    Issued,
    Kind,
    Named,
    Publication,
    Record,
    State,
    changes_digest,
    choice_digest,
    day_at,
    histories,
    publication_digest,
)
from anchors.subjects import Subject
from ledger_service.chain import transactions
from ledger_service.chain.contracts import CREDIT_REGISTER, RECOGNITION_MATRIX
from ledger_service.chain.rpc import Rpc
from ledger_service.credit.calls import Pair, Told, change_call, choice_call, publish_call

HOUR = 3600
MEASURES = {Kind.HONOUR: (1,), Kind.GENERAL: (101,), Kind.SERIOUS: (101, 201)}
GROUNDS, PLEDGE, REASON = b"\x67" * 32, b"\x70" * 32, b"\x72" * 32
STATEMENT, DOCUMENT = b"\x73" * 32, b"\x64" * 32
COMPANIES = tuple(
    Subject.parse(f"CN-USCC:{code}")
    for code in ("91110000600037341L", "915100002018088028", "915000002030026807", "91520000214431048L")
)
"""Companies that can have these codes; whose they are does not matter."""


@dataclass
class Filing:
    """Files records and changes, and remembers what happened to each subject as it should have been indexed."""

    founded: Founded
    rpc: Rpc
    events: dict[bytes, list[Event]] = field(default_factory=dict)
    choices: list[Choice] = field(default_factory=list)

    def record(self, subject: Subject, kind: Kind = Kind.GENERAL, member: int = 2, **changes: object) -> Record:
        """A record that was decided some days ago, within the law, drawn up now."""
        decided = day_at(block_time(self.rpc)) - timedelta(days=10)
        months = {Kind.HONOUR: 365, Kind.GENERAL: 200, Kind.SERIOUS: 600}[kind]
        plain = Record(
            subject=subject.key,
            member=member,
            kind=kind,
            decided_on=decided,
            last_day=decided + timedelta(days=months),
            earlier=len(self.told(subject.key)),
            measures=MEASURES[kind],
            statement=STATEMENT,
            document=DOCUMENT,
        )
        return replace(plain, **changes)  # type: ignore[arg-type]

    def told(self, subject: bytes) -> list[Event]:
        return self.events.setdefault(subject, [])

    def publish(self, *records: Record) -> list[bytes]:
        """Publish records of one member, with all signatures that they take; their names."""
        member, deadline = records[0].member, block_time(self.rpc) + HOUR
        digest = publication_digest(self._register, self.founded.network.chain_id, records, deadline)
        serious = any(record.kind is Kind.SERIOUS for record in records)
        others = [n for n in self.founded.members if n != member] if serious else []
        endorsements = [self.founded.opened[n, "regulator"].sign(digest) for n in sorted(others)]
        told = [(record, self.told(record.subject)) for record in records]
        mined = self._send(CREDIT_REGISTER, publish_call(told, deadline, self._pair(member, digest), endorsements))
        for record in records:
            self.told(record.subject).append(Publication(record, self._time(mined)))
        return [record.struct_hash() for record in records]

    def change(
        self, subject: bytes, record: bytes, state: State, content: Record | None = None, by: int = 2
    ) -> transactions.Mined:
        """Change a record; an objection is handed in by member `by`."""
        deadline, events = block_time(self.rpc) + HOUR, self.told(subject)
        history = next(each for each in histories(events) if each.name == record)
        now = history.changes[-1].content if history.changes else history.record
        pledge = PLEDGE if state is State.REPAIRED else NO_PLEDGE
        change = Change(record, state, GROUNDS, pledge, content or now, 0)
        chain = self.founded.network.chain_id
        digest = changes_digest(self._register, chain, [(history.leaf(), change)], deadline)
        objection = self.founded.opened[by, "credit-publisher"].sign(digest)
        signatures = objection if state is State.OBJECTED else self._pair(now.member, digest)
        mined = self._send(CREDIT_REGISTER, change_call([Told(change, events)], deadline, signatures))
        events.append(replace(change, time=self._time(mined)))
        return mined

    def choose(self, member: int, about: Issued | Named, *, applied: bool = False) -> transactions.Mined:
        """Let a member opt out, or in again."""
        deadline = block_time(self.rpc) + HOUR
        earlier = sum(each.member == member and each.about == about for each in self.choices)
        choice = Choice(member, about, applied, REASON, 0)
        matrix = self.founded.address(RECOGNITION_MATRIX)
        digest = choice_digest(matrix, self.founded.network.chain_id, choice, earlier, deadline)
        data = choice_call(choice, earlier, deadline, self._pair(member, digest))
        mined = self._send(RECOGNITION_MATRIX, data)
        self.choices.append(replace(choice, time=self._time(mined)))
        return mined

    @property
    def _register(self) -> bytes:
        return self.founded.address(CREDIT_REGISTER)

    def _pair(self, member: int, digest: bytes) -> Pair:
        publisher, regulator = (self.founded.opened[member, role] for role in ("credit-publisher", "regulator"))
        return Pair(publisher.sign(digest), regulator.sign(digest))

    def _send(self, name: str, data: bytes) -> transactions.Mined:
        return self.founded.send_data(self.rpc, self.founded.opened[1, "anchorer"], name, data)

    def _time(self, mined: transactions.Mined) -> int:
        return block_time(self.rpc, hex(mined.block_number))
