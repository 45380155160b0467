"""The gas of an anchor on a real chain, against a contract that stores the same and proves nothing."""

import tempfile
from hashlib import sha256
from pathlib import Path

import solcx
from eth_abi.abi import encode

from anchors.chain.keccak import keccak256
from anchors.merkle import Frontier, consistency_path
from ledger_service.chain import devnet
from ledger_service.chain.contracts import EVIDENCE_LOG, contract
from ledger_service.chain.deploy import deploy_from_file
from ledger_service.chain.rpc import Rpc, fields, quantity
from ledger_service.chain.transactions import broadcast, chain_id, next_nonce, prepare, wait_mined
from ledger_service.demo.alliance import found
from ledger_service.keys import EthereumKey, open_ethereum_key
from row import Row

ROOT = Path(__file__).parents[2]
OLD, NEW = 1_000_000, 1_001_000
MOST = 58_000


def anchor() -> Row:
    """Anchor a log of 1,000,000 leaves and then 1,000 more; the gas of the second transaction."""
    entries = [sha256(index.to_bytes(8, "big")).digest() for index in range(NEW)]
    with devnet.running("anvil") as node, tempfile.TemporaryDirectory() as folder, Rpc(node.rpc) as rpc:
        founding = found(Path(folder) / "keys")
        network = deploy_from_file(node.rpc, founding.alliance_file, Path(folder) / "network.json")
        keys = founding.members["sichuan"]
        key = open_ethereum_key(keys.keystores["anchorer"], keys.password_file)
        (log,) = network.contracts_named(EVIDENCE_LOG)
        proof = consistency_path(OLD, NEW, lambda level, index: _root(entries[index << level : index + 1 << level]))
        for size, path in ((OLD, []), (NEW, proof)):
            data = contract(EVIDENCE_LOG).call_data("anchor", size, _root(entries[:size]), path)
            value = _gas(rpc, key, log.address, data)
        floor = _proofless(rpc, key, [(size, _root(entries[:size])) for size in (OLD, NEW)])
    return Row("anchor-gas", value, "gas", floor, value / floor, f"<= {MOST:,}", value <= MOST)


def _root(entries: list[bytes]) -> bytes:
    tree = Frontier()
    tree.extend(entries)
    return tree.root()


def _proofless(rpc: Rpc, key: EthereumKey, checkpoints: list[tuple[int, bytes]]) -> int:
    source = {"Proofless.sol": {"content": (Path(__file__).parent / "Proofless.sol").read_text()}}
    settings = {
        "evmVersion": "london",
        "optimizer": {"enabled": True, "runs": 200},
        "outputSelection": {"*": {"*": ["evm.bytecode.object"]}},
    }
    compiled = solcx.compile_standard(
        {"language": "Solidity", "sources": source, "settings": settings},
        solc_binary=str(ROOT / "hardhat-free-devnet" / "solc"),
    )
    code = bytes.fromhex(compiled["contracts"]["Proofless.sol"]["Proofless"]["evm"]["bytecode"]["object"])
    deployment = prepare(rpc, key, None, code, chain=chain_id(rpc), nonce=next_nonce(rpc, key.address))
    broadcast(rpc, deployment.raw)
    address = wait_mined(rpc, deployment.hash, 10).contract or b""
    selector = keccak256(b"anchor(uint64,bytes32)")[:4]
    used = [_gas(rpc, key, address, selector + encode(["uint64", "bytes32"], one)) for one in checkpoints]
    return used[-1]


def _gas(rpc: Rpc, key: EthereumKey, to: bytes, data: bytes) -> int:
    signed = prepare(rpc, key, to, data, chain=chain_id(rpc), nonce=next_nonce(rpc, key.address))
    broadcast(rpc, signed.raw)
    wait_mined(rpc, signed.hash, 10)
    return quantity(fields(rpc.call("eth_getTransactionReceipt", "0x" + signed.hash.hex()))["gasUsed"])
