"""Keys: made encrypted, opened with the password file alone, never shown, and every trouble named by its file."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from eth_account import Account

from ledger_service import keys
from ledger_service.errors import KeyTrouble


@pytest.fixture(scope="module")
def member(tmp_path_factory: pytest.TempPathFactory) -> keys.MemberKeys:
    return keys.make_member_keys(tmp_path_factory.mktemp("member") / "keys")


def test_what_was_made_can_be_opened(member: keys.MemberKeys) -> None:
    for role in keys.MEMBER_ROLES:
        opened = keys.open_ethereum_key(member.keystores[role], member.password_file)
        assert opened.address == member.addresses[role]
    log_key = keys.open_log_key(member.log_key_file, member.password_file)
    assert log_key.public_key().public_bytes_raw() == member.log_public_key
    assert len(keys.open_secret(member.period_secret_file, member.password_file)) == 32


def test_a_keystore_opens_in_eth_account_and_signs_alike(member: keys.MemberKeys) -> None:
    password = member.password_file.read_text().strip()
    private = Account.decrypt(json.loads(member.keystores["governor"].read_text()), password)
    account = Account.from_key(private)
    ours = keys.open_ethereum_key(member.keystores["governor"], member.password_file)
    assert ours.address == bytes.fromhex(account.address[2:])
    digest = bytes(range(32))
    assert ours.sign(digest) == bytes(account.unsafe_sign_hash(digest).signature)


def test_files_are_for_their_owner_only_and_never_overwritten(member: keys.MemberKeys) -> None:
    for path in member.directory.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600, path
    with pytest.raises(KeyTrouble, match="never overwritten"):
        keys.make_member_keys(member.directory)


def test_no_secret_is_shown(member: keys.MemberKeys) -> None:
    opened = keys.open_ethereum_key(member.keystores["governor"], member.password_file)
    assert opened.private.to_hex() not in repr(opened)
    assert "address" not in json.loads(member.period_secret_file.read_text())


def test_a_wrong_password_names_both_files(member: keys.MemberKeys, tmp_path: Path) -> None:
    other = tmp_path / "other"
    keys.make_password(other)
    for opener, path in (
        (keys.open_ethereum_key, member.keystores["governor"]),
        (keys.open_log_key, member.log_key_file),
        (keys.open_secret, member.period_secret_file),
    ):
        with pytest.raises(KeyTrouble) as trouble:
            opener(path, other)
        assert str(path) in trouble.value.detail
        assert str(other) in trouble.value.detail


@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[]", b"\xff", b'{"crypto": {}, "version": 3}', b'{"version": 3}', b"x" * 70_000]
)
def test_a_file_that_is_no_key_is_refused(member: keys.MemberKeys, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    for opener in (keys.open_ethereum_key, keys.open_log_key, keys.open_secret):
        with pytest.raises(KeyTrouble, match=str(path)):
            opener(path, member.password_file)


def test_a_missing_file_is_named(member: keys.MemberKeys, tmp_path: Path) -> None:
    with pytest.raises(KeyTrouble, match=r"nowhere\.json cannot be read"):
        keys.open_ethereum_key(tmp_path / "nowhere.json", member.password_file)


def test_another_kind_of_log_key_is_refused(member: keys.MemberKeys, tmp_path: Path) -> None:
    password = keys.read_password(member.password_file)
    pem = generate_private_key(SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(password)
    )
    (tmp_path / "p256.pem").write_bytes(pem)
    with pytest.raises(KeyTrouble, match="signs with Ed25519"):
        keys.open_log_key(tmp_path / "p256.pem", member.password_file)


def test_a_password_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "password"
    keys.make_password(path)
    path.chmod(0o640)
    with pytest.raises(KeyTrouble, match="chmod 600"):
        keys.read_password(path)


def test_an_empty_password_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.touch(mode=0o600)
    with pytest.raises(KeyTrouble, match="empty"):
        keys.read_password(path)


def test_what_opens_no_keystore_does_not_wait_for_its_library() -> None:
    program = "import sys, ledger_service.serve; assert 'eth_keyfile' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
