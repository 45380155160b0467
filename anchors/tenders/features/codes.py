"""One feature code: the spelling that two tools agree on, and the value that stands for it in one tender.

Promises that spellings of one code give one value under one key, and that another kind, tender or key gives another. A
code that many machines have is marked weak when it is taken, since its value shows nothing any more. Who without the
key has a value cannot tell the code from it; who has the key can try all codes of a small range, such as IPv4.
"""

import hmac
import re
import secrets
import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final, Self

import rfc8785
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from anchors.bounded_json import Fields, read_json
from anchors.errors import BadFeatureCode, BadFeatureKey, MalformedFile

__all__ = ["TENDER", "Code", "CodeKind", "FeatureKey", "is_tender", "read_code"]

TENDER: Final = r"[^\x00-\x1f\x7f\ud800-\udfff]{1,256}"  # as a statement names it
_KEY_FORMAT: Final = "bidledger/feature-key/v1"
_TAG: Final = sha256(b"bidledger/feature-code/v1").digest()
_MAX_TEXT: Final = 256  # characters
_MAX_KEY_FILE: Final = 4096  # bytes
_SEPARATORS: Final = re.compile(r"[\s\-\u2010-\u2015\u2212:{}]+")
_MAC_SEPARATORS: Final = re.compile(r"[\s:.-]+")
_MAC: Final = re.compile(r"[0-9a-f]{12}(?:[0-9a-f]{4})?")  # EUI-48 or EUI-64
_FEWEST: Final = 4  # characters; below, codes meet by chance
_PLACEHOLDERS: Final = frozenset(
    (
        *("none", "null", "unknown", "default", "defaultstring", "notapplicable", "notavailable", "notspecified"),
        *("tobefilledbyo.e.m.", "systemserialnumber", "serialnumber", "invalid", "1234", "12345", "123456", "1234567"),
        *("12345678", "123456789", "1234567890", "0123456789"),
    )
)
# RFC 6890, RFC 5771, RFC 4291; written out, since versions of Python do not agree on what is global.
_SHARED: Final = tuple(
    ip_network(network)
    for network in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
        *("224.0.0.0/3", "::/127", "64:ff9b:1::/48", "100::/64", "2001:db8::/32", "fc00::/7", "fe80::/9", "ff00::/8"),
    )
)


class CodeKind(StrEnum):
    """What a code is of. A bid's network code (网络码) is two of them: the card, and the address it was sent from."""

    MACHINE = "machine-code"  # 机器码
    FILE_CREATION = "file-creation-code"  # 文件创建标识码
    PRICING_LOCK = "pricing-lock"  # 计价软件加密锁号
    NETWORK_CARD = "network-card"  # MAC 地址
    NETWORK_ADDRESS = "network-address"  # IP 地址

    @property
    def code(self) -> int:
        """The kind's byte in what is hashed."""
        return _CODES[self]


_CODES: Final = {kind: code for code, kind in enumerate(CodeKind, start=1)}


@dataclass(frozen=True, slots=True)
class Code:
    """A code in the spelling that is compared."""

    kind: CodeKind
    text: str = field(repr=False)
    weakness: str | None  # why many have it, so that it says little


