"""The draw of experts: what cannot be agreed on, deposited or revealed, and panels that are not what was drawn."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from anchors.errors.root import AnchorsError


class BadDraw(AnchorsError):
    """Root of what refuses a draw of experts or a part of one."""

    remedy: ClassVar[str] = (
        "Get the draw's file again from a site that took part, and hold it against the logged digest."
    )


class BadTerms(BadDraw):
    """Terms that no draw can be held by."""

    remedy = "Put the terms together again, by docs/DRAW.md, before any site deposits."

    def __init__(self, what: str) -> None:
        super().__init__(f"the terms cannot be: {what}")


class BadExpert(BadDraw):
    """What cannot stand in a site's list. The message leaves out what was given: it may be a person's."""

    remedy = "Give each expert a code of the site's own that says nothing about the person."

    def __init__(self, what: str) -> None:
        super().__init__(f"an expert's {what}")


class PersonNamed(BadExpert):
    """An expert's code that reads as a number of a person."""

    def __init__(self) -> None:
        super().__init__("code reads as an identity or telephone number")


class ExpertTwice(BadDraw):
    """A list that gives one expert more than one chance."""

    remedy = "List each expert once, and commit to the list again."

    def __init__(self, site: str) -> None:
        super().__init__(f"the list of {site} has an expert twice")


class ExpertNotListed(BadDraw):
    """An expert who is not shown to be on the list that a site committed to."""

    remedy = "Get the proof again from the site whose list it is."

    def __init__(self, site: str) -> None:
        super().__init__(f"the expert is not on the list that {site} committed to")


class ListDiffers(BadDraw):
    """A list that is not the one that the site committed to."""

    def __init__(self, site: str) -> None:
        super().__init__(f"the list of {site} is not the one that it committed to")


class NotNextRound(BadDraw):
    """A round that does not follow from the one that it is said to follow."""

    remedy = (
        "Give the file of the draw that the terms name as the previous one; if there is none, the round is invented."
    )

    def __init__(self, what: str) -> None:
        super().__init__(f"this is not the round after that draw: {what}")


class TermsDiffer(BadDraw):
    """A deposit that was made for other terms: another order of sites, other lists, quotas or recusals."""

    def __init__(self, site: str) -> None:
        super().__init__(f"{site} deposited for other terms than these")


class SitesOutOfOrder(BadDraw):
    """Parts that do not stand once for each site, in the order that the terms give."""

    def __init__(self, where: str, expected: Sequence[str], found: Sequence[str]) -> None:
        super().__init__(
            f"{where} are of {', '.join(found) or 'nobody'}, and must be of {', '.join(expected)}, in order"
        )


class BadDeposit(BadDraw):
    """A deposit that does not do what one is for."""

    remedy = "Have the site deposit again, before anybody reveals."

    def __init__(self, site: str, what: str) -> None:
        super().__init__(f"the deposit of {site} {what}")


class ActForged(BadDraw):
    """A part of a draw that the member's officer has not signed."""

    def __init__(self, member: str, act: str) -> None:
        super().__init__(f"the {act} of {member} is not signed by the officer that the terms name")


class ShareUnreadable(BadDraw):
    """A sealed share that its holder's key does not open."""

    remedy = "Confirm nothing; have the site deposit again."

    def __init__(self, site: str) -> None:
        super().__init__(f"the share that {site} deposited cannot be opened with this key")


class ShareDiffers(BadDraw):
    """A share that is not one of the value that the site committed to."""

    remedy = "Confirm nothing, and count no such share; have the site deposit again while nobody has revealed."

    def __init__(self, site: str, member: str) -> None:
        super().__init__(f"the share of {member} does not fit what {site} committed to")


class ConfirmationDiffers(BadDraw):
    """A confirmation of other deposits than these."""

    def __init__(self, member: str) -> None:
        super().__init__(f"{member} confirmed its shares of other deposits than these")


