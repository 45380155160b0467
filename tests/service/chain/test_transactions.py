"""Transactions: signed as eth-account signs them, sent any number of times, counted once, refused with a reason."""

import pytest
from coincurve import PrivateKey
from eth_account import Account

from ledger_service.chain import transactions
from ledger_service.chain.rpc import Rpc
from ledger_service.errors import ChainRefused, ChainUnreachable
from ledger_service.keys import EthereumKey

STRANGER = EthereumKey(bytes.fromhex(Account.from_key(b"\x07" * 32).address[2:]), PrivateKey(b"\x07" * 32))
REVERT_DEADBEEF = bytes.fromhex("63deadbeef60e01b60005260046000fd")  # runtime: revert with 0xdeadbeef
NOTHING = bytes.fromhex("00")


def creation(runtime: bytes) -> bytes:
    """Creation code of a contract that is `runtime`."""
    return bytes.fromhex(f"60{len(runtime):02x}600c60003960{len(runtime):02x}6000f3") + runtime


@pytest.mark.parametrize("to", [None, bytes(range(20))])
@pytest.mark.parametrize("nonce", [0, 127, 128, 70_000])
def test_the_signed_bytes_are_those_of_eth_account(to: bytes | None, nonce: int) -> None:
    ours = transactions.sign(STRANGER, to, b"\x01\x02", chain=1337, nonce=nonce, gas=21_000)
    theirs = Account.sign_transaction(
        {"nonce": nonce, "gasPrice": 0, "gas": 21_000, "to": to or "", "value": 0, "data": "0x0102", "chainId": 1337},
        b"\x07" * 32,
    )
    assert ours.raw == bytes(theirs.raw_transaction)
    assert ours.hash == bytes(theirs.hash)


def deploy(rpc: Rpc, runtime: bytes) -> bytes:
    nonce = transactions.next_nonce(rpc, STRANGER.address)
    signed = transactions.prepare(rpc, STRANGER, None, creation(runtime), chain=1337, nonce=nonce)
    transactions.broadcast(rpc, signed.raw)
    contract = transactions.wait_mined(rpc, signed.hash, 10).contract
    assert contract is not None
    return contract


def test_an_account_without_funds_makes_a_contract(rpc: Rpc) -> None:
    before = transactions.next_nonce(rpc, STRANGER.address)
    contract = deploy(rpc, NOTHING)
    assert transactions.call(rpc, contract, b"") == b""
    assert transactions.next_nonce(rpc, STRANGER.address) == before + 1


def test_sending_again_is_no_error_and_counts_once(rpc: Rpc) -> None:
    contract = deploy(rpc, NOTHING)
    nonce = transactions.next_nonce(rpc, STRANGER.address)
    signed = transactions.prepare(rpc, STRANGER, contract, b"", chain=1337, nonce=nonce)
    for _ in range(3):
        transactions.broadcast(rpc, signed.raw)
        transactions.wait_mined(rpc, signed.hash, 10)
    assert transactions.next_nonce(rpc, STRANGER.address) == nonce + 1


def test_a_call_that_would_be_refused_is_not_signed(rpc: Rpc) -> None:
    contract = deploy(rpc, REVERT_DEADBEEF)
    nonce = transactions.next_nonce(rpc, STRANGER.address)
    with pytest.raises(ChainRefused, match="deadbeef"):
        transactions.prepare(rpc, STRANGER, contract, b"", chain=1337, nonce=nonce)
    with pytest.raises(ChainRefused, match="deadbeef"):
        transactions.call(rpc, contract, b"")


def test_a_transaction_that_failed_in_its_block_says_why(rpc: Rpc) -> None:
    contract = deploy(rpc, REVERT_DEADBEEF)
    nonce = transactions.next_nonce(rpc, STRANGER.address)
    signed = transactions.sign(STRANGER, contract, b"", chain=1337, nonce=nonce, gas=100_000)
    transactions.broadcast(rpc, signed.raw)
    with pytest.raises(ChainRefused, match="deadbeef"):
        transactions.wait_mined(rpc, signed.hash, 10)


@pytest.mark.parametrize("chain_process", ["anvil"], indirect=True)  # ganache forgets nonces in evm_revert
def test_a_used_nonce_is_refused(rpc: Rpc) -> None:
    contract = deploy(rpc, NOTHING)
    used = transactions.next_nonce(rpc, STRANGER.address) - 1
    signed = transactions.sign(STRANGER, contract, b"other", chain=1337, nonce=used, gas=100_000)
    with pytest.raises(ChainRefused, match="eth_sendRawTransaction"):
        transactions.broadcast(rpc, signed.raw)


def test_waiting_ends(rpc: Rpc) -> None:
    with pytest.raises(ChainUnreachable, match="in no block after 0 s"):
        transactions.wait_mined(rpc, bytes(32), 0.1)
