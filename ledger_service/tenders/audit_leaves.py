"""The leaves of this member's own log that an audit shows: of the whole time of bidding, or of the periods of bids.

Promises no key that may not be told. A period is shown whole once it may be told of: then its key, or, in a log without
slots, all of its leaves, show everything that came in it. Of the others no more is shown than the opened bids. A file
holds so many leaves; where the time of bidding is longer it shows the periods in which opened bids stand, as many as
there is room for, and the reader finds the others at `/v1/periods`.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, takewhile

from anchors.tenders import Bid
from anchors.tenders.audit import LogPart, PeriodLeaves
from ledger_service.log.past_periods import PastPeriod
from ledger_service.log.reader import LogReader
from ledger_service.tenders.period_keys import PeriodKeys, Telling

__all__ = ["LogLeaves", "Shown", "Whole"]

MOST_LEAVES = 1 << 15  # of whole periods in a file
MOST_PERIODS = 512
MOST_SINGLE = 1_000  # each is proven by itself
_AT_ONCE = 64  # rows


@dataclass(frozen=True, slots=True)
class Whole:
    """A period that is shown with all of its leaves."""

    period: PastPeriod
    key: bytes | None
    next_key: bytes | None


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown of the log."""

    whole: tuple[Whole, ...] = ()
    single: tuple[Bid, ...] = ()  # opened bids of other periods

    @property
    def periods(self) -> tuple[PastPeriod, ...]:
        """The periods that are shown whole."""
        return tuple(one.period for one in self.whole)

    @property
    def end(self) -> int:
        """One past the place of the last leaf."""
        return max([*(one.end for one in self.periods), *(bid.place + 1 for bid in self.single)], default=0)


class LogLeaves:
    """Shows leaves of the log.

    Args:
        reader: of the log.
        keys: of its periods.
    """

    def __init__(self, reader: LogReader, keys: PeriodKeys) -> None:
        self._reader = reader
        self._keys = keys

    def choose(self, bids: Sequence[Bid], times: range, places: range, telling: Telling) -> Shown:
        """What to show of the log for a tender.

        Args:
            bids: the opened ones.
            times: from the notice to the deadline, POSIX seconds.
            places: of the leaves that were anchored in this time.
            telling: what may be told.
        """
        periods = self._keys.periods
        first = min(periods.number_at(times.start), periods.number_of(places.start))
        end = max(periods.number_at(times.stop), periods.number_of(max(places.start, places.stop - 1))) + 1
        of_bids = {periods.number_of(bid.place) for bid in bids}
        wanted = self._whole({*range(first, end), *of_bids}, of_bids, telling) if end - first <= MOST_PERIODS else []
        if not wanted or sum(one.period.end - one.period.first for one in wanted) > MOST_LEAVES:
            wanted = self._whole(of_bids, of_bids, telling)
        whole = _fitting(wanted)
        single = (bid for bid in bids if not any(one.period.first <= bid.place < one.period.end for one in whole))
        return Shown(whole, tuple(single))

    def show(self, shown: Shown, size: int) -> LogPart | None:
        """The leaves as a file has them.

        Args:
            shown: which; what the log does not have below `size` is left out.
            size: of a tree that is anchored.

        Returns:
            None where there is nothing to show.

        Raises:
            FilesDamaged: the log's tiles do not give a path.
        """
        if self._reader.checkpoint_of_size(size) is None:
            return None
        whole = [one for one in shown.whole if one.period.end <= size]
        below = [bid for bid in shown.single if bid.place < size and self._is_logged(bid)][:MOST_SINGLE]
        runs = [(one.period.first, self._keys.periods.leaves(one.period.number)) for one in whole]
        runs += [(bid.place, (bid.commitment,)) for bid in below]
        keys = [*((one.key, one.next_key) for one in whole), *((None, None) for _ in below)]
        paths = self._reader.beside(runs, size)
        found = [PeriodLeaves(*run, *pair, path) for run, pair, path in zip(runs, keys, paths, strict=True)]
        return LogPart(size, tuple(sorted(found, key=lambda one: one.first))) if found else None

    def _whole(self, numbers: Iterable[int], of_bids: Collection[int], telling: Telling) -> list[Whole]:
        """Those of the periods that may be shown whole, in order.

        Without the next key one of the leaves says nothing, so that it is done for the sake of opened bids alone.
        """
        past, found = self._past({near for number in numbers for near in (number, number + 1)}), []
        for number in sorted(numbers):
            period, following = past.get(number), past.get(number + 1)
            if period is None or period.first == period.end or not telling.is_over(period):
                continue
            keys = [self._keys.key(one, telling) if period.slots and one else None for one in (period, following)]
            if number in of_bids or not period.slots or keys[1] is not None:
                found.append(Whole(period, *keys))
        return found

    def _past(self, numbers: Iterable[int]) -> dict[int, PastPeriod]:
        """The periods of these numbers that are public."""
        found: dict[int, PastPeriod] = {}
        for number in sorted(numbers):
            if number not in found:
                found |= {one.number: one for one in self._keys.periods.from_number(number, _AT_ONCE)}
                if number not in found:  # nor is any after it
                    break
        return found

    def _is_logged(self, bid: Bid) -> bool:
        entry = self._reader.find(bid.commitment)
        return entry is not None and entry.index == bid.place


def _fitting(wanted: Sequence[Whole]) -> tuple[Whole, ...]:
    """The first of them, as many as a file has room for."""
    some = wanted[:MOST_PERIODS]
    ends = accumulate(one.period.end - one.period.first for one in some)
    return tuple(one for one, _ in takewhile(lambda pair: pair[1] <= MOST_LEAVES, zip(some, ends, strict=True)))
