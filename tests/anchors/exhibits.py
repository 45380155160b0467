"""A whole exhibit from a real chain: a document, its evidence file and the network file, as a reader holds them."""

import dataclasses
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conftest import Node
from eth_abi.abi import encode
from sealed_headers import address, key

from anchors.chain import rlp
from anchors.chain.header import DEVELOPMENT, header_of_block
from anchors.chain.keccak import keccak256
from anchors.chain.receipts import receipt_key, receipts_trie
from anchors.chain.signatures import sign_digest
from anchors.commitment import Digests, Kind, Statement, commit, digest_document
from anchors.evidence import Anchor, EvidenceFile, Place, write_evidence
from anchors.merkle import Levels
from anchors.network import (
    FORMAT,
    Contract,
    Governor,
    LogKey,
    Member,
    Network,
    ReceiptSigner,
    sign_network,
    write_network,
)
from anchors.notes import Checkpoint, KeyType, Signer, TlogProof, sign_checkpoint
from anchors.receipt import Receipt, batch_entry, batch_tree
from anchors.subjects import Subject

ARTIFACTS = Path(__file__).parents[2] / "ledger_service" / "chain" / "artifacts"
CODES = (
    "chongqing",
    "sichuan",
    "guizhou",
    "yunnan",
    "tibet",
    "shaanxi",
    "gansu",
    "qinghai",
    "ningxia",
    "xinjiang",
    "innermongolia",
    "guangxi",
    "xpcc",
)
DOMAIN = "west.example"
CHAIN_ID = 31337
MEMBER = 2
LEAVES = 64
INDEX = 37
ACCEPTED_AT = 1_795_000_000
DOCUMENT = "投标文件：第七标段，报价 1,234,567.89 元\n".encode()


def log_signer(code: str, generation: int = 0) -> Signer:
    """The key of a member's log."""
    origin = f"{DOMAIN}/{CHAIN_ID}/{code}/{generation}"
    return Signer(origin, KeyType.ED25519, key(origin))


@dataclass(frozen=True)
class Exhibit:
    """What a reader holds, and the facts that it was made of, to make others of."""

    document: Digests
    statement: Statement
    receipt: Receipt
    proof: TlogProof
    anchor: Anchor
    network: Network
    receipts: list[dict[str, Any]]  # all of the anchor's block, as the node gave them

    @property
    def evidence(self) -> bytes:
        """The evidence file."""
        return self.evidence_with()

    def evidence_with(self, **sections: Any) -> bytes:
        """The evidence file with some sections replaced by other JSON values."""
        proof = {"tlog_proof": self.proof.encode().decode(), "anchor": self.anchor.to_json(), "finality": None}
        file = EvidenceFile.assemble(self.statement, self.receipt, proof)
        return write_evidence(EvidenceFile(dict(file.sections) | sections))

    @property
    def network_file(self) -> bytes:
        """The network file, signed."""
        return write_network(self.network)


def governed(network: Network) -> Network:
    """The network file signed by nine of thirteen governors."""
    return sign_network(
        dataclasses.replace(network, signatures=()),
        {address(f"{code} governor"): key(f"{code} governor") for code in CODES[:9]},
    )


def make_exhibit(node: Node) -> Exhibit:
    """Found an alliance on a chain, log a document, anchor the log."""
    contracts = _deploy(node)
    document = digest_document(io.BytesIO(DOCUMENT))
    statement = Statement(
        kind=Kind.BID_DOCUMENT,
        tender="2026-川-0042",
        party=Subject.parse("CN-USCC:91510000201837253E"),
        holder=address("bidder"),
        sha256=document.sha256,
        sm3=document.sm3,
        extra={"lot": 7},
        salt=key("salt"),
    )
    commitments = [key(f"filler {number}") for number in range(LEAVES)]
    commitments[INDEX] = commit(statement)
    tree = Levels.over(commitments)
    checkpoint = Checkpoint(log_signer(CODES[MEMBER - 1]).verifier.name, LEAVES, tree.root)
    note = sign_checkpoint(checkpoint, log_signer(CODES[MEMBER - 1]))
    anchor, receipts = _anchor(node, contracts[0], tree.root)
    return Exhibit(
        document=document,
        statement=statement,
        receipt=_receipt(commitments[INDEX], contracts[0].address),
        proof=TlogProof.of(INDEX, tuple(tree.path(INDEX)), note),
        anchor=anchor,
        network=governed(_network(node, contracts)),
        receipts=receipts,
    )


