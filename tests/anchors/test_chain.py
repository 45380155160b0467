"""Headers, receipts and state of real chains: what two clients and a QBFT network hand out, held against hashes."""

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchors.chain import rlp
from anchors.chain.header import DEVELOPMENT, MAX_HEADER_BYTES, bloom_admits, decode_header, header_of_block
from anchors.chain.keccak import keccak256
from anchors.chain.receipts import (
    claimed_receipt,
    decode_receipt,
    encode_receipt,
    prove_receipt,
    receipts_trie,
)
from anchors.chain.state import prove_account, prove_slot, prove_state
from anchors.chain.trie import EMPTY_ROOT, Trie
from anchors.errors import (
    BadTrieProof,
    FalseAnswer,
    MalformedAnswer,
    MalformedHeader,
    MalformedReceipt,
)

VECTORS = Path(__file__).parents[1] / "vectors" / "qbft"
QBFT = json.loads((VECTORS / "besu_qbft_real_headers.json").read_bytes())
HEADER = bytes.fromhex(QBFT["headers_rlp"][0][2:])

# On any call: slot 0 = the first word, and one log of the whole call data under the topic of that word.
LOGGER = "0x601280600b6000396000f3" + "366000600037600035806000553660" + "00a100"
WORD = "0x" + "5a" * 32


@pytest.fixture(scope="module")
def logger(node: Any) -> str:
    return str(node.deploy(LOGGER))


@pytest.fixture
def block(node: Any, logger: str) -> Any:
    """A block of several transactions of different types, the last of them with an empty log's data."""
    sent = node.in_one_block(
        [{"to": logger, "data": WORD + "ab" * 32 * number, "type": hex(number % 2)} for number in range(20)]
    )
    return node.rpc("eth_getBlockByNumber", node.receipt(sent[-1])["blockNumber"], False)


def test_a_block_hashes_to_its_hash_and_its_receipts_to_its_root(node: Any, block: dict[str, Any]) -> None:
    header = header_of_block(block, DEVELOPMENT)
    assert header.number == int(block["number"], 16)
    assert header.timestamp == int(block["timestamp"], 16)
    assert header.parent_hash.hex() == block["parentHash"][2:]
    assert len(block["transactions"]) == 20
    assert receipts_trie(node.block_receipts(block)).root == header.receipts_root


def test_every_receipt_of_a_block_proves_and_shows_its_logs(node: Any, logger: str, block: dict[str, Any]) -> None:
    header = header_of_block(block, DEVELOPMENT)
    receipts = node.block_receipts(block)
    trie = receipts_trie(receipts)
    for index, receipt in enumerate(receipts):
        proof = trie.prove(rlp.encode(rlp.from_uint(index)))
        proven = prove_receipt(header.receipts_root, index, proof)
        assert proven == claimed_receipt(proof)
        assert proven.succeeded
        (log,) = proven.logs
        assert log.address.hex() == logger[2:].lower()
        assert ["0x" + topic.hex() for topic in log.topics] == receipt["logs"][0]["topics"]
        assert "0x" + log.data.hex() == receipt["logs"][0]["data"]


def test_one_receipt_is_no_proof_of_another_place(node: Any, block: dict[str, Any]) -> None:
    header = header_of_block(block, DEVELOPMENT)
    trie = receipts_trie(node.block_receipts(block))
    with pytest.raises(BadTrieProof):
        prove_receipt(header.receipts_root, 2, trie.prove(rlp.encode(b"\x03")))
    with pytest.raises(MalformedReceipt, match="no transaction 20"):
        prove_receipt(header.receipts_root, 20, trie.prove(rlp.encode(b"\x14")))


def test_the_bloom_admits_what_was_logged_and_hardly_anything_else(logger: str, block: dict[str, Any]) -> None:
    bloom = header_of_block(block, DEVELOPMENT).logs_bloom
    assert bloom_admits(bloom, bytes.fromhex(logger[2:]))
    assert bloom_admits(bloom, bytes.fromhex(WORD[2:]))
    assert sum(bloom_admits(bloom, bytes([n])) for n in range(100)) < 5


def test_the_genesis_block_of_either_client_hashes_to_its_hash(node: Any) -> None:
    assert header_of_block(node.rpc("eth_getBlockByNumber", "0x0", False), DEVELOPMENT).receipts_root == EMPTY_ROOT


@pytest.mark.parametrize("field", ["timestamp", "receiptsRoot", "gasUsed", "hash"])
def test_a_block_that_differs_from_its_hash_is_a_false_answer(block: dict[str, Any], field: str) -> None:
    other = block[field][:-1] + ("1" if block[field][-1] != "1" else "2")
    with pytest.raises(FalseAnswer):
        header_of_block(block | {field: other}, DEVELOPMENT)


