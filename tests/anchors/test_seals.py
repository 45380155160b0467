"""Seals that others made, and hostile bytes in their place."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from exhibits import address
from hypothesis import given
from hypothesis import strategies as st
from sealed_headers import NAMES, BftBlock, clique_chain, header_fields, pin

from anchors.chain import rlp
from anchors.chain.header import CONSENSUSES, DEVELOPMENT, Header, decode_header, header_of_block, signed_hash
from anchors.chain.keccak import keccak256
from anchors.errors import (
    AnchorsError,
    ConfirmationsMissing,
    MalformedExtra,
    SealsMissing,
    SealsNotSupported,
    WrongDifficulty,
)
from anchors.network import ValidatorSet
from anchors.seals import Vote, bft_extra, prove_seals, sealers
from anchors.seals.sealing import recover_sealer

VECTORS = Path(__file__).parents[1] / "vectors"


def vector(path: str) -> Any:
    return json.loads((VECTORS / path).read_bytes())


def data(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def pinned(addresses: list[bytes]) -> tuple[ValidatorSet, ...]:
    return (ValidatorSet(0, None, tuple(addresses)),)


def of_extra(extra: bytes, consensus: str) -> Header:
    return decode_header(rlp.encode(header_fields(7, extra)), consensus)


# ---- headers of real networks ----

QBFT = "qbft/besu_qbft_real_headers.json"
QBFT_VALIDATORS = [
    data("647bfdd19655e51e69d35454ff3a92f8828e6302"),
    data("a5c8416b9d13417b45b45ada76408f39d1e504ef"),
    data("b92e91f4dcc9d28503be521afa2a8fbf3c1acf60"),
    data("ee3353e587cfa91625a1adaef308a726de3803d3"),
]


def test_a_real_qbft_header_is_sealed_by_three_of_its_four_validators() -> None:
    sealed, signed = map(data, vector(QBFT)["headers_rlp"])
    header = decode_header(sealed, "qbft")
    proven = prove_seals(header, pinned(QBFT_VALIDATORS))
    assert proven.sealers == (QBFT_VALIDATORS[0], QBFT_VALIDATORS[3], QBFT_VALIDATORS[1])
    assert bft_extra(header).round == 1
    assert signed_hash(header) == keccak256(signed)  # the other vector is what they signed
    with pytest.raises(SealsMissing):
        prove_seals(decode_header(signed, "qbft"), pinned(QBFT_VALIDATORS))


def test_extra_data_of_real_networks_of_one_and_of_four_validators_read_by_themselves() -> None:
    one, four = (bft_extra(of_extra(data(extra), "qbft")) for extra in vector(QBFT)["extra_rlp"])
    assert (one.validators, len(one.seals)) == ((data("cc4b2d4fbb236d5207b37a5cf739b8491b2b717c"),), 1)
    assert (list(four.validators), len(four.seals)) == (QBFT_VALIDATORS, 3)


def test_the_ibft2_block_that_besu_documents_is_sealed_by_its_one_validator() -> None:
    (block,) = (block for block in vector("qbft/besu_docs_ibft2_blocks.json")["blocks"] if "miner" in block)
    validator = data(block["miner"]["address"])
    header = header_of_block(_ibft2_answer(block), "ibft2")
    assert prove_seals(header, pinned([validator])).sealers == (validator,)


def _ibft2_answer(block: dict[str, Any]) -> dict[str, Any]:
    """The block as JSON-RPC, not GraphQL, would show it; the chain had no base fee."""
    named = {
        "sha3Uncles": block["ommerHash"],
        "miner": block["miner"]["address"],
        "parentHash": block["parent"]["hash"],
    }
    numbers = {"number": "0x64", "gasLimit": hex(block["gasLimit"]), "gasUsed": hex(block["gasUsed"])}
    return {name: value for name, value in block.items() if name != "baseFeePerGas"} | named | numbers


def test_the_other_documented_ibft2_blocks_list_the_same_validator_and_one_seal() -> None:
    for block in vector("qbft/besu_docs_ibft2_blocks.json")["blocks"]:
        extra = bft_extra(of_extra(data(block["extraData"]), "ibft2"))
        assert extra.validators == (data("9811ebc35d7b06b3fa8dc5809a1f9c52751e1deb"),)
        assert (extra.round, extra.vote, len(extra.seals)) == (0, None, 1)


def test_goerlis_first_blocks_confirm_one_another() -> None:
    goerli = vector("clique/goerli_headers.json")
    raws = [data(raw) for raw in goerli["headers_rlp"]]
    proven = prove_seals(decode_header(raws[0], "clique"), pinned([data(goerli["signer"])]), raws[1:])
    assert proven.sealers == (data(goerli["signer"]),)
    assert "confirmed by 1 signers, reversible" in proven.detail


GETH = vector("clique/geth_headers.json")
GETH_RAWS = [data(block["header_rlp"]) for block in GETH["blocks"]]
GETH_SIGNERS = tuple(
    ValidatorSet(span["from_block"], span["to_block"], tuple(map(data, span["addresses"]))) for span in GETH["signers"]
)


@pytest.mark.parametrize("at", range(len(GETH_RAWS)))
def test_geths_headers_are_signed_by_whom_geth_says_and_confirmed_by_those_after(at: int) -> None:
    header = decode_header(GETH_RAWS[at], "clique")
    signers = [data(block["signer"]) for block in GETH["blocks"][at:]]
    assert header.hash == data(GETH["blocks"][at]["hash"])
    assert sealers(header) == (signers[0],)
    if len(signers) > 3:  # 4 and 5 signers alike need 3
        assert prove_seals(header, GETH_SIGNERS, GETH_RAWS[at + 1 : at + 4]).sealers == tuple(
            dict.fromkeys(signers[:4])
        )
    with pytest.raises(ConfirmationsMissing):
        prove_seals(header, GETH_SIGNERS, GETH_RAWS[at + 1 : at + 3])


def test_geths_headers_after_a_change_of_signers_break_the_rules_of_the_signers_before() -> None:
    (before, _) = GETH_SIGNERS
    assert prove_seals(decode_header(GETH_RAWS[6], "clique"), (before,), GETH_RAWS[7:10])
    for_good = dataclasses.replace(before, to_block=None)
    with pytest.raises(WrongDifficulty):
        prove_seals(decode_header(GETH_RAWS[6], "clique"), (for_good,), GETH_RAWS[7:])


# ---- what other codecs read and write ----


def test_besus_codec_vector_reads_as_besu_reads_it() -> None:
    known = vector("qbft/besu_qbft_extra_data_codec.json")
    extra = bft_extra(of_extra(data(known["known_encoding"]), "qbft"))
    decoded = known["decoded"]
    assert extra.vanity == data(decoded["vanity"])
    assert list(extra.validators) == [data(validator) for validator in decoded["validators"]]
    assert extra.vote == Vote(data(decoded["vote"][0]), adds=True)
    assert extra.round == decoded["round"]
    assert list(extra.seals) == [
        r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes((v,)) for r, s, v in decoded["seals_r_s_v"]
    ]


def test_a_round_with_a_leading_zero_is_refused_as_besu_refuses_it() -> None:
    parts = list(rlp.decode_list(data(vector("qbft/besu_qbft_extra_data_codec.json")["known_encoding"])))
    for round_ in (b"\0\xdc\xba", b"\0", b"\1" * 5):
        with pytest.raises(MalformedExtra, match="round"):
            bft_extra(of_extra(rlp.encode([*parts[:3], round_, parts[4]]), "qbft"))
    for round_ in (b"", b"\1", b"\1" * 3, b"\1" * 5):
        with pytest.raises(MalformedExtra, match="round"):
            bft_extra(of_extra(rlp.encode([*parts[:3], round_, parts[4]]), "ibft2"))


ELDER = vector("qbft/consensys_qbft-tests_bft_extra_data.json")


@pytest.mark.parametrize("name", ELDER)
def test_the_elder_spelling_of_qbft_reads_once_it_is_respelt_and_not_before(name: str) -> None:
    stated, encoded = ELDER[name]["qbft_extra_data"], data(ELDER[name]["rlp"])
    with pytest.raises(MalformedExtra):
        bft_extra(of_extra(encoded, "qbft"))  # a round of four bytes, and an empty text for no vote
    vanity, validators, vote, round_, seals = rlp.decode_list(encoded)
    assert isinstance(round_, bytes)
    extra = bft_extra(of_extra(rlp.encode([vanity, validators, vote or [], round_.lstrip(b"\0"), seals]), "qbft"))
    assert extra.vanity == data(stated["vanityData"])
    assert list(extra.validators) == [data(validator) for validator in stated["validators"]]
    assert list(extra.seals) == [data(seal) for seal in stated["seals"]]
    assert extra.round == stated["round"]
    cast = stated["vote"] and Vote(data(stated["vote"]["recipient"]), stated["vote"]["voteType"] == "0xff")
    assert extra.vote == cast


def test_a_genesis_block_lists_its_validators_and_has_no_seals() -> None:
    genesis = vector("qbft/besu_docs_qbft_genesis_extra.json")
    header = of_extra(data(genesis["encoded"]), "qbft")
    assert list(bft_extra(header).validators) == [data(validator) for validator in genesis["validators"]]
    assert sealers(header) == ()


def test_a_commit_message_carries_the_seal_of_its_author() -> None:
    commit = vector("qbft/consensys_qbft-tests_messages.json")["commit"]["message"]["unsignedCommit"]
    author = recover_sealer(1, data(commit["digest"]), data(commit["commitSeal"]))
    assert author == data("d09d559810bff66602d945c5d2956d12c3dbd584")  # who proposed in the same file


def test_the_signed_hash_of_an_empty_clique_header_is_the_one_of_geths_own_test() -> None:
    """go-ethereum, consensus/clique/clique_test.go, TestSealHash."""
    fields = [bytes(32), bytes(32), bytes(20), bytes(32), bytes(32), bytes(32), bytes(256), b"", b"", b"", b"", b""]
    header = decode_header(rlp.encode([*fields, bytes(32 + 65), bytes(32), bytes(8), b""]), "clique")
    assert signed_hash(header).hex() == "bd3d1fa43fbc4c5bfcc91b179ec92e2861df3654de60468beb908ff805359e8f"


# ---- no seals to check ----


def test_a_development_network_says_that_nobody_sealed() -> None:
    header = of_extra(b"", DEVELOPMENT)
    seals = prove_seals(header, ())
    assert (seals.sealers, sealers(header)) == ((), ())
    assert seals.detail == "development network: nobody sealed this block"


def test_a_consensus_whose_seals_cannot_be_checked_is_refused_by_name() -> None:
    header = of_extra(b"", "kaia")
    with pytest.raises(SealsNotSupported, match="kaia"):
        prove_seals(header, (pin(NAMES[:4]),))
    with pytest.raises(SealsNotSupported, match="kaia"):
        bft_extra(header)


# ---- hostile bytes ----

ITEMS = st.recursive(
    st.binary(max_size=70) | st.sampled_from([address(name) for name in NAMES[:4]]) | st.just(bytes(65)),
    lambda items: st.lists(items, max_size=5),
    max_leaves=12,
)
EXTRAS = st.binary(max_size=200) | ITEMS.map(rlp.encode) | st.lists(ITEMS, min_size=5, max_size=5).map(rlp.encode)
SEALED = {
    "qbft": BftBlock("qbft", NAMES[:4]).raw(NAMES[:4]),
    "ibft2": BftBlock("ibft2", NAMES[:4]).raw(NAMES[:4]),
    "clique": clique_chain(NAMES[:4], 100, NAMES[:4])[0].raw,
}
LATER = [block.raw for block in clique_chain(NAMES[:4], 100, NAMES[:4])][1:]


def judged(raw: bytes, consensus: str, headers: list[bytes]) -> bool:
    """Whether it is proven; any error but our own goes through."""
    try:
        header = decode_header(raw, consensus)
        sealers(header)
        return bool(prove_seals(header, (pin(NAMES[:4]),), headers))
    except AnchorsError:
        return False


@given(st.binary(max_size=400), st.sampled_from(CONSENSUSES))
def test_any_bytes_as_a_header_end_in_our_own_error(raw: bytes, consensus: str) -> None:
    assert not judged(raw, consensus, [])


@given(EXTRAS, st.sampled_from(sorted(SEALED)))
def test_any_extra_data_end_in_our_own_error(extra: bytes, consensus: str) -> None:
    assert not judged(rlp.encode(header_fields(100, extra)), consensus, [])


@given(st.data(), st.sampled_from(sorted(SEALED)))
def test_a_sealed_header_with_one_byte_changed_is_refused(draw: st.DataObject, consensus: str) -> None:
    raw = bytearray(SEALED[consensus])
    later = LATER if consensus == "clique" else []
    assert judged(bytes(raw), consensus, later)
    raw[draw.draw(st.integers(0, len(raw) - 1))] ^= draw.draw(st.integers(1, 255))
    assert not judged(bytes(raw), consensus, later)


@given(st.lists(st.binary(max_size=100) | st.sampled_from([*SEALED.values(), *LATER]), max_size=5))
def test_any_headers_beside_the_blocks_own_end_in_our_own_error(headers: list[bytes]) -> None:
    for consensus, raw in SEALED.items():
        judged(raw, consensus, headers)
