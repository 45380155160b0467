"""The file of version 1, kept as it was once written, and docs/DRAW.md worked through with hashes alone."""

import hmac
import json
from collections.abc import Iterator
from functools import reduce
from hashlib import sha256
from pathlib import Path
from typing import Any

import rfc8785

from anchors.tenders.draw import DrawState, replay

KEPT = Path(__file__).parents[2] / "vectors" / "draw" / "v1"
DIGEST = "eba34316c55206c755d5a11b3f47667fbc9a6fc6a47a6a6dbc6513700ff7c196"
ROOT = "ff7f8845afb8610f7f02d7349d9eb8c9fcad7afddd6eb1c256a77166bf8767ed"
PANEL = ["GA-00045", "GA-00006", "GA-00009", "QI-00033", "QI-00039", "NI-00028", "NI-00046"]
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
RECUSED = {"GA-00000", "GA-00015"}


def test_a_draw_that_was_held_before_still_proves() -> None:
    verdict = replay((KEPT / "draw.json").read_bytes())
    assert verdict.state is DrawState.DRAWN
    assert verdict.panel is not None
    assert verdict.root is not None
    assert verdict.digest is not None
    assert [seat.expert.code for seat in verdict.panel.seats] == PANEL
    assert (verdict.digest.hex(), verdict.root.hex()) == (DIGEST, ROOT)


def test_its_sealed_file_still_has_its_digest() -> None:
    data = (KEPT / "sealed.json").read_bytes()
    assert replay(data).state is DrawState.SEALED
    assert sha256(data).hexdigest() == DIGEST


def test_the_page_alone_leads_to_the_same_panel() -> None:
    """Shares no code with the library: only hashes, HMAC and integers, as docs/DRAW.md tells them."""
    file = json.loads((KEPT / "draw.json").read_bytes())
    terms, opened = file["terms"], file["opened"]
    values = {each["site"]: _bytes(each["value"]) for each in opened["reveals"]}
    for site in terms["sites"]:
        if site["site"] not in values:
            values[site["site"]] = _recovered(site["site"], terms, opened["shares"])
    entropy = b"".join(values[site["site"]] for site in terms["sites"])
    bits = _generator(entropy + _hash_json(file["deposits"]) + _hash_json(terms))
    next(bits)
    lists = {each["site"]: each for each in opened["lists"]}
    words, codes = [], []
    for quota in terms["quotas"]:
        listed = {group["speciality"]: group["codes"] for group in lists[quota["site"]]["experts"]}
        left = [code for code in listed[quota["speciality"]] if code not in {*RECUSED, *codes}]
        for _ in range(quota["count"]):
            codes.append(left.pop(_below(bits, len(left))))
            salt = bits.send(32)
            expert = _expert(quota["site"], quota["speciality"], codes[-1], _bytes(lists[quota["site"]]["key"]))
            seat = len(codes).to_bytes(32, "big")
            words.append(_hash(b"bidledger/expert-seat/v1") + _hash_json(terms) + seat + expert + salt)
    assert codes == PANEL
    assert _root(sorted(map(_hash, words))).hex() == ROOT
    for site in terms["sites"]:
        key = _bytes(lists[site["site"]]["key"])
        entries = [
            _expert(site["site"], group["speciality"], code, key)
            for group in lists[site["site"]]["experts"]
            for code in group["codes"]
        ]
        assert "0x" + _root(entries).hex() == site["root"]
        assert len(entries) == site["count"]


def _expert(site: str, speciality: str, code: str, key: bytes) -> bytes:
    named = b"".join(_hash(text.encode()) for text in ("bidledger/expert/v1", site, speciality, code))
    return _hash(named + hmac.digest(key, code.encode(), "sha256"))


def _recovered(site: str, terms: Any, shares: Any) -> bytes:
    numbers = {member["member"]: at for at, member in enumerate(terms["members"], 1)}
    points = {numbers[each["member"]]: int(each["share"], 16) for each in shares if each["site"] == site}
    value = 0
    for x, y in points.items():
        others = [other for other in points if other != x]
        above, below = (reduce(lambda p, o: p * o % ORDER, row, 1) for row in (others, [o - x for o in others]))
        value += y * above * pow(below, -1, ORDER)
    return (value % ORDER).to_bytes(32, "big")


def _generator(seed: bytes) -> Iterator[bytes] | Any:
    """HMAC-DRBG as a coroutine: send it a number of bytes."""
    key, value, size = bytes(32), b"\x01" * 32, 0
    for separator in (b"\x00", b"\x01"):
        key = hmac.digest(key, value + separator + seed, "sha256")
        value = hmac.digest(key, value, "sha256")
    size = yield b""
    while True:
        got = b""
        while len(got) < size:
            value = hmac.digest(key, value, "sha256")
            got += value
        key = hmac.digest(key, value + b"\x00", "sha256")
        value = hmac.digest(key, value, "sha256")
        size = yield got[:size]


def _below(bits: Any, bound: int) -> int:
    count = (bound - 1).bit_length()
    size = (count + 7) // 8
    number = bound if count else 0
    while number >= bound:
        number = int.from_bytes(bits.send(size), "big") >> (8 * size - count)
    return number


def _root(entries: list[bytes]) -> bytes:
    if len(entries) == 1:
        return _hash(b"\x00" + entries[0])
    split = 1 << ((len(entries) - 1).bit_length() - 1)
    return _hash(b"\x01" + _root(entries[:split]) + _root(entries[split:]))


def _hash(data: bytes) -> bytes:
    return sha256(data).digest()


def _hash_json(value: Any) -> bytes:
    return _hash(rfc8785.dumps(value))


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])
