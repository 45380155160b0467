"""What members do in a draw, one after the other: deposit, confirm, reveal, disclose, and hold the draw.

Promises that nobody who acts through here confirms or reveals before all is there that must be: a reveal takes deposits
of all sites, and confirmations from enough others that any value could be recovered and that no list is in its site's
hands alone. Keys, and the way of acts and lists from member to member, are left to the callers.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from anchors.errors import (
    BadTerms,
    ConfirmationDiffers,
    DrawVoid,
    ListNotHeld,
    QuotaNotMet,
    SitesOutOfOrder,
    TermsDiffer,
    TooFewConfirmations,
)
from anchors.tenders.draw.acts import (
    Confirmation,
    Deposit,
    Disclosure,
    Reveal,
    SealedShare,
    Sign,
    committed_digest,
    deposits_digest,
)
from anchors.tenders.draw.experts import ExpertList
from anchors.tenders.draw.file import Draw, Opened, Result
from anchors.tenders.draw.panel import draw, recused_codes
from anchors.tenders.draw.sealing import seal_share
from anchors.tenders.draw.sharing import check_value, recover_value, share_value
from anchors.tenders.draw.terms import Member, Terms

__all__ = [
    "check_committed",
    "check_deposits",
    "check_lists",
    "check_order",
    "confirm",
    "deposit",
    "disclose",
    "hold",
    "recover_values",
    "reveal",
]

_UNSIGNED: Final = bytes(65)


def deposit(terms: Terms, site: str, value: bytes, sign: Sign) -> Deposit:
    """Commit to a value, and deposit its shares with the other members.

    Args:
        terms: of the draw.
        site: whose value it is.
        value: of `new_value`; the site keeps it to itself until all have confirmed.
        sign: signs as the site's officer.

    Raises:
        BadTerms: the site is none of the terms'.
        ShareUnreadable: a member has a key to which nothing can be sealed.
    """
    if site not in terms.site_codes:
        raise BadTerms(f"{site} is none of the sites")
    holders, digest = terms.holders(site), terms.digest()
    sharing = share_value(value, terms.threshold, [terms.number(holder.code) for holder in holders])

    def seal(holder: Member) -> SealedShare:
        share = sharing.shares[terms.number(holder.code)]
        return SealedShare(holder.code, seal_share(share, holder.key, digest, site, holder.code))

    unsigned = Deposit(_UNSIGNED, site, digest, sharing.points, tuple(map(seal, holders)))
    return unsigned.signed(terms, sign)


def confirm(
    agreed: Draw, member: str, key: X25519PrivateKey, sign: Sign, lists: Sequence[ExpertList] = ()
) -> Confirmation:
    """Open one's share of each deposit, and give one's word that all of them fit, and that one holds these lists.

    Args:
        agreed: the terms, and the deposits of all sites.
        member: who confirms.
        key: its private key.
        sign: signs as its officer.
        lists: those that sites have given it, in the order of the sites. Whoever holds all of them finds here, while
            there is time, what would else come to nothing.

    Raises:
        ShareUnreadable, ShareDiffers: a share is not as it should be, so that there is nothing to confirm.
        ListDiffers: a list is not the one that its site committed to.
        RecusalUnknown, QuotaNotMet: with these lists no panel can be drawn.
        SitesOutOfOrder, TermsDiffer, BadDeposit, ActForged: a deposit is missing, or none.
    """
    terms = agreed.terms
    check_deposits(terms, agreed.deposits)
    for each in agreed.deposits:
        if each.site != member:
            each.open(terms, member, key)
    sites = tuple(each.site for each in lists)
    check_lists(terms, lists)
    return Confirmation(_UNSIGNED, member, deposits_digest(agreed.deposits), sites).signed(terms, sign)


def reveal(agreed: Draw, site: str, value: bytes, sign: Sign) -> Reveal:
    """Reveal a value, once all deposits and enough confirmations are there.

    Args:
        agreed: the terms, all deposits and all confirmations that there will be.
        site: whose value it is.
        value: 32 bytes.
        sign: signs as the site's officer.

    Raises:
        ValueDiffers: it is not the value that the site committed to.
        ConfirmationDiffers, TooFewConfirmations, ListNotHeld and what `check_deposits` raises: it is too early.
    """
    committed = check_committed(agreed.terms, agreed.deposits, agreed.confirmations)
    check_value(site, _deposit_of(agreed, site).points, value)
    return Reveal(_UNSIGNED, site, committed, value).signed(agreed.terms, sign)


def disclose(agreed: Draw, site: str, member: str, key: X25519PrivateKey, sign: Sign) -> Disclosure:
    """Disclose one's share of the value of a site that keeps it back.

    Args:
        agreed: as for a reveal.
        site: whose value it is.
        member: the holder of the share.
        key: its private key.
        sign: signs as its officer.

    Raises:
        BadDeposit, ShareUnreadable, ShareDiffers: the share is not as it should be.
        ConfirmationDiffers, TooFewConfirmations, ListNotHeld and what `check_deposits` raises: it is too early.
    """
    committed = check_committed(agreed.terms, agreed.deposits, agreed.confirmations)
    share = _deposit_of(agreed, site).open(agreed.terms, member, key)
    return Disclosure(_UNSIGNED, site, member, committed, share).signed(agreed.terms, sign)


def hold(agreed: Draw) -> Draw:
    """Hold a draw: from what the sites gave to its result.

    Args:
        agreed: the terms, deposits and confirmations, and opened: the reveals, the shares of values that were kept
            back, and the lists.

    Returns:
        The whole draw, open. `replay` proves it; here nothing is checked but that the lists can fill the quotas and
        that there are enough shares. Where there are not, it is void, and without the lists.

    Raises:
        SitesOutOfOrder: a list is missing.
        RecusalUnknown: a recused expert is on no list.
        QuotaNotMet: too few experts are left for a quota. The draw stays without a result; the next round follows it.
    """
    terms, opened = agreed.terms, agreed.opened or Opened()
    try:
        values = recover_values(terms, opened.reveals, opened.shares)
    except DrawVoid as void:
        return replace(agreed, result=Result(None, void.sites), opened=replace(opened, lists=(), seats=()))
    check_order("the lists", terms.site_codes, [each.site for each in opened.lists])
    panel = draw(terms, deposits_digest(agreed.deposits), values, opened.lists)
    return replace(agreed, result=Result(panel.root, ()), opened=replace(opened, seats=panel.seats))


def recover_values(terms: Terms, reveals: Sequence[Reveal], shares: Sequence[Disclosure]) -> tuple[bytes, ...]:
    """The value of every site, revealed or recovered from shares.

    Args:
        terms: of the draw.
        reveals: each of its deposit's value.
        shares: of the values of sites that did not reveal; each fits its deposit.

    Returns:
        32 bytes each, in the order of the sites.

    Raises:
        DrawVoid: sites did not reveal, and there are too few shares of their values.
    """
    values = {each.site: each.value for each in reveals}
    missing: dict[str, int] = {}
    for site in terms.site_codes:
        if site not in values:
            held = {terms.number(each.member): each.share for each in shares if each.site == site}
            values[site] = recover_value(held)
            if len(held) < terms.threshold:
                missing[site] = len(held)
    if missing:
        raise DrawVoid(missing, terms.threshold)
    return tuple(values[site] for site in terms.site_codes)


def check_deposits(terms: Terms, deposits: Sequence[Deposit]) -> None:
    """Check that every site has deposited, for these terms.

    Raises:
        SitesOutOfOrder: they are not one for each site, in the terms' order.
        TermsDiffer: one is for other terms.
        BadDeposit: one does not do what a deposit is for.
        ActForged: one is not signed by the site's officer.
    """
    check_order("the deposits", terms.site_codes, [each.site for each in deposits])
    digest = terms.digest()
    for each in deposits:
        if each.terms != digest:
            raise TermsDiffer(each.site)
        each.check_form(terms)
        each.check_signature(terms)


def check_committed(terms: Terms, deposits: Sequence[Deposit], confirmations: Sequence[Confirmation]) -> bytes:
    """Check that enough members have confirmed, so that no value that is kept back is lost.

    Returns:
        What every reveal must name, 32 bytes.

    Raises:
        SitesOutOfOrder: they are not of members, once each and in the terms' order.
        ConfirmationDiffers: one is of other deposits.
        TooFewConfirmations: of a site's deposit fewer others confirmed than it takes to recover its value.
        ListNotHeld: a site's list is in no other member's hands.
        TermsDiffer, BadDeposit, ActForged: as for `check_deposits`.
    """
    check_deposits(terms, deposits)
    who = [each.member for each in confirmations]
    check_order("the confirmations", [code for code in terms.member_codes if code in who], who)
    digest = deposits_digest(deposits)
    for each in confirmations:
        if each.deposits != digest:
            raise ConfirmationDiffers(each.member)
        check_order(f"the lists that {each.member} holds", _in_order(terms, each.lists), each.lists)
        each.check_signature(terms)
    for site in terms.site_codes:
        others = [each for each in confirmations if each.member != site]
        if len(others) < terms.threshold:
            raise TooFewConfirmations(site, len(others), terms.threshold)
        if not any(site in each.lists for each in others):
            raise ListNotHeld(site)
    return committed_digest(deposits, confirmations)


def check_lists(terms: Terms, lists: Sequence[ExpertList]) -> None:
    """Check lists that sites gave against what they committed to, and, if all are there, that the quotas can be filled.

    Raises:
        SitesOutOfOrder: they are not of sites, once each and in the terms' order.
        ListDiffers: one is not the one that its site committed to.
        RecusalUnknown, QuotaNotMet: with these lists no panel can be drawn.
    """
    commitments = {site.site: site for site in terms.sites}
    sites = [each.site for each in lists]
    check_order("the lists", _in_order(terms, sites), sites)
    for each in lists:
        each.check(commitments[each.site])
    if sites == terms.site_codes:
        recused, held = recused_codes(terms.recusals, lists), {each.site: each for each in lists}
        for quota in terms.quotas:
            left = set(held[quota.site].codes(quota.speciality)) - recused
            if len(left) < quota.count:
                raise QuotaNotMet(quota.site, quota.speciality, quota.count, len(left))


def check_order(where: str, expected: Sequence[str], found: Sequence[str]) -> None:
    """Check who stands where; raises SitesOutOfOrder."""
    if list(expected) != list(found):
        raise SitesOutOfOrder(where, expected, found)


def _in_order(terms: Terms, sites: Sequence[str]) -> list[str]:
    return [site for site in terms.site_codes if site in sites]


def _deposit_of(agreed: Draw, site: str) -> Deposit:
    for each in agreed.deposits:
        if each.site == site:
            return each
    raise BadTerms(f"{site} is none of the sites")