@pytest.mark.parametrize("value", [None, 7, "0x", "nonsense", "0xzz", [], "0x" + "1" * 65])
def test_a_block_whose_fields_have_another_shape_is_refused(block: dict[str, Any], value: object) -> None:
    with pytest.raises(MalformedAnswer):
        header_of_block(block | {"number": value}, DEVELOPMENT)


@pytest.mark.parametrize("field", ["parentHash", "logsBloom", "hash"])
@pytest.mark.parametrize("value", [None, 7, "0xzz", "abcd"])
def test_a_block_whose_data_have_another_shape_is_refused(block: dict[str, Any], field: str, value: object) -> None:
    with pytest.raises(MalformedAnswer):
        header_of_block(block | {field: value}, DEVELOPMENT)


def test_account_and_slots_prove_under_the_state_root(node: Any, logger: str) -> None:
    node.receipt(node.send(logger, WORD))
    slots = [bytes(32), bytes(31) + b"\x07"]
    number = node.rpc("eth_blockNumber")
    root = header_of_block(node.rpc("eth_getBlockByNumber", number, False), DEVELOPMENT).state_root
    answer = node.rpc("eth_getProof", logger, ["0x" + slot.hex() for slot in slots], number)
    state = prove_state(root, bytes.fromhex(logger[2:]), slots, answer)
    assert state.account is not None
    assert state.account.nonce == 1
    assert state.account.code_hash == keccak256(bytes.fromhex(node.rpc("eth_getCode", logger, number)[2:]))
    assert state.slots == (bytes.fromhex(WORD[2:]), bytes(32))
    with pytest.raises(BadTrieProof):
        prove_state(keccak256(root), bytes.fromhex(logger[2:]), slots, answer)
    with pytest.raises(BadTrieProof):
        prove_state(root, bytes(20), slots, answer)
    with pytest.raises(MalformedAnswer):
        prove_state(root, bytes.fromhex(logger[2:]), slots[:1], answer)


def test_a_contract_without_storage_has_empty_slots(node: Any) -> None:
    empty = node.deploy("0x600080600b6000396000f3")
    number = node.rpc("eth_blockNumber")
    root = header_of_block(node.rpc("eth_getBlockByNumber", number, False), DEVELOPMENT).state_root
    answer = node.rpc("eth_getProof", empty, ["0x" + "00" * 32], number)
    assert answer["storageProof"][0]["proof"] == {"anvil": ["0x80"], "ganache": []}[node.name]
    assert prove_state(root, bytes.fromhex(empty[2:]), [bytes(32)], answer).slots == (bytes(32),)


def test_an_account_that_is_not_there_is_proven_absent(node: Any) -> None:
    nobody = bytes(19) + b"\x77"
    number = node.rpc("eth_blockNumber")
    root = header_of_block(node.rpc("eth_getBlockByNumber", number, False), DEVELOPMENT).state_root
    answer = node.rpc("eth_getProof", "0x" + nobody.hex(), ["0x" + "00" * 32], number)
    state = prove_state(root, nobody, [bytes(32)], answer)
    assert state.account is None
    assert state.slots == (bytes(32),)


@pytest.mark.parametrize("answer", [{}, {"accountProof": "0x80"}, {"accountProof": ["80"]}, {"accountProof": [1]}])
def test_an_answer_without_proof_nodes_is_refused(answer: dict[str, object]) -> None:
    with pytest.raises(MalformedAnswer):
        prove_state(EMPTY_ROOT, bytes(20), [], answer)


@pytest.mark.parametrize(
    "account",
    [
        b"\x80",
        rlp.encode([b"", b"", EMPTY_ROOT]),
        rlp.encode([b"", b"", EMPTY_ROOT, b"short"]),
        rlp.encode([b"", b"", [], EMPTY_ROOT]),
        rlp.encode([b"\x00", b"", EMPTY_ROOT, EMPTY_ROOT]),
    ],
)
def test_a_malformed_account_is_refused(account: bytes) -> None:
    trie = Trie({keccak256(b"address"): account})
    with pytest.raises(BadTrieProof, match="malformed"):
        prove_account(trie.root, b"address", trie.prove(keccak256(b"address")))


@pytest.mark.parametrize("value", [b"\xc0", b"\x00", b"\x81\x01", b"\xa1" + b"\x01" * 33])
def test_a_malformed_slot_is_refused(value: bytes) -> None:
    trie = Trie({keccak256(bytes(32)): value})
    with pytest.raises(BadTrieProof, match="malformed"):
        prove_slot(trie.root, bytes(32), trie.prove(keccak256(bytes(32))))


