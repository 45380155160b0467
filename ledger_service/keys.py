"""The keys that an operator needs, made and opened: every one encrypted on disk, all under one password file.

Ethereum keys, one for each role, are Web3 Secret Storage files; the log's Ed25519 key is an encrypted PKCS #8 PEM; the
32-byte period secret is a Web3 Secret Storage file without an address, since that format encrypts any 32 bytes. Keys
and passwords never appear in an argument list, a log line, an error or a `repr`. Which key is
registered for what is for the alliance to say.
"""

import json
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from coincurve import PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from anchors.chain.keccak import keccak256
from anchors.chain.signatures import sign_digest
from ledger_service.errors import KeyTrouble

# N of scrypt, r = 8 and p = 1: 40 ms and 16 MiB a try. The passwords that `make_password` makes hold 256 bits, which no
# stretching adds to; this is for those that a person chose. eth-keyfile's own 2^18 takes 0.7 s and 256 MiB for each of
# the forty keys of an alliance.
SCRYPT_COST: Final = 1 << 14
MAX_KEY_FILE_BYTES: Final = 64 << 10

PASSWORD_FILE: Final = "password"  # noqa: S105  # the file's name
LOG_KEY_FILE: Final = "log-key.pem"
PERIOD_SECRET_FILE: Final = "period-secret.json"  # noqa: S105  # the file's name
WEBHOOK_SECRET_FILE: Final = "webhook-secret.json"  # noqa: S105  # the file's name
SENDER_FILE: Final = "sender.json"
MEMBER_ROLES: Final = ("governor", "anchorer", "receipt-signer", "credit-publisher", "regulator", "tender-officer")


@dataclass(frozen=True, slots=True)
class EthereumKey:
    """A secp256k1 key and the address it signs for."""

    address: bytes  # 20 bytes
    private: PrivateKey = field(repr=False)

    def sign(self, digest: bytes) -> bytes:
        """Sign a 32-byte digest.

        Returns:
            r ‖ s ‖ v, 65 bytes, s in the lower half of the order (EIP-2), v 27 or 28.
        """
        return sign_digest(self.private, digest)


@dataclass(frozen=True, slots=True)
class MemberKeys:
    """Where one member's keys lie, and what of them is public."""

    directory: Path
    password_file: Path
    log_key_file: Path
    log_public_key: bytes  # 32 bytes
    period_secret_file: Path
    sender_keystore: Path  # of no role: sends what others have signed
    webhook_secret_file: Path
    keystores: dict[str, Path]  # role -> file
    addresses: dict[str, bytes]  # role -> 20 bytes


