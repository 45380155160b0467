"""Founds an alliance on a chain: deploys its contracts from an alliance file and writes the network file.

The registry names the other contracts at its birth, by the addresses that the deployer's next transactions will give
them, so that founding takes a transaction each and no vote. Where blocks are sealed, the validators of the alliance
file must be the ones in force on the chain, and where blocks can be given up, the contracts' must first be confirmed.
The network file is signed by the governors whose keystores the alliance file names; it is written only when it is
valid.
"""

import time
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from anchors.chain import rlp
from anchors.chain.header import CLIQUE, DEVELOPMENT, Header, header_of_block
from anchors.chain.keccak import keccak256
from anchors.credit import Kind, read_catalogue
from anchors.errors import AnchorsError
from anchors.network import (
    FORMAT,
    Contract,
    Governor,
    LogKey,
    Member,
    Network,
    ReceiptSigner,
    ValidatorSet,
    parse_network,
    prove_network,
    sign_network,
    write_network,
)
from anchors.notes import KeyType, Verifier
from anchors.seals import bft_extra, needed_seals
from ledger_service.chain.contracts import COMPILED, REGISTRY, contract
from ledger_service.chain.rpc import Rpc, fields, hex_bytes, items, quantity
from ledger_service.chain.transactions import POLL_SECONDS, Mined, broadcast, chain_id, next_nonce, prepare, wait_mined
from ledger_service.errors import ChainRefused, ChainUnreachable, InvalidContent, NotFound
from ledger_service.files import write_durably
from ledger_service.keys import EthereumKey, open_ethereum_key

ROLES: Final = ("governor", "anchorer", "receipt-signer", "credit-publisher", "regulator", "tender-officer")
MEASURES: Final = {Kind.HONOUR: "honour", Kind.GENERAL: "general", Kind.SERIOUS: "serious"}
PARAMETERS: Final = {"receiptDays": 90, "endorsements": 3}
_NAMED: Final = COMPILED[1:]  # by the registry, from its birth on
MINED_SECONDS: Final = 60.0
MAX_ALLIANCE_BYTES: Final = 1 << 20

Address = Annotated[str, Field(pattern=r"^0x[0-9a-f]{40}$")]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class OperatorEntry(_Part):
    """An address and its role."""

    address: Address
    role: Literal["governor", "anchorer", "receipt-signer", "credit-publisher", "regulator", "tender-officer"]


class MemberEntry(_Part):
    """A founding member."""

    number: Annotated[int, Field(ge=1, le=255)]
    code: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$")]
    name: Annotated[str, Field(min_length=1, max_length=128)]
    log_key: Annotated[str, Field(pattern=r"^0x[0-9a-f]{64}$")]
    operators: list[OperatorEntry]


class KeyEntry(_Part):
    """A keystore and its password file, relative to the alliance file."""

    keystore: Path
    password_file: Path


class Alliance(_Part):
    """An alliance file."""

    format: Literal["bidledger/alliance/v1"]
    alliance: Annotated[str, Field(min_length=1, max_length=128)]
    domain: Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]{0,98}[a-z0-9])?$")]
    consensus: Literal["development", "qbft", "ibft2", "clique"]
    validators: list[Address] = []
    members: Annotated[list[MemberEntry], Field(min_length=1)]
    parameters: dict[str, Annotated[int, Field(ge=0)]] = {}
    deployer: KeyEntry
    governors: list[KeyEntry]


def read_alliance(path: Path) -> Alliance:
    """Read an alliance file.

    Raises:
        NotFound: it cannot be read.
        InvalidContent: it is not one; the message says where.
    """
    try:
        with path.open("rb") as stream:
            alliance = Alliance.model_validate_json(stream.read(MAX_ALLIANCE_BYTES))
    except OSError as error:
        raise NotFound(f"{path}: {error.strerror}; name the alliance file") from error
    except ValidationError as error:
        wrong = error.errors(include_input=False)[0]
        raise InvalidContent(f"{path}: at /{'/'.join(map(str, wrong['loc']))}: {wrong['msg']}") from error
    if [member.number for member in alliance.members] != list(range(1, len(alliance.members) + 1)):
        raise InvalidContent(
            f"{path}: at /members: their numbers are not 1, 2, 3 and so on, as the registry gives them"
        )
    if (alliance.consensus == DEVELOPMENT) != (not alliance.validators):
        raise InvalidContent(f"{path}: at /validators: they go with every consensus but {DEVELOPMENT}")
    return alliance