@pytest.mark.parametrize(
    "encoded",
    [
        b"",
        b"\x02",
        b"\x02\xc0",
        b"\x83dog",
        rlp.encode([b"\x02", b"", b"", []]),
        rlp.encode([b"\x01", b"", b"", b""]),
        rlp.encode([b"\x01", b"", b"", [b"log"]]),
        rlp.encode([b"\x01", b"", b"", [[bytes(19), [], b""]]]),
        rlp.encode([b"\x01", b"", b"", [[bytes(20), [bytes(31)], b""]]]),
        rlp.encode([b"\x01", b"", b"", [[bytes(20), [bytes(32)] * 5, b""]]]),
        rlp.encode([b"\x01", b"", b"", [[bytes(20), [[]], b""]]]),
        rlp.encode([b"\x01", b"", b"", [[bytes(20), [], []]]]),
    ],
)
def test_a_malformed_receipt_is_refused(encoded: bytes) -> None:
    with pytest.raises(MalformedReceipt):
        decode_receipt(encoded)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_receipt_or_refused(encoded: bytes) -> None:
    with contextlib.suppress(MalformedReceipt):
        decode_receipt(encoded)


@pytest.mark.parametrize(
    "change",
    [
        {"logs": None},
        {"logs": [None]},
        {"logs": [{}]},
        {"logs": [{"address": "0x", "topics": [7], "data": "0x"}]},
        {"logs": [{"address": "0xzz", "topics": [], "data": "0x"}]},
        {"type": "0x80"},
        {"status": None},
        {"logsBloom": 1},
    ],
)
def test_a_receipt_of_another_shape_is_refused(change: dict[str, object]) -> None:
    receipt = {"type": "0x0", "status": "0x1", "cumulativeGasUsed": "0x1", "logsBloom": "0x", "logs": []}
    encode_receipt(receipt)
    with pytest.raises(MalformedAnswer):
        encode_receipt(receipt | change)


ADDRESS = "0x" + "11" * 20


@pytest.mark.parametrize(
    ("address", "topics"),
    [
        ("0x" + "11" * 19, [WORD]),
        ("0x" + "11" * 21, [WORD]),
        (ADDRESS, [WORD] * 5),
        (ADDRESS, [WORD[:-2]]),
        (ADDRESS, ["0x"]),
        (ADDRESS, [WORD, WORD + "a0" + WORD[2:]]),  # three topics by its encoding, two by its list
        (ADDRESS, "0x"),
    ],
)
def test_a_log_with_an_address_or_topics_of_another_length_is_refused(address: str, topics: list[str]) -> None:
    receipt = {"status": "0x1", "cumulativeGasUsed": "0x1", "logsBloom": "0x"}
    encode_receipt(receipt | {"logs": [{"address": ADDRESS, "topics": [WORD] * 4, "data": "0x"}]})
    with pytest.raises(MalformedAnswer, match="20 bytes and at most 4 topics of 32 bytes"):
        encode_receipt(receipt | {"logs": [{"address": address, "topics": topics, "data": "0x"}]})


def test_headers_of_a_real_qbft_network_read_by_position() -> None:
    header = decode_header(HEADER, DEVELOPMENT)
    assert header.receipts_root == EMPTY_ROOT
    assert header.number == 0x1D68
    assert header.hash == keccak256(HEADER)


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (0, bytes(31)),
        (3, bytes(33)),
        (5, b""),
        (6, bytes(255)),
        (8, (1 << 63).to_bytes(8, "big")),
        (8, b"\x00\x01"),
        (8, []),
        (11, (253_402_300_800).to_bytes(5, "big")),
        (12, [b"extra"]),
        (12, bytes(MAX_HEADER_BYTES)),
    ],
)
def test_a_header_field_out_of_bounds_is_refused(at: int, value: rlp.Item) -> None:
    fields = list(rlp.decode_list(HEADER))
    fields[at] = value
    with pytest.raises(MalformedHeader):
        decode_header(rlp.encode(fields), DEVELOPMENT)


def test_a_header_with_too_few_fields_is_refused() -> None:
    with pytest.raises(MalformedHeader, match="fewer"):
        decode_header(rlp.encode(rlp.decode_list(HEADER)[:14]), DEVELOPMENT)


@given(
    st.binary(max_size=100) | st.integers(0, len(HEADER) - 1).map(lambda at: HEADER[:at] + b"\xff" + HEADER[at + 1 :])
)
def test_any_bytes_are_a_header_or_refused(raw: bytes) -> None:
    try:
        header = decode_header(raw, DEVELOPMENT)
    except MalformedHeader:
        return
    assert header.hash == keccak256(raw)
