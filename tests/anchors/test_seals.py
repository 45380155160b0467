from test_chain import HEADER

from anchors.chain.header import DEVELOPMENT, decode_header
from anchors.seals import prove_seals


def test_a_development_network_says_that_nobody_sealed() -> None:
    seals = prove_seals(decode_header(HEADER, DEVELOPMENT), ())
    assert seals.sealers == ()
    assert seals.detail == "development network: nobody sealed this block"
