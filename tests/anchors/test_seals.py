import pytest

from anchors.chain.header import Header
from anchors.errors import SealsNotSupported
from anchors.seals import CONSENSUSES, DEVELOPMENT, prove_seals

HEADER = Header(b"", bytes(32), bytes(32), bytes(32), bytes(32), bytes(256), 7, 8)


def test_a_development_network_says_that_nobody_sealed() -> None:
    seals = prove_seals(HEADER, DEVELOPMENT, [])
    assert seals.sealers == ()
    assert seals.detail == "development network: nobody sealed this block"


@pytest.mark.parametrize("consensus", [name for name in CONSENSUSES if name != DEVELOPMENT])
def test_a_consensus_whose_seals_cannot_be_checked_is_refused_by_name(consensus: str) -> None:
    with pytest.raises(SealsNotSupported, match=consensus):
        prove_seals(HEADER, consensus, [bytes(20)])