def _deploy(node: Node) -> tuple[Contract, Contract]:
    """The registry, naming the log beforehand, and the log; the anchorer is an account that the node signs for."""
    deployer, anchorer = node.rpc("eth_accounts")[:2]
    nonce = int(node.rpc("eth_getTransactionCount", deployer, "latest"), 16)
    log = keccak256(rlp.encode([bytes.fromhex(deployer[2:]), rlp.from_uint(nonce + 1)]))[12:]
    members = [
        (
            code.encode().ljust(32, b"\0"),
            code.title(),
            log_signer(code).verifier.public_key,
            [
                (address(f"{code} governor"), 0),
                (bytes.fromhex(anchorer[2:]) if number == MEMBER else address(f"{code} anchorer"), 1),
                (address(f"{code} receipt signer"), 2),
            ],
        )
        for number, code in enumerate(CODES, start=1)
    ]
    founding = encode(
        ["(bytes32,string,bytes32,(address,uint8)[])[]", "(bytes32,uint256)[]", "(bytes32,address)[]"],
        [members, [], [(b"EvidenceLog".ljust(32, b"\0"), log)]],
    )
    registry = _contract(node, "AllianceRegistry", founding)
    evidence_log = _contract(node, "EvidenceLog", encode(["address"], [registry.address]))
    assert evidence_log.address == log
    return evidence_log, registry


def _contract(node: Node, name: str, arguments: bytes) -> Contract:
    code = json.loads((ARTIFACTS / f"{name}.json").read_bytes())["bytecode"].removeprefix("0x")
    receipt = node.receipt(node.send(None, "0x" + code + arguments.hex(), gas=hex(15_000_000)))
    deployed = bytes.fromhex(node.rpc("eth_getCode", receipt["contractAddress"], "latest")[2:])
    return Contract(
        name, bytes.fromhex(receipt["contractAddress"][2:]), keccak256(deployed), int(receipt["blockNumber"], 16), None
    )


def _anchor(node: Node, log: Contract, root: bytes) -> tuple[Anchor, list[dict[str, Any]]]:
    call = keccak256(b"anchor(uint64,bytes32,bytes32[])")[:4] + encode(
        ["uint64", "bytes32", "bytes32[]"], [LEAVES, root, []]
    )
    anchorer = node.rpc("eth_accounts")[1]
    sent = node.in_one_block(
        [
            {"data": "0x00"},
            {"from": anchorer, "to": "0x" + log.address.hex(), "data": "0x" + call.hex()},
            {"data": "0x00"},
        ]
    )
    block = node.rpc("eth_getBlockByNumber", node.receipt(sent[1])["blockNumber"], False)
    receipts = node.block_receipts(block)
    trie = receipts_trie(receipts)
    header = header_of_block(block, DEVELOPMENT)
    assert trie.root == header.receipts_root
    index = block["transactions"].index(sent[1])
    return Anchor(header.raw, tuple(trie.prove(receipt_key(index))), Place(index, 0)), receipts


def _receipt(commitment: bytes, log: bytes) -> Receipt:
    batch = batch_tree([batch_entry(INDEX, commitment), batch_entry(INDEX + 1, key("another"))])
    unsigned = Receipt(
        commitment=commitment,
        index=INDEX,
        member=MEMBER,
        generation=0,
        log=log,
        root=batch.root,
        count=batch.size,
        position=0,
        path=tuple(batch.path(0)),
        accepted_at=ACCEPTED_AT,
        anchor_by=ACCEPTED_AT + 3600,
        signature=bytes(65),
    )
    return signed(unsigned, f"{CODES[MEMBER - 1]} receipt signer")


def signed(receipt: Receipt, signer: str) -> Receipt:
    """The receipt with its batch signed by another person."""
    return dataclasses.replace(receipt, signature=sign_digest(key(signer), receipt.batch().digest(CHAIN_ID)))


def _network(node: Node, contracts: tuple[Contract, Contract]) -> Network:
    return Network(
        format=FORMAT,
        alliance="西部公共资源交易联盟",
        domain=DOMAIN,
        version=1,
        chain_id=CHAIN_ID,
        genesis_hash=bytes.fromhex(node.rpc("eth_getBlockByNumber", "0x0", False)["hash"][2:]),
        consensus="development",
        validators=(),
        contracts=contracts,
        members=tuple(
            Member(
                number,
                code,
                code.title(),
                (LogKey(0, log_signer(code).verifier.vkey, 0, None),),
                (ReceiptSigner(address(f"{code} receipt signer"), ACCEPTED_AT - 1000, None),),
            )
            for number, code in enumerate(CODES, start=1)
        ),
        governors=tuple(
            Governor(number, address(f"{code} governor"), 0, None) for number, code in enumerate(CODES, start=1)
        ),
        threshold=9,
        signatures=(),
    )