class TooFewConfirmations(BadDraw):
    """A deposit whose value might never be had if the site keeps it back."""

    remedy = "Nobody may reveal before enough others have opened their shares and confirmed that they fit."

    def __init__(self, site: str, found: int, needed: int) -> None:
        super().__init__(f"{found} others confirmed that their shares of {site} fit, and {needed} are needed")


class ListNotHeld(BadDraw):
    """A list that its site alone has, so that it could keep it back once the values are known."""

    remedy = "Nobody may reveal before another member has confirmed that it holds the list."

    def __init__(self, site: str) -> None:
        super().__init__(f"no other member has confirmed that it holds the list of {site}")


class RevealTooEarly(BadDraw):
    """A value or share that was given before all deposits and confirmations stood as they do."""

    remedy = "Hold the draw again: who deposits after a reveal can choose."

    def __init__(self, member: str, act: str) -> None:
        super().__init__(f"the {act} of {member} was made before these deposits and confirmations stood")


class PartLate(BadDraw):
    """A part of a draw that comes after others stand on what was there without it."""

    remedy = "Leave it out; what must be said again is said in the next round."

    def __init__(self, what: str, after: str) -> None:
        super().__init__(f"the {what} comes after {after}")


class ValueDiffers(BadDraw):
    """A revealed value that is not the one that the site committed to."""

    remedy = "Count it as withheld: have it recovered from its shares."

    def __init__(self, site: str) -> None:
        super().__init__(f"{site} revealed another value than the one that it committed to")


class DrawVoid(BadDraw):
    """Sites that kept their values back, and whose values cannot be recovered."""

    remedy = "Hold the next round without them; the terms name them as excluded."

    def __init__(self, found: Mapping[str, int], needed: int) -> None:
        told = ", ".join(f"{site} ({count})" for site, count in found.items())
        super().__init__(f"the draw is void: not revealed, and with fewer than {needed} shares: {told}")
        self.sites = tuple(found)


class ResultDiffers(BadDraw):
    """A result that says who kept a value back, and is wrong in that."""

    def __init__(self, named: Sequence[str], withheld: Sequence[str]) -> None:
        super().__init__(
            f"the result says that the draw is void by {', '.join(named) or 'nobody'}; missing are the values of "
            f"{', '.join(withheld) or 'nobody'}"
        )


class NothingDrawn(BadDraw):
    """A draw that has no result."""

    remedy = "Wait until the draw has been held, and get its file then."

    def __init__(self) -> None:
        super().__init__("the draw has no result yet")


class RecusalUnknown(BadDraw):
    """A recusal of somebody who is on no list."""

    remedy = "Recuse experts by the commitments that their sites' lists hold."

    def __init__(self, expert: bytes) -> None:
        super().__init__(f"the recused expert 0x{expert.hex()} is on no list of this draw")


class RecusedDrawn(BadDraw):
    """A panel with an expert who was recused."""

    def __init__(self, seat: int) -> None:
        super().__init__(f"the expert in seat {seat} was recused")


class SeatTwice(BadDraw):
    """A panel with an expert in two seats."""

    def __init__(self, seat: int) -> None:
        super().__init__(f"the expert in seat {seat} has another seat as well")


class QuotaNotMet(BadDraw):
    """A quota that the lists cannot fill."""

    remedy = "Hold the next round with a quota that the list can fill, or with a longer list."

    def __init__(self, site: str, speciality: str, wanted: int, found: int) -> None:
        super().__init__(f"{site} has {found} experts of {speciality} to draw from, and {wanted} are wanted")


class SeatDiffers(BadDraw):
    """A panel that is not the one that these values draw."""

    def __init__(self, seat: int) -> None:
        super().__init__(f"seat {seat} of the panel is not what these values draw")


class SealDiffers(BadDraw):
    """A panel, or one of its experts, that is not under the root that was sealed."""

    def __init__(self) -> None:
        super().__init__("the panel was sealed under another root")