def deploy_from_file(rpc_url: str, alliance_file: Path, out: Path) -> Network:
    """Deploy what an alliance file says and write the signed network file.

    Args:
        rpc_url: a node that takes a gas price of zero.
        alliance_file: see `Alliance`.
        out: the network file; never overwritten.

    Raises:
        InvalidContent: the alliance file is wrong, or `out` exists, or too few governors' keystores are named.
        KeyTrouble: a keystore cannot be opened.
        ChainUnreachable, ChainRefused: the chain did not take it.
    """
    if out.exists():
        raise InvalidContent(f"{out} exists; a network file is never overwritten, so name another --out")
    alliance = read_alliance(alliance_file)
    folder = alliance_file.parent
    deployer = _open(alliance.deployer, folder)
    governors = [_open(entry, folder) for entry in alliance.governors]
    with Rpc(rpc_url) as rpc:
        _check_validators(rpc, alliance)
        network = _unsigned(rpc, alliance, _deploy(rpc, alliance, deployer))
    signed = sign_network(network, {key.address: key.private.secret for key in governors})
    content = write_network(signed)
    try:
        prove_network(parse_network(content))
    except AnchorsError as error:
        raise InvalidContent(f"{alliance_file}: the network file would not be valid: {error.diagnostics()}") from error
    write_durably(out, content)
    return signed


def contract_address(sender: bytes, nonce: int) -> bytes:
    """The address, 20 bytes, of the contract that `sender` makes by its transaction `nonce`.

    Source: Ethereum Yellow Paper, section 7.
    """
    return keccak256(rlp.encode([sender, rlp.from_uint(nonce)]))[12:]


def _check_validators(rpc: Rpc, alliance: Alliance) -> None:
    """Refuse an alliance file that names other validators than those in force on the chain."""
    if alliance.consensus == DEVELOPMENT:
        return
    if alliance.consensus == CLIQUE:  # its headers list the signers only now and then
        in_force = {hex_bytes(signer, 20) for signer in items(rpc.call("clique_getSigners"))}
    else:
        in_force = set(bft_extra(_header(rpc, "latest", alliance.consensus)).validators)
    if {bytes.fromhex(address[2:]) for address in alliance.validators} != in_force:
        shown = ", ".join(f"0x{address.hex()}" for address in sorted(in_force))
        raise InvalidContent(f"the alliance file names other validators than the chain has, which are {shown}")


def _deploy(rpc: Rpc, alliance: Alliance, deployer: EthereumKey) -> dict[str, Mined]:
    """Make all contracts, the registry first, and say by name where they came to lie."""
    chain, nonce = chain_id(rpc), next_nonce(rpc, deployer.address)
    named = {name: contract_address(deployer.address, nonce + 1 + place) for place, name in enumerate(_NAMED)}
    members = [
        (
            member.code.encode(),
            member.name,
            bytes.fromhex(member.log_key[2:]),
            [(each.address, ROLES.index(each.role)) for each in member.operators],
        )
        for member in alliance.members
    ]
    parameters = [(name.encode(), value) for name, value in (_parameters() | alliance.parameters).items()]
    founding = contract(REGISTRY).deployment(
        members, parameters, [(name.encode(), address) for name, address in named.items()]
    )
    made = {REGISTRY: _make(rpc, deployer, founding, chain, nonce)}
    registry = wait_mined(rpc, made[REGISTRY], MINED_SECONDS).contract
    for place, (name, address) in enumerate(named.items()):
        made[name] = _make(rpc, deployer, contract(name).deployment(registry), chain, nonce + 1 + place)
        if wait_mined(rpc, made[name], MINED_SECONDS).contract != address:
            raise ChainRefused(f"{name} has another address than the registry was told; deploy anew")
    if alliance.consensus == CLIQUE:
        _wait_until_confirmed(rpc, made[_NAMED[-1]], needed_seals(CLIQUE, len(alliance.validators)))
    return {name: wait_mined(rpc, transaction, MINED_SECONDS) for name, transaction in made.items()}


