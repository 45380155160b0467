"""How long a record is published: periods of the law counted by its calendar, in Chinese time.

Promises the last day of a period of months from a day, and the instant at which that day is over. A period of months
ends on the day of the same number, or on the month's last where there is none; the day it starts on is not counted,
the last one is, until 24:00 at UTC+8. A last day that is a holiday is not moved: that rule gives more time to whoever
must act, and nobody need act for a publication to end.
"""

import calendar
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final

__all__ = ["CHINESE_TIME", "LAST_DAY", "Term", "day_at", "end_of", "last_day"]

CHINESE_TIME: Final = timezone(timedelta(hours=8))
LAST_DAY: Final = date(9990, 12, 31)  # every period that begins by then has its last day in the calendar


@dataclass(frozen=True, slots=True)
class Term:
    """The least and the most months for which something may be published."""

    least: int
    most: int

    def bounds(self, start: date) -> tuple[date, date]:
        """The first and the last day on which a period that began on `start` may end."""
        return last_day(start, self.least), last_day(start, self.most)


def last_day(start: date, months: int) -> date:
    """The last day of a period of months.

    Args:
        start: the day on which it begins, such as a decision's; at most LAST_DAY.
        months: how many, 0 to 12 for each year that there is room for.

    Source: Civil Code of the People's Republic of China, articles 200 to 202.
    """
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return date(year, month + 1, min(start.day, calendar.monthrange(year, month + 1)[1]))


def end_of(day: date) -> int:
    """When a day is over: 24:00 in Chinese time, POSIX seconds, the first that is no more of it.

    Source: Civil Code of the People's Republic of China, article 203, second paragraph.
    """
    return int(datetime(day.year, day.month, day.day, tzinfo=CHINESE_TIME).timestamp()) + 24 * 60 * 60


def day_at(time: int) -> date:
    """The day that it is in China at a time, POSIX seconds, at most of the year 9998."""
    return datetime.fromtimestamp(time, UTC).astimezone(CHINESE_TIME).date()
