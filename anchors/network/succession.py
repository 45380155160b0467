"""How a later version of the network file replaces the one that a reader pinned.

Promises that version n + 1 counts only when the governors in force in version n agreed to it by the threshold of
version n, when it is valid by its own governors and threshold as well, and when nothing that version n says was taken
back. So whoever trusts one version can follow the alliance through every change of keys, contracts, validators,
members and governors, and needs to be told of none of them.
"""

from collections.abc import Sequence

from anchors.errors import HistoryRewritten, TooFewPredecessors, VersionGap
from anchors.network.facts import Network
from anchors.network.histories import Kind, changes
from anchors.network.signatures import Quorum, prove_network


def roll_forward(pinned: Network, later: Sequence[Network] = ()) -> tuple[Network, Quorum]:
    """Follow a pinned network file through the versions that came after it.

    Args:
        pinned: the version that the reader trusts.
        later: the versions after it, each the next one's predecessor.

    Returns:
        The newest version, and the members that gave it their voice.

    Raises:
        BadGovernorSignature, TooFewGovernors: one of the files is not valid in itself.
        VersionGap: a version is missing, comes twice or out of order.
        HistoryRewritten: a version takes back what the one before it says, or is of another alliance or chain.
        TooFewPredecessors: the governors in force in the version before have not agreed.

    Source: The Update Framework specification, 5.3, for the rule of two thresholds.
    """
    newest, quorum = pinned, prove_network(pinned)
    for version in later:
        newest, quorum = version, _succeed(newest, version)
    return newest, quorum


def _succeed(before: Network, after: Network) -> Quorum:
    if after.version != before.version + 1:
        raise VersionGap(before.version + 1, after.version)
    for change in changes(before, after):
        if change.kind is Kind.REWRITTEN:
            raise HistoryRewritten(after.version, change.where)
    quorum = prove_network(after)
    # Their signatures are proven with all others, since no governor of the version before is missing from this one.
    signed = {each.governor for each in after.signatures}
    voices = {each.member for each in before.governors if each.to_block is None and each.address in signed}
    if len(voices) < before.threshold:
        raise TooFewPredecessors(after.version, len(voices), before.threshold)
    return quorum
