"""What is final without seals, and on a chain that breaks Clique's rules."""

from anchors.chain.header import CLIQUE, DEVELOPMENT
from ledger_service.chain.finality import Finality, SealedBlock

VALIDATORS = tuple(bytes([name]) * 20 for name in range(4))


def chain(*signers: int) -> list[SealedBlock]:
    """Blocks from 1 on, newest first."""
    blocks = [
        SealedBlock(number, bytes(32), number, (VALIDATORS[signer],), VALIDATORS, None)
        for number, signer in enumerate(signers, start=1)
    ]
    return blocks[::-1]


def test_on_a_development_chain_a_block_is_final_under_so_many_others() -> None:
    final = [Finality(DEVELOPMENT, 2).final_block(chain(*[0] * length)) for length in range(5)]
    assert final == [None, None, 0, 1, 2]
    assert Finality(DEVELOPMENT, 2).confirming(chain(0)[0], []) == []


def test_signers_that_take_no_turns_confirm_nothing() -> None:
    finality = Finality(CLIQUE, 0)
    assert finality.final_block([]) is None
    assert finality.final_block(chain(0, 1, 2)) is None, "the first block's own signer does not confirm it"
    assert finality.final_block(chain(0, 1, 2, 3)) == 1
    assert finality.final_block(chain(0, *[1, 2] * 3)) is None
    assert finality.final_block(chain(0, 1, 1, 2, 2, 3, 3)) == 2
    assert finality.blocks_to_look_at(4) == 7
