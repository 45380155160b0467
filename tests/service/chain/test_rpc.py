"""JSON-RPC: answers of any shape end in a value or in our own error, against real nodes and a server of nonsense."""

from contextlib import suppress

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from liar import answering

from ledger_service.chain import rpc as rpc_module
from ledger_service.chain.rpc import Rpc, fields, hex_bytes, items, quantity
from ledger_service.errors import ChainRefused, ChainUnreachable


def test_a_batch_answers_in_the_order_asked(rpc: Rpc) -> None:
    chain, block, nothing = rpc.batch(
        [
            ("eth_chainId", []),
            ("eth_getBlockByNumber", ["0x0", False]),
            ("eth_getBlockByNumber", ["0xfffff", False]),
        ]
    )
    assert quantity(chain) == 1337
    assert quantity(fields(block)["number"]) == 0
    assert nothing is None
    assert rpc.batch([]) == []


def test_a_refusal_carries_the_nodes_words(rpc: Rpc) -> None:
    with pytest.raises(ChainRefused, match="eth_nope"):
        rpc.call("eth_nope")
    with pytest.raises(ChainRefused, match="eth_nope"):
        rpc.batch([("eth_chainId", []), ("eth_nope", [])])


def test_answers_may_come_in_any_order() -> None:
    answers = [{"jsonrpc": "2.0", "id": 2, "result": "0x2"}, {"jsonrpc": "2.0", "id": 1, "result": "0x1"}]
    with answering(lambda _: orjson.dumps(answers)) as url, Rpc(url) as rpc:
        assert rpc.batch([("a", []), ("b", [])]) == ["0x1", "0x2"]


@pytest.mark.parametrize("content", [b"", b"<html>", b"null", b"[]", b"{}", b'"x"', b"[1]", b"[[]]", b'[{"id": 0}]'])
def test_nonsense_is_an_unreachable_node(content: bytes) -> None:
    with answering(lambda _: content) as url, Rpc(url) as rpc:
        with pytest.raises(ChainUnreachable):
            rpc.call("eth_chainId")
        with pytest.raises(ChainUnreachable):
            rpc.batch([("eth_chainId", [])])


@pytest.mark.parametrize("number", [[1], {"id": 1}, "1", None, 1.5])
def test_an_answer_to_no_number_answers_nothing(number: object) -> None:
    with (
        answering(lambda _: orjson.dumps([{"jsonrpc": "2.0", "id": number, "result": "0x1"}])) as url,
        Rpc(url) as rpc,
        pytest.raises(ChainUnreachable, match="no JSON-RPC answer to eth_chainId"),
    ):
        rpc.batch([("eth_chainId", [])])


@pytest.mark.parametrize("nested", ["[" * 1000 + "]" * 1000, '{"":' * 1000 + "1" + "}" * 1000])
def test_what_is_nested_too_deep_to_be_shown_is_refused_all_the_same(nested: str) -> None:
    with answering(lambda _: b'{"result": %s}' % nested.encode()) as url, Rpc(url) as rpc:
        deep = rpc.call("eth_chainId")
    for read in (hex_bytes, quantity):
        with pytest.raises(ChainUnreachable, match=type(deep).__name__):
            read(deep)
    for error in (nested, f'{{"code": {nested}, "message": {nested}, "data": {nested}}}'):
        with (
            answering(lambda _, error=error: b'{"error": %s}' % error.encode()) as url,
            Rpc(url) as rpc,
            pytest.raises(ChainRefused, match="eth_chainId") as refused,
        ):
            rpc.call("eth_chainId")
        assert orjson.dumps(dict(refused.value.facts))


def test_an_answer_without_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rpc_module, "MAX_ANSWER_BYTES", 1000)
    with (
        answering(lambda _: b" " * 2000) as url,
        Rpc(url) as rpc,
        pytest.raises(ChainUnreachable, match="more than 1000"),
    ):
        rpc.call("eth_chainId")


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "nowhere", "http://[", "ftp://127.0.0.1"])
def test_no_node_is_said_with_its_address(url: str) -> None:
    with Rpc(url) as rpc, pytest.raises(ChainUnreachable) as trouble:
        rpc.call("eth_chainId")
    assert url in trouble.value.detail


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=80),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(JSON)
def test_any_value_is_read_or_refused(value: object) -> None:
    for read in (hex_bytes, quantity, fields, items):
        with suppress(ChainUnreachable):
            read(value)
