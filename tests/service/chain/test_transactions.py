"""Transactions: signed as eth-account signs them, sent any number of times, counted once, refused with a reason."""

import os

import pytest
from coincurve import PrivateKey
from eth_account import Account

from ledger_service.chain import devnet, transactions
from ledger_service.chain.rpc import Rpc, fields, items, quantity
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


def next_transfer(rpc: Rpc) -> transactions.SignedTransaction:
    """A transfer of nothing to somebody new, so that no node has ever seen it."""
    nonce = transactions.next_nonce(rpc, STRANGER.address)
    return transactions.sign(STRANGER, os.urandom(20), b"", chain=1337, nonce=nonce, gas=21_000)


def times_mined(rpc: Rpc, transaction: transactions.SignedTransaction) -> int:
    head = quantity(rpc.call("eth_blockNumber"))
    blocks = [fields(rpc.call("eth_getBlockByNumber", hex(number), False)) for number in range(head + 1)]
    return [each for block in blocks for each in items(block["transactions"])].count(f"0x{transaction.hash.hex()}")


def look_and_mine(rpc: Rpc, transaction: transactions.SignedTransaction, blocks: int) -> int:
    """Look after a transaction before each of so many blocks; how often it was sent."""
    left_out, sent = transactions.LeftOut(rpc), 0
    for _ in range(blocks):
        if transactions.find_mined(rpc, transaction.hash) is None:
            if transactions.broadcast(rpc, transaction.raw):
                sent += 1
            elif left_out.is_left_out(transaction):
                transactions.send(rpc, transaction.raw)
                sent += 1
        rpc.call("evm_mine")
    return sent


@pytest.mark.usefixtures("standstill")
def test_what_a_reorganisation_took_back_is_mined_once_more_though_the_node_shows_it(
    rpc: Rpc, chain_process: devnet.Devnet
) -> None:
    snapshot = rpc.call("evm_snapshot")
    transaction = next_transfer(rpc)
    assert look_and_mine(rpc, transaction, 1) == 1
    assert times_mined(rpc, transaction) == 1
    rpc.call("evm_revert", snapshot)
    shown = rpc.call("eth_getTransactionByHash", f"0x{transaction.hash.hex()}") is not None
    assert shown == (chain_process.chain == "ganache"), "what this is about"
    assert look_and_mine(rpc, transaction, 2 * transactions.LEFT_OUT_BLOCKS + 1) == 1
    assert times_mined(rpc, transaction) == 1


@pytest.mark.usefixtures("standstill")
def test_what_waits_for_its_block_is_not_left_out_however_often_it_is_looked_at(rpc: Rpc) -> None:
    transaction, left_out = next_transfer(rpc), transactions.LeftOut(rpc)
    assert transactions.broadcast(rpc, transaction.raw)
    assert not any(left_out.is_left_out(transaction) for _ in range(3 * transactions.LEFT_OUT_BLOCKS))
    for _ in range(transactions.LEFT_OUT_BLOCKS):
        rpc.call("evm_mine")
    assert not left_out.is_left_out(transaction), "it is in one of them"
    assert times_mined(rpc, transaction) == 1


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