def make_member_keys(directory: Path, roles: Iterable[str] = MEMBER_ROLES) -> MemberKeys:
    """Make the keys of one member in an empty or missing folder.

    Args:
        directory: where they go; mode 0700.
        roles: which Ethereum keys, by role; each lies in `<role>.json`.

    Raises:
        KeyTrouble: a file of that name exists; nothing is ever overwritten.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    password_file = directory / PASSWORD_FILE
    make_password(password_file)
    keystores = {role: directory / f"{role}.json" for role in roles}
    addresses = {role: make_ethereum_key(path, password_file).address for role, path in keystores.items()}
    log_key = make_log_key(directory / LOG_KEY_FILE, password_file)
    make_secret(directory / PERIOD_SECRET_FILE, password_file)
    make_secret(directory / WEBHOOK_SECRET_FILE, password_file)
    make_ethereum_key(directory / SENDER_FILE, password_file)
    return MemberKeys(
        directory=directory,
        password_file=password_file,
        log_key_file=directory / LOG_KEY_FILE,
        log_public_key=log_key.public_key().public_bytes_raw(),
        period_secret_file=directory / PERIOD_SECRET_FILE,
        sender_keystore=directory / SENDER_FILE,
        webhook_secret_file=directory / WEBHOOK_SECRET_FILE,
        keystores=keystores,
        addresses=addresses,
    )


def make_password(path: Path) -> None:
    """Write a password of 256 random bits; raises KeyTrouble when the file exists."""
    _write_new(path, secrets.token_urlsafe(32).encode() + b"\n")


def make_ethereum_key(path: Path, password_file: Path) -> EthereumKey:
    """Make a key and write its keystore; raises KeyTrouble when the file exists or the password cannot be read."""
    key = _ethereum_key(PrivateKey())
    keystore = _encrypt(key.private.secret, password_file)
    _write_new(path, json.dumps(keystore, indent=2).encode())
    return key


def open_ethereum_key(path: Path, password_file: Path) -> EthereumKey:
    """Open a Web3 keystore, whoever made it; raises KeyTrouble when it cannot be opened."""
    return _ethereum_key(PrivateKey(_decrypt(path, password_file)))


def make_log_key(path: Path, password_file: Path) -> Ed25519PrivateKey:
    """Make a log's key and write it; raises KeyTrouble when the file exists or the password cannot be read."""
    key = Ed25519PrivateKey.generate()
    encryption = BestAvailableEncryption(read_password(password_file))
    _write_new(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    return key


def open_log_key(path: Path, password_file: Path) -> Ed25519PrivateKey:
    """Open an Ed25519 key in encrypted PKCS #8 PEM; raises KeyTrouble when it cannot be opened or is another kind."""
    password = read_password(password_file)
    try:
        key = load_pem_private_key(_read(path), password)
    except (ValueError, TypeError) as error:
        raise KeyTrouble(f"{path} cannot be opened with {password_file}: not an encrypted PKCS #8 PEM of it") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyTrouble(f"{path} holds another kind of key; a log signs with Ed25519")
    return key


def make_secret(path: Path, password_file: Path) -> bytes:
    """Make 32 secret bytes and write them encrypted; raises KeyTrouble as `make_ethereum_key` does."""
    secret = (
        PrivateKey().secret
    )  # uniform below the group's order, which a keystore needs: 2^-128 short of 32 random bytes
    keystore = _encrypt(secret, password_file)
    del keystore["address"]  # would publish a point that commits to the secret
    _write_new(path, json.dumps(keystore, indent=2).encode())
    return secret


def open_secret(path: Path, password_file: Path) -> bytes:
    """Open 32 secret bytes; raises KeyTrouble when they cannot be."""
    return _decrypt(path, password_file)


def read_password(path: Path) -> bytes:
    """The password in a file, without the line end; raises KeyTrouble when there is none or others may read it."""
    password = _read(path).rstrip(b"\r\n")
    if not password:
        raise KeyTrouble(f"the password file {path} is empty; it must hold one line")
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise KeyTrouble(f"others may read the password file {path}; run: chmod 600 {path}")
    return password


def _ethereum_key(private: PrivateKey) -> EthereumKey:
    return EthereumKey(keccak256(private.public_key.format(compressed=False)[1:])[12:], private)


# eth-keyfile is imported where a keystore is written or opened: it loads pairings of BLS12-381 that nothing here uses,
# 0.3 s, and a process that only indexes, or is handed its keys, opens none.
def _encrypt(secret: bytes, password_file: Path) -> dict[str, object]:
    from eth_keyfile.keyfile import create_keyfile_json  # noqa: PLC0415

    password = read_password(password_file)
    return dict(create_keyfile_json(secret, password, kdf="scrypt", iterations=SCRYPT_COST))


def _decrypt(path: Path, password_file: Path) -> bytes:
    from eth_keyfile.keyfile import decode_keyfile_json  # noqa: PLC0415

    password = read_password(password_file)
    try:
        keystore = json.loads(_read(path))
        secret = bytes(decode_keyfile_json(keystore, password))
        PrivateKey(secret)
    except (ValueError, TypeError, KeyError, AttributeError, NotImplementedError) as error:
        raise KeyTrouble(
            f"{path} cannot be opened with {password_file}: either another password, or not a Web3 keystore"
        ) from error
    return secret


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_KEY_FILE_BYTES + 1)
    except OSError as error:
        raise KeyTrouble(f"{path} cannot be read: {error.strerror}") from error
    if len(content) > MAX_KEY_FILE_BYTES:
        raise KeyTrouble(f"{path} is too large to be a key file")
    return content


def _write_new(path: Path, content: bytes) -> None:
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise KeyTrouble(f"{path} cannot be made: {error.strerror}; a key file is never overwritten") from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
