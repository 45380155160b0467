import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from coincurve import PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from anchors.chain.keccak import keccak256
from anchors.chain.signatures import Domain, recover_signer, sign_digest, typed_digest
from anchors.errors import BadSignature

VECTORS = Path(__file__).parents[1] / "vectors"
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
KEY = bytes(31) + b"\x01"
ADDRESS = bytes.fromhex("7e5f4552091a69125d5dfcb7b8c2659029395bdf")  # of the private key 1
DIGEST = keccak256(b"digest")
SIGNATURE = sign_digest(KEY, DIGEST)


def _typed_data() -> list[Any]:
    """The ethers vectors whose domain has a name, a version, a chain, and perhaps a contract, as ours have."""
    cases = json.loads(gzip.decompress((VECTORS / "ethers" / "testcases" / "typed-data.json.gz").read_bytes()))
    return [
        pytest.param(case, id=case["name"])
        for case in cases
        if set(case["domain"]) - {"verifyingContract"} == {"name", "version", "chainId"}
    ]


def _kind(types: dict[str, Any], primary: str) -> str:
    names = [primary, *sorted(set(types) - {primary})]
    fields = {name: ",".join(f"{field['type']} {field['name']}" for field in types[name]) for name in names}
    return "".join(f"{name}({fields[name]})" for name in names)


@pytest.mark.parametrize("case", _typed_data())
def test_typed_digests_are_those_of_ethers(case: dict[str, Any]) -> None:
    facts = case["domain"]
    contract = bytes.fromhex(facts["verifyingContract"][2:]) if "verifyingContract" in facts else None
    domain = Domain(facts["name"], facts["version"], int(facts["chainId"]), contract)
    encoded = bytes.fromhex(case["encoded"][2:])[32:]  # without the type's hash
    words = [encoded[at : at + 32] for at in range(0, len(encoded), 32)]
    assert "0x" + typed_digest(domain, _kind(case["types"], case["primaryType"]), words).hex() == case["digest"]


def test_numbers_and_addresses_are_padded_to_words() -> None:
    domain = Domain("name", "1", 7)
    padded = [(5).to_bytes(32, "big"), ADDRESS.rjust(32, b"\0")]
    assert typed_digest(domain, "A(uint64 n,address a)", [5, ADDRESS]) == typed_digest(
        domain, "A(uint64 n,address a)", padded
    )


def _wycheproof() -> list[Any]:
    text = (VECTORS / "wycheproof" / "testvectors_v1" / "ecdsa_secp256k1_sha256_bitcoin_test.json").read_bytes()
    return [
        pytest.param(group["publicKey"]["uncompressed"], test, id=str(test["tcId"]))
        for group in json.loads(text)["testGroups"]
        for test in group["tests"]
    ]


def _der_numbers(der: bytes) -> tuple[int, int] | None:
    """r and s of a DER signature, None where the DER itself is at fault."""
    try:
        assert der[0] == 0x30 and der[1] == len(der) - 2 and der[2] == 2  # noqa: PT018
        r, rest = der[4 : 4 + der[3]], der[4 + der[3] :]
        s = rest[2:]
        assert rest[0] == 2 and rest[1] == len(s) and r and s  # noqa: PT018
        assert all(n[0] < 0x80 and (n[0] or len(n) == 1 or n[1] >= 0x80) for n in (r, s))
    except (AssertionError, IndexError):
        return None
    return int.from_bytes(r, "big"), int.from_bytes(s, "big")


@pytest.mark.parametrize(("key", "case"), _wycheproof())
def test_signers_are_recovered_just_where_wycheproof_finds_the_signature_valid(key: str, case: dict[str, Any]) -> None:
    numbers = _der_numbers(bytes.fromhex(case["sig"]))
    if numbers is None or max(numbers) >= 1 << 256:
        assert case["result"] == "invalid"
        return
    digest = hashlib.sha256(bytes.fromhex(case["msg"])).digest()
    signers = set()
    for v in (27, 28):
        try:
            signers.add(recover_signer(digest, b"".join(n.to_bytes(32, "big") for n in numbers) + bytes((v,))))
        except BadSignature:
            continue
    expected = keccak256(bytes.fromhex(key)[1:])[12:]
    # An x coordinate above the order would need v 29 or 30, which no contract takes: one key in 2^127 meets one.
    recoverable = "large x-coordinate" not in case["comment"]
    assert (expected in signers) == (case["result"] == "valid" and recoverable)


def test_what_a_key_signed_recovers_to_its_address() -> None:
    assert recover_signer(DIGEST, SIGNATURE) == ADDRESS


@given(st.binary(min_size=32, max_size=32), st.integers(1, ORDER - 1))
def test_every_signature_recovers_to_the_address_of_its_key(digest: bytes, secret: int) -> None:
    key = secret.to_bytes(32, "big")
    address = keccak256(PrivateKey(key).public_key.format(compressed=False)[1:])[12:]
    assert recover_signer(digest, sign_digest(key, digest)) == address


def test_the_other_s_of_a_signature_is_refused() -> None:
    high = (ORDER - int.from_bytes(SIGNATURE[32:64], "big")).to_bytes(32, "big")
    with pytest.raises(BadSignature, match="higher"):
        recover_signer(DIGEST, SIGNATURE[:32] + high + bytes((55 - SIGNATURE[64],)))


@pytest.mark.parametrize("last", [0, 1, 26, 29, 255])
def test_v_is_27_or_28(last: int) -> None:
    with pytest.raises(BadSignature):
        recover_signer(DIGEST, SIGNATURE[:64] + bytes((last,)))


@pytest.mark.parametrize("signature", [b"", SIGNATURE[:64], SIGNATURE + b"\x1b", bytes(64) + b"\x1b"])
def test_other_lengths_and_zeros_are_refused(signature: bytes) -> None:
    with pytest.raises(BadSignature):
        recover_signer(DIGEST, signature)


@given(st.binary(max_size=70) | st.binary(min_size=64, max_size=64).map(lambda body: body + b"\x1c"))
def test_any_bytes_are_a_signature_or_refused(signature: bytes) -> None:
    try:
        assert len(recover_signer(DIGEST, signature)) == 20
    except BadSignature:
        return
