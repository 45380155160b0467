"""What would be done in the register for the tenders of release packages, shown before anything is sent.

Promises one plan for each ocid: every act in the order in which the register takes them, with what the releases give
for it, what somebody else must still give, and what the register would refuse. Acts that no release tells of (bids
closed and opened, the evaluation) stand in their places. Nothing is guessed: what a release leaves out is listed as
missing unless `Given` has it.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from ledger_service.tenders.ocds.facts import Amendment, Award, Facts, Organization, read_facts
from ledger_service.tenders.ocds.package import BadPackage, Package, Release, content_digest
from ledger_service.tenders.ocds.plan import Act, Given, Obstacle, Plan, Step, Value

__all__ = ["Act", "Given", "Obstacle", "Plan", "Step", "Value", "make_plans"]

_NOTICE_TAGS: Final = {"tender", "tenderUpdate", "tenderAmendment"}
_MADE: Final = (None, "active")  # OCDS's award status; it need not be stated
_CANCELLED: Final = "tenderCancellation"
DISORDER: Final = "dates-out-of-order"


def make_plans(packages: Iterable[Package], given: Given, now: datetime) -> tuple[Plan, ...]:
    """Lay out what would be done, a plan for each ocid in the order in which they come up.

    Args:
        packages: in any order; the same release may come more than once.
        given: what they do not say.
        now: the present time, against which deadlines are held.

    Raises:
        BadPackage: two different releases have one ocid and id, or a release has parts of another form.
    """
    processes: dict[str, dict[str, Release]] = {}
    for release in (release for package in packages for release in package.releases):
        known = processes.setdefault(release.ocid, {}).setdefault(release.id, release)
        if known.digest != release.digest:
            raise BadPackage(release.content.where, f"is another release than the first with the id {release.id!r}")
    return tuple(_Planning(ocid, releases, given, now).plan() for ocid, releases in processes.items())


class _Planning:
    """Goes through the releases of one tender by date, keeping how far its life has come."""

    def __init__(self, ocid: str, releases: Mapping[str, Release], given: Given, now: datetime) -> None:
        self._ocid = ocid
        self._releases = releases
        self._given = given
        self._now = now
        self._steps: list[Step] = []
        self._done: set[Act] = set()
        self._passed_over: list[str] = []
        self._notice: Facts | None = None
        self._deadline: datetime | None = None
        self._opening: datetime | None = None
        self._version = 0
        self._seen: set[tuple[str, ...]] = set()  # amendments, awards and contracts that have had their step

    def plan(self) -> Plan:
        parties: dict[str, Organization] = {}
        for release in sorted(self._releases.values(), key=lambda release: release.date):
            if not list(self._acts(read_facts(release, parties))):
                self._passed_over.append(release.id)
        tender = None if self._notice is None else self._notice.tender
        return Plan(
            ocid=self._ocid,
            title=None if tender is None else tender.title,
            buyer=None if tender is None else tender.buyer,
            procuring_entity=None if tender is None else tender.procuring_entity,
            steps=tuple(self._steps),
            passed_over=tuple(self._passed_over),
            releases=dict(self._releases),
        )

    def _acts(self, facts: Facts) -> Iterator[Step]:
        """The acts that a release tells of; each is put in its place before the next is looked for."""
        for step in self._tender_acts(facts):
            yield self._add(step)
        proposed = [award for award in facts.awards if award.status == "pending" and self._is_new("proposed", award.id)]
        made = [award for award in facts.awards if award.status in _MADE and self._is_new("made", award.id)]
        if proposed:
            yield self._add(self._candidates(facts, proposed))
        if made:
            yield self._add(self._award(facts, made))
        for contract in facts.contracts:
            if self._is_new("contract", contract.id):
                digest = content_digest(contract.published)
                yield self._add(self._step(Act.CONTRACT, facts, {"contract": contract.id, "digest": digest}))

    def _tender_acts(self, facts: Facts) -> Iterator[Step]:
        tender = facts.tender
        cancelled = _CANCELLED in facts.release.tags or (tender is not None and tender.has_ended)
        if cancelled:
            if self._notice is not None and not self._has(Act.FAIL):
                yield self._step(Act.FAIL, facts, {"reason": facts.release.digest})
        elif tender is not None and not tender.is_planned and _NOTICE_TAGS & set(facts.release.tags):
            yield self._publication(facts) if self._notice is None else self._amendment(facts)

    def _publication(self, facts: Facts) -> Step:
        self._notice, self._version = facts, 1
        self._new_amendments(facts)  # what a notice came with is no reason for a later one
        values: dict[str, Value] = {"digest": facts.release.digest}
        obstacles = []
        if "tender" not in facts.release.tags:
            what = "is of an amendment before any notice; the releases before it are not in the packages"
            obstacles.append(Obstacle("no-notice", facts.release.content.path("tag"), what))
        given = {"host": self._given.host, "members": self._given.members or None, "former": self._given.former}
        values |= {name: value for name, value in given.items() if value is not None}
        if self._given.answer_days is not None:
            values["answer_days"] = self._given.answer_days
        if self._given.host is not None and self._given.members and self._given.host not in self._given.members:
            what = "is by members among whom the host is not"
            obstacles.append(Obstacle("host-missing", facts.release.content.path("tender"), what))
        obstacles += [*self._set_times(facts, values), *self._disordered(facts)]
        needed = ("host", "members", "deadline", "opening", "answer_days")
        return self._step(Act.PUBLISH, facts, values, needed, obstacles)

    def _amendment(self, facts: Facts) -> Step:
        self._version += 1
        values: dict[str, Value] = {"version": self._version, "digest": facts.release.digest}
        amendments = self._new_amendments(facts)
        rationales = tuple(amendment.rationale for amendment in amendments if amendment.rationale)
        if rationales:
            values["reason"] = content_digest([amendment.published for amendment in amendments])
            values["rationale"] = rationales
        before = self._deadline
        obstacles = self._set_times(facts, values)
        if before is not None and self._date(facts) >= before:
            what = f"is after the deadline, {before - self._given.shift:%Y-%m-%dT%H:%M:%SZ}, which it would amend"
            obstacles.append(Obstacle("amended-too-late", facts.release.content.path("date"), what))
        else:
            obstacles += self._disordered(facts)
        if before is not None and self._deadline is not None and self._deadline < before:
            what = "moves the deadline to an earlier time"
            obstacles.append(Obstacle("deadline-brought-forward", _deadline_path(facts), what))
        return self._step(Act.AMEND, facts, values, ("reason", "deadline", "opening"), obstacles)

    def _candidates(self, facts: Facts, proposed: list[Award]) -> Step:
        values = {"list": content_digest([award.published for award in proposed])}
        needed, early = ("evaluation", "until"), self._before_deadline(facts)
        return self._step(Act.CANDIDATES, facts, values, needed, early, _suppliers(proposed))

    def _award(self, facts: Facts, made: list[Award]) -> Step:
        obstacles = self._before_deadline(facts)
        if self._has(Act.AWARD):
            what = "are of a tender that is awarded already; parts that are awarded later are tenders of their own"
            obstacles.append(Obstacle("awarded-already", facts.release.content.path("awards"), what))
        digest = content_digest([award.published for award in made])
        needed = ("candidates", "panel")
        return self._step(Act.AWARD, facts, {"award": digest}, needed, obstacles, _suppliers(made))

    def _set_times(self, facts: Facts, values: dict[str, Value]) -> list[Obstacle]:
        """Put deadline and opening among the values, as they stand after this release; say what is wrong with them."""
        tender, given = facts.tender, self._given
        if tender is not None and tender.deadline is not None:
            self._deadline = _moved(tender.deadline, given.shift)
        if given.opens_after is not None:
            self._opening = None if self._deadline is None else _moved(self._deadline, given.opens_after)
        elif tender is not None and tender.bid_opening is not None:
            self._opening = _moved(tender.bid_opening, given.shift)
        values |= {
            name: time for name, time in (("deadline", self._deadline), ("opening", self._opening)) if time is not None
        }
        obstacles = []
        if self._deadline is not None and self._deadline <= self._now:
            obstacles.append(Obstacle("deadline-over", _deadline_path(facts), "is a deadline that is over"))
        if self._deadline is not None and self._opening is not None and self._opening < self._deadline:
            where = f"{facts.release.content.path('tender')}.bidOpening.date"
            obstacles.append(Obstacle("opening-before-deadline", where, "is before the deadline"))
        return obstacles

    def _date(self, facts: Facts) -> datetime:
        """When a release was published, moved as all times are."""
        return _moved(facts.release.date, self._given.shift)

    def _disordered(self, facts: Facts) -> list[Obstacle]:
        """Of a release on the notice: whether it begins the period of bids after its end, or comes itself after it."""
        tender, obstacles = facts.tender, []
        if tender is not None and tender.deadline is not None:
            if tender.opens_at is not None and tender.opens_at > tender.deadline:
                where = f"{facts.release.content.path('tender')}.tenderPeriod.startDate"
                obstacles.append(Obstacle(DISORDER, where, "is after the end of the period"))
            if facts.release.date >= tender.deadline:
                where = facts.release.content.path("date")
                obstacles.append(Obstacle(DISORDER, where, "is after the deadline of which it tells"))
        return obstacles

    def _before_deadline(self, facts: Facts) -> list[Obstacle]:
        """Of a release on awards: whether it comes before bids could be opened."""
        if self._deadline is None or self._date(facts) >= self._deadline:
            return []
        what = "is before the deadline, so that no bid can have been opened"
        return [Obstacle(DISORDER, facts.release.content.path("date"), what)]

    def _step(
        self,
        act: Act,
        facts: Facts,
        values: Mapping[str, Value],
        needed: Iterable[str] = (),
        obstacles: Iterable[Obstacle] = (),
        suppliers: tuple[Organization, ...] = (),
    ) -> Step:
        section = {Act.CANDIDATES: "award", Act.AWARD: "award", Act.CONTRACT: "contract"}.get(act, "tender")
        nameless = [f"the company behind a supplier: {each.unnamed}" for each in suppliers if each.subject is None]
        return Step(
            act=act,
            release=facts.release.id,
            date=facts.release.date,
            values=dict(values),
            missing=(*(name for name in needed if name not in values), *nameless),
            obstacles=tuple(obstacles),
            documents=tuple(each for each in facts.documents if each.section == section),
            suppliers=suppliers,
        )

    def _add(self, step: Step) -> Step:
        """Put a step behind the acts that must come before it, which no release may have told of."""
        before: Mapping[Act, tuple[Act, ...]] = {
            Act.CANDIDATES: (Act.CLOSE, Act.OPEN, Act.EVALUATE),
            Act.AWARD: (Act.CLOSE, Act.OPEN, Act.EVALUATE, Act.CANDIDATES),
        }
        for act in before.get(step.act, ()):
            if not self._has(act):
                self._steps.append(_untold(act, self._deadline, self._opening))
                self._done.add(act)
        found = None
        if self._notice is None:
            found = ("no-notice", "is of a tender of which there is no notice in the packages")
        elif self._has(Act.FAIL) or (self._has(Act.AWARD) and step.act not in (Act.AWARD, Act.CONTRACT)):
            found = ("tender-ended", "is of a tender that has ended")
        elif step.act is Act.AMEND and self._has(Act.CLOSE):
            found = ("already-closed", "comes when bids are closed")
        if found is not None and step.release is not None:
            problem, what = found
            where = self._releases[step.release].content.where
            step = replace(step, obstacles=(*step.obstacles, Obstacle(problem, where, what)))
        self._steps.append(step)
        self._done.add(step.act)
        return self._steps[-1]

    def _has(self, act: Act) -> bool:
        return act in self._done

    def _new_amendments(self, facts: Facts) -> list[Amendment]:
        """The reasons that no earlier release had, but for those that name another release as theirs."""
        tender = facts.tender
        amendments = () if tender is None else tender.amendments
        return [
            amendment
            for amendment in amendments
            if self._is_new("amendment", content_digest(amendment.published).hex())
            and amendment.release in (None, facts.release.id)
        ]

    def _is_new(self, *what: str) -> bool:
        new = what not in self._seen
        self._seen.add(what)
        return new


def _untold(act: Act, deadline: datetime | None, opening: datetime | None) -> Step:
    """An act that no release tells of: all that it needs is still to be given, but the time before which it is not."""
    not_before = {Act.CLOSE: deadline, Act.OPEN: opening}.get(act)
    return Step(
        act=act,
        release=None,
        date=None,
        values={} if not_before is None else {"not_before": not_before},
        missing={
            Act.OPEN: ("entries", "refusals", "record"),
            Act.EVALUATE: ("report", "sites", "panel", "result"),
            Act.CANDIDATES: ("list", "evaluation", "until"),
        }.get(act, ()),
    )


def _deadline_path(facts: Facts) -> str:
    return f"{facts.release.content.path('tender')}.tenderPeriod.endDate"


def _suppliers(awards: Iterable[Award]) -> tuple[Organization, ...]:
    return tuple(supplier for award in awards for supplier in award.suppliers)


def _moved(time: datetime, shift: timedelta) -> datetime:
    try:
        return time + shift
    except OverflowError as error:
        raise BadPackage("A time of the package", "cannot be moved that far") from error
