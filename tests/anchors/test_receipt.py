"""Receipts: one signature over a batch, each entry with its path, the same bytes as eth-account signs."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import SignableMessage, encode_typed_data
from hypothesis import given
from hypothesis import strategies as st
from typed_data import receipt_batch

from anchors.bounded_json import read_json
from anchors.chain.keccak import keccak256
from anchors.chain.signatures import Domain, sign_digest
from anchors.errors import AnchorsError, BadInclusionPath, BadSignature, MalformedFile, NotInBatch
from anchors.receipt import Receipt, ReceiptBatch, batch_entry, batch_tree, parse_receipt

ETH_ACCOUNT = Path(__file__).parents[1] / "vectors" / "eth-account" / "tests"
CHAIN_ID = 31337
KEY = bytes(31) + b"\x01"
ADDRESS = bytes.fromhex("7e5f4552091a69125d5dfcb7b8c2659029395bdf")  # of the private key 1
COMMITMENTS = [bytes((number,)) * 32 for number in range(5)]
BATCHES = st.builds(
    ReceiptBatch,
    log=st.binary(min_size=20, max_size=20),
    member=st.integers(0, 2**16 - 1),
    generation=st.integers(0, 2**32 - 1),
    root=st.binary(min_size=32, max_size=32),
    count=st.integers(0, 2**32 - 1),
    accepted_at=st.integers(0, 2**64 - 1),
    anchor_by=st.integers(0, 2**64 - 1),
)


def _receipt(position: int, count: int = len(COMMITMENTS)) -> Receipt:
    tree = batch_tree(batch_entry(100 + at, commitment) for at, commitment in enumerate(COMMITMENTS[:count]))
    unsigned = Receipt(
        commitment=COMMITMENTS[position],
        index=100 + position,
        member=2,
        generation=0,
        log=b"\xaa" * 20,
        root=tree.root,
        count=count,
        position=position,
        path=tuple(tree.path(position)),
        accepted_at=1_800_000_000,
        anchor_by=1_800_003_600,
        signature=bytes(65),
    )
    return dataclasses.replace(unsigned, signature=sign_digest(KEY, unsigned.batch().digest(CHAIN_ID)))


def _by_eth_account(batch: ReceiptBatch, chain_id: int) -> SignableMessage:
    log, *values = dataclasses.astuple(batch)
    return encode_typed_data(*receipt_batch(chain_id, f"0x{log.hex()}", *values))


@given(BATCHES, st.integers(0, 2**256 - 1))
def test_a_batch_has_the_digest_that_eth_account_signs(batch: ReceiptBatch, chain_id: int) -> None:
    message = _by_eth_account(batch, chain_id)
    assert batch.digest(chain_id) == keccak256(b"\x19" + message.version + message.header + message.body)


def _eth_account_messages() -> list[Any]:
    found = [json.loads((ETH_ACCOUNT / "eip712_messages" / "valid_for_all.json").read_bytes())]
    found += [{path.stem: json.loads(path.read_bytes())} for path in sorted(ETH_ACCOUNT.glob("fixtures/valid_*.json"))]
    return [pytest.param(message, id=name) for messages in found for name, message in messages.items()]


@pytest.mark.parametrize("message", _eth_account_messages())
def test_domains_have_the_separators_of_eth_account(message: dict[str, Any]) -> None:
    values = message["domain"]
    contract = bytes.fromhex(values["verifyingContract"].removeprefix("0x"))
    domain = Domain(values["name"], values["version"], values["chainId"], contract)
    # EIP-712 lists a domain's fields in one order; a message that lists them in another is of another domain.
    in_order = message | {"types": message["types"] | {"EIP712Domain": _domain_fields()}}
    assert domain.separator() == encode_typed_data(full_message=in_order).header


def _domain_fields() -> list[dict[str, str]]:
    """The domain's fields in the order of EIP-712."""
    kinds = {"name": "string", "version": "string", "chainId": "uint256", "verifyingContract": "address"}
    return [{"name": name, "type": kind} for name, kind in kinds.items()]


def test_eth_account_recovers_the_signer_and_so_do_we() -> None:
    receipt = _receipt(3)
    recovered = Account.recover_message(_by_eth_account(receipt.batch(), CHAIN_ID), signature=receipt.signature)
    assert bytes.fromhex(recovered[2:]) == receipt.signer(CHAIN_ID) == ADDRESS