@dataclass(frozen=True, slots=True)
class FeatureKey:
    """The key that the sites share for one tender.

    Raises:
        BadFeatureKey: it is not 32 bytes, all zeros, or for no tender.
    """

    tender: str
    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        """Let no codes be taken under a key that everybody has."""
        if len(self.secret) != 32 or not any(self.secret):
            raise BadFeatureKey("is not 32 bytes, or all zeros")
        if not is_tender(self.tender):
            raise BadFeatureKey("is for no tender's identifier in Unicode's form NFC")

    @classmethod
    def new(cls, tender: str) -> Self:
        """Make a key for a tender, for its sites to share."""
        return cls(tender, secrets.token_bytes(32))

    @classmethod
    def derive(cls, shared: bytes, tender: str) -> Self:
        """Derive a tender's key from a secret that the sites share for all their tenders.

        Args:
            shared: 32 bytes.
            tender: its identifier.

        Raises:
            BadFeatureKey: the secret is not 32 bytes or all zeros, or the identifier cannot be one.

        Source: RFC 5869.
        """
        if len(shared) != 32 or not any(shared) or not is_tender(tender):
            raise BadFeatureKey("cannot be derived: it takes a secret of 32 bytes and a tender's identifier")
        return cls(tender, HKDF(SHA256(), 32, salt=None, info=f"{_KEY_FORMAT}|{tender}".encode()).derive(shared))

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Read a key file; raises BadFeatureKey."""
        try:
            fields = Fields(read_json(data, _MAX_KEY_FILE), "", ("format", "tender", "key"))
            fields.text("format", re.escape(_KEY_FORMAT))
            return cls(fields.text("tender", TENDER), fields.hex("key", 32))
        except MalformedFile as error:
            raise BadFeatureKey("cannot be read: its file is not JSON with format, tender and key") from error

    def to_bytes(self) -> bytes:
        """The key file. Whoever has it can find the codes behind values."""
        return rfc8785.dumps({"format": _KEY_FORMAT, "tender": self.tender, "key": f"0x{self.secret.hex()}"})

    def value(self, code: Code) -> bytes:
        """What stands for a code in this tender, 32 bytes.

        Source: docs/FEATURE-CODES.md; RFC 2104.
        """
        head = _TAG + sha256(self.tender.encode()).digest() + bytes((code.kind.code,))
        return hmac.digest(self.secret, head + code.text.encode(), "sha256")


def read_code(kind: CodeKind, text: str) -> Code:
    """Bring a code into the spelling that is compared.

    Args:
        kind: what it is of.
        text: as a tool gives it, at most 256 characters.

    Raises:
        BadFeatureCode: it is empty or too long, has characters that cannot be printed, or is no address where one is
            meant.

    Source: docs/FEATURE-CODES.md.
    """
    if not re.fullmatch(TENDER, text):
        raise BadFeatureCode(kind, f"is not 1 to {_MAX_TEXT} printable characters")
    plain = unicodedata.normalize("NFKC", text).strip()
    if kind is CodeKind.NETWORK_ADDRESS:
        return _address(plain)
    if kind is CodeKind.NETWORK_CARD:
        return _card(plain)
    folded = _fold(plain)
    if not folded:
        raise BadFeatureCode(kind, "has nothing but separators")
    return Code(kind, folded, _text_weakness(folded))


def is_tender(text: str) -> bool:
    """Whether a statement could name a tender so."""
    return re.fullmatch(TENDER, text) is not None and unicodedata.is_normalized("NFC", text)


def _fold(text: str) -> str:
    # What is left when separators are gone may compose or fold anew; it stands still after a round or two.
    for _ in range(4):
        folded = _SEPARATORS.sub("", unicodedata.normalize("NFKC", text).casefold())
        if folded == text:
            break
        text = folded
    return text


def _text_weakness(text: str) -> str | None:
    if text in _PLACEHOLDERS or len(set(text)) == 1:
        return "it is what makers put where there is no code"
    return f"it has fewer than {_FEWEST} characters" if len(text) < _FEWEST else None


def _card(text: str) -> Code:
    digits = _MAC_SEPARATORS.sub("", text).lower()
    if not _MAC.fullmatch(digits):
        raise BadFeatureCode(CodeKind.NETWORK_CARD, "is not 12 or 16 hexadecimal digits")
    first = int(digits[:2], 16)
    weakness = None
    if len(set(digits)) == 1 or first & 0b01:
        weakness = "no card has it: it is of a group, or stands for none"
    elif first & 0b10:
        weakness = "it is not the card's own: systems make such ones up, and virtual machines share them"
    return Code(CodeKind.NETWORK_CARD, digits, weakness)


def _address(text: str) -> Code:
    try:
        address = ip_address(text.partition("%")[0])  # a zone has a meaning on one machine alone
    except ValueError:
        raise BadFeatureCode(CodeKind.NETWORK_ADDRESS, "is no IPv4 or IPv6 address") from None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    weak = any(address in network for network in _SHARED if network.version == address.version)
    weakness = "it is no address of the open Internet: every office has the same ones" if weak else None
    return Code(CodeKind.NETWORK_ADDRESS, str(address), weakness)
