"""The leaves of this member's own log that an audit shows: of the whole time of bidding, or of the periods of bids.

Promises no key that may not be told. A period is shown whole once it may be told of: then its key, or, in a log without
slots, all of its leaves, show everything that came in it. Of the others no more is shown than the opened bids. A file
holds so many leaves; where the time of bidding is longer it shows the periods in which opened bids stand, as many as
there is room for, and the reader finds the others at `/v1/periods`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, takewhile

from anchors.tenders import Bid
from anchors.tenders.audit import LogPart, PeriodLeaves
from ledger_service.log.past_periods import PastPeriod
from ledger_service.log.reader import LogReader
from ledger_service.tenders.period_keys import PeriodKeys, Telling

__all__ = ["LogLeaves", "Shown"]

MOST_LEAVES = 1 << 15  # of whole periods in a file
MOST_PERIODS = 512
MOST_SINGLE = 1_000  # each is proven by itself
_AT_ONCE = 64  # rows


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown of the log."""

    whole: tuple[PastPeriod, ...]
    single: tuple[Bid, ...]  # opened bids of other periods

    @property
    def end(self) -> int:
        """One past the place of the last leaf."""
        return max([*(one.end for one in self.whole), *(bid.place + 1 for bid in self.single)], default=0)


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
        wanted = self._past({*range(first, end), *of_bids}) if end - first <= MOST_PERIODS else ()
        if not wanted or sum(one.end - one.first for one in wanted) > MOST_LEAVES:
            wanted = self._past(of_bids)
        whole = _fitting(one for one in wanted if self._is_wanted(one, one.number in of_bids, telling))
        single = (bid for bid in bids if not any(one.first <= bid.place < one.end for one in whole))
        return Shown(whole, tuple(single))

    def _is_wanted(self, period: PastPeriod, has_bids: bool, telling: Telling) -> bool:
        """Whether to show a period whole: without the next key one of its leaves says nothing, so that it is shown for
        the sake of opened bids alone."""
        if not telling.is_over(period) or period.first == period.end:
            return False
        return has_bids or not period.slots or self._next_key(period, telling) is not None

    def show(self, shown: Shown, size: int, telling: Telling) -> LogPart | None:
        """The leaves as a file has them.

        Args:
            shown: which; what the log does not have below `size` is left out.
            size: of a tree that is anchored.
            telling: what may be told.

        Returns:
            None where there is nothing to show.

        Raises:
            FilesDamaged: the log's tiles do not give a path.
        """
        if self._reader.checkpoint_of_size(size) is None:
            return None
        found = [self._whole(one, size, telling) for one in shown.whole if one.end <= size]
        below = [bid for bid in shown.single if bid.place < size and self._is_logged(bid)]
        found += [self._run(bid.place, (bid.commitment,), size) for bid in below[:MOST_SINGLE]]
        return LogPart(size, tuple(sorted(found, key=lambda one: one.first))) if found else None

    def _past(self, numbers: Iterable[int]) -> tuple[PastPeriod, ...]:
        """The periods of these numbers that are public, in order."""
        found: dict[int, PastPeriod] = {}
        for number in sorted(numbers):
            if number not in found:
                found |= {one.number: one for one in self._keys.periods.from_number(number, _AT_ONCE)}
                if number not in found:  # nor is any after it
                    break
        return tuple(found[number] for number in sorted(numbers) if number in found)

    def _whole(self, period: PastPeriod, size: int, telling: Telling) -> PeriodLeaves:
        key = self._keys.key(period, telling) if period.slots else None
        next_key = self._next_key(period, telling) if period.slots else None
        return self._run(period.first, self._keys.periods.leaves(period.number), size, key, next_key)

    def _next_key(self, period: PastPeriod, telling: Telling) -> bytes | None:
        following = self._keys.periods.from_number(period.number + 1, 1)
        return self._keys.key(following[0], telling) if following else None

    def _run(
        self, first: int, leaves: Sequence[bytes], size: int, key: bytes | None = None, next_key: bytes | None = None
    ) -> PeriodLeaves:
        return PeriodLeaves(first, tuple(leaves), key, next_key, self._reader.beside(first, leaves, size))

    def _is_logged(self, bid: Bid) -> bool:
        entry = self._reader.find(bid.commitment)
        return entry is not None and entry.index == bid.place


def _fitting(periods: Iterable[PastPeriod]) -> tuple[PastPeriod, ...]:
    """The first of the periods, as many as a file has room for."""
    some = tuple(periods)[:MOST_PERIODS]
    ends = accumulate(one.end - one.first for one in some)
    return tuple(one for one, _ in takewhile(lambda pair: pair[1] <= MOST_LEAVES, zip(some, ends, strict=True)))
