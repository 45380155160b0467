"""The exhibit on networks whose validators seal: the same receipts, in a block of theirs."""

import dataclasses
from collections.abc import Sequence
from typing import Any

from exhibits import Exhibit, governed
from sealed_headers import NAMES, BftBlock, clique_chain, pin

from anchors.chain.header import DEVELOPMENT, decode_header
from anchors.evidence import Finality
from anchors.verify import Verdict, verify

BFT = ("qbft", "ibft2")
FOUR = NAMES[:4]


@dataclasses.dataclass(frozen=True)
class Sealing:
    """The exhibit, and a network of four validators."""

    exhibit: Exhibit
    consensus: str

    @property
    def network_file(self) -> bytes:
        """The network file, signed."""
        network = dataclasses.replace(self.exhibit.network, consensus=self.consensus, validators=(pin(FOUR),))
        return dataclasses.replace(self.exhibit, network=governed(network)).network_file

    def block(self, listed: Sequence[str] = FOUR) -> BftBlock:
        """The anchor's block under BFT, listing these validators."""
        header = decode_header(self.exhibit.anchor.header, DEVELOPMENT)
        return BftBlock(self.consensus, listed, header.number).changed(5, header.receipts_root)

    def chain(self, length: int) -> list[bytes]:
        """The headers of the anchor's block under Clique and of those after it, each by the signer in turn."""
        header = decode_header(self.exhibit.anchor.header, DEVELOPMENT)
        by = [FOUR[(header.number + at) % 4] for at in range(length)]
        return [block.raw for block in clique_chain(FOUR, header.number, by, ((5, header.receipts_root),))]

    def sealed(self) -> tuple[bytes, list[bytes] | None]:
        """A header with what just makes it sealed."""
        if self.consensus == "clique":
            header, *later = self.chain(4)
            return header, later
        return self.block().raw(FOUR[:3]), None

    def evidence(self, header: bytes, finality: Any) -> bytes:
        """The evidence file with another header and finality part, a JSON value."""
        anchor = dataclasses.replace(self.exhibit.anchor, header=header).to_json()
        return self.exhibit.evidence_with(anchor=anchor, finality=finality)

    def judge(self, header: bytes, headers: Sequence[bytes] | None, require: str | None = None) -> Verdict:
        """The verdict on a header with these in the finality part, or without one."""
        return self.judge_part(header, None if headers is None else Finality(tuple(headers)).to_json(), require)

    def judge_part(self, header: bytes, finality: Any, require: str | None = None) -> Verdict:
        """The verdict on a header and a finality part of any form."""
        return verify(self.exhibit.document, self.evidence(header, finality), self.network_file, require)