@pytest.mark.parametrize("count", range(1, 6))
def test_every_entry_of_a_batch_is_proven(count: int) -> None:
    for position in range(count):
        receipt = _receipt(position, count)
        receipt.prove_entry()
        assert receipt.signer(CHAIN_ID) == ADDRESS
        assert (len(receipt.path) == 0) is (count == 1)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"commitment": bytes(32)}, NotInBatch),
        ({"index": 104}, NotInBatch),
        ({"root": bytes(32)}, NotInBatch),
        ({"position": 2}, NotInBatch),
        ({"position": 5}, BadInclusionPath),
        ({"position": 4}, BadInclusionPath),
        ({"count": 3}, BadInclusionPath),
        ({"path": ()}, BadInclusionPath),
        ({"path": (bytes(32),) * 4}, BadInclusionPath),
        ({"signature": bytes(64)}, BadSignature),
        ({"signature": bytes(64) + b"\x1d"}, BadSignature),
    ],
)
def test_a_receipt_changed_where_its_batch_tells_is_refused(change: dict[str, Any], error: type[AnchorsError]) -> None:
    with pytest.raises(error):
        dataclasses.replace(_receipt(3), **change).prove_entry()


def test_the_other_form_of_a_signature_is_refused() -> None:
    receipt = _receipt(3)
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    r, s, v = receipt.signature[:32], int.from_bytes(receipt.signature[32:64], "big"), receipt.signature[64]
    malleated = dataclasses.replace(receipt, signature=r + (order - s).to_bytes(32, "big") + bytes((55 - v,)))
    with pytest.raises(BadSignature, match="higher"):
        malleated.prove_entry()
    with pytest.raises(BadSignature, match="higher"):
        malleated.signer(CHAIN_ID)


@pytest.mark.parametrize(
    "change",
    [
        {"log": b"\xbb" * 20},
        {"member": 3},
        {"generation": 1},
        {"root": bytes(32)},
        {"count": 6},
        {"accepted_at": 1},
        {"anchor_by": 1},
    ],
)
def test_a_batch_changed_anywhere_was_not_signed_by_the_signer(change: dict[str, Any]) -> None:
    try:
        signer = dataclasses.replace(_receipt(3), **change).signer(CHAIN_ID)
    except BadSignature:
        return
    assert signer != ADDRESS


def test_a_receipt_is_good_on_one_chain() -> None:
    assert _receipt(3).signer(CHAIN_ID + 1) != ADDRESS


def test_a_receipt_is_read_back_as_it_was_written() -> None:
    receipt = _receipt(3)
    assert parse_receipt(read_json(json.dumps(receipt.to_json()).encode())) == receipt


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("commitment", "0x" + "00" * 31),
        ("index", -1),
        ("index", "3"),
        ("index", True),
        ("member", 0),
        ("member", 256),
        ("generation", 2**32),
        ("log", "0x" + "00" * 32),
        ("root", None),
        ("count", 0),
        ("count", 2**32),
        ("position", -1),
        ("path", None),
        ("path", ["0x" + "00" * 31]),
        ("path", ["0x" + "00" * 32] * 33),
        ("accepted_at", -1),
        ("anchor_by", 2**53),
        ("signature", "0x" + "00" * 64),
        ("signature", "0x" + "AA" * 65),
    ],
)
def test_a_receipt_in_another_form_is_refused(field: str, value: object) -> None:
    with pytest.raises(MalformedFile, match=field):
        parse_receipt(_receipt(3).to_json() | {field: value})


@pytest.mark.parametrize("field", list(_receipt(0).to_json()))
def test_a_receipt_lacks_no_field(field: str) -> None:
    with pytest.raises(MalformedFile, match=f"{field} is missing"):
        parse_receipt({name: value for name, value in _receipt(0).to_json().items() if name != field})


JSON = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.lists(st.just("0x" + "11" * 32), max_size=40)
)


@given(st.dictionaries(st.sampled_from(list(_receipt(0).to_json())), JSON, max_size=4))
def test_any_json_is_a_receipt_that_writes_itself_again_or_is_refused(changes: dict[str, Any]) -> None:
    value = _receipt(3).to_json() | changes
    try:
        receipt = parse_receipt(value)
    except MalformedFile:
        return
    assert receipt.to_json() == value