def _parameters() -> dict[str, int]:
    """What an alliance starts with where its file says nothing else: all measures of the catalogue are in force."""
    catalogue = read_catalogue()
    return PARAMETERS | {f"measures:{title}": catalogue.mask(kind) for kind, title in MEASURES.items()}


def _make(rpc: Rpc, deployer: EthereumKey, code: bytes, chain: int, nonce: int) -> bytes:
    """Send a contract's creation and wait until it is mined; the transaction's hash."""
    transaction = prepare(rpc, deployer, None, code, chain=chain, nonce=nonce)
    broadcast(rpc, transaction.raw)
    wait_mined(rpc, transaction.hash, MINED_SECONDS)
    return transaction.hash


def _wait_until_confirmed(rpc: Rpc, transaction: bytes, blocks: int) -> None:
    """Wait until a transaction has so many blocks on it; it may change its block meanwhile."""
    deadline = time.monotonic() + MINED_SECONDS
    while quantity(rpc.call("eth_blockNumber")) < wait_mined(rpc, transaction, MINED_SECONDS).block_number + blocks:
        if time.monotonic() > deadline:
            raise ChainUnreachable(f"the contracts are not {blocks} blocks deep after {MINED_SECONDS:.0f} s")
        time.sleep(POLL_SECONDS)


def _unsigned(rpc: Rpc, alliance: Alliance, made: dict[str, Mined]) -> Network:
    chain, registry = chain_id(rpc), made[REGISTRY]
    genesis = _header(rpc, "0x0", alliance.consensus)
    founded = _header(rpc, hex(registry.block_number), alliance.consensus)
    validators = tuple(bytes.fromhex(address[2:]) for address in alliance.validators)
    return Network(
        format=FORMAT,
        alliance=alliance.alliance,
        domain=alliance.domain,
        version=1,
        chain_id=chain,
        genesis_hash=genesis.hash,
        consensus=alliance.consensus,
        validators=(ValidatorSet(founded.number, None, validators),) if validators else (),
        contracts=tuple(_pinned(rpc, name, mined) for name, mined in made.items()),
        members=tuple(_member(alliance, entry, chain, founded.timestamp) for entry in alliance.members),
        governors=tuple(
            Governor(entry.number, bytes.fromhex(each.address[2:]), registry.block_number, None)
            for entry in alliance.members
            for each in entry.operators
            if each.role == "governor"
        ),
        threshold=2 * len(alliance.members) // 3 + 1,
        signatures=(),
    )


def _header(rpc: Rpc, block: str, consensus: str) -> Header:
    return header_of_block(fields(rpc.call("eth_getBlockByNumber", block, False)), consensus)


def _pinned(rpc: Rpc, name: str, made: Mined) -> Contract:
    address = made.contract or b""
    code = hex_bytes(rpc.call("eth_getCode", "0x" + address.hex(), "latest"))
    return Contract(name, address, keccak256(code), made.block_number, None)


def _member(alliance: Alliance, entry: MemberEntry, chain: int, founded: int) -> Member:
    origin = f"{alliance.domain}/{chain}/{entry.code}/0"
    key = Verifier(origin, KeyType.ED25519, bytes.fromhex(entry.log_key[2:]))
    signers = (each for each in entry.operators if each.role == "receipt-signer")
    return Member(
        number=entry.number,
        code=entry.code,
        name=entry.name,
        log_keys=(LogKey(0, key.vkey, 0, None),),
        receipt_signers=tuple(ReceiptSigner(bytes.fromhex(each.address[2:]), founded, None) for each in signers),
    )


def _open(entry: KeyEntry, folder: Path) -> EthereumKey:
    return open_ethereum_key(folder / entry.keystore, folder / entry.password_file)
