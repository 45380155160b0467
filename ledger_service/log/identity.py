"""Who a log is: its name, the contract that anchors it, and the keys that speak for it. Secrets stay out of `repr`."""

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from anchors.notes import KeyType, Signer
from ledger_service.keys import EthereumKey


@dataclass(frozen=True, slots=True)
class LogIdentity:
    """One generation of a member's log, with the right to write it."""

    origin: str  # <alliance domain>/<chain id>/<member code>/<generation>
    member: int
    generation: int
    evidence_log: bytes  # address of the EvidenceLog contract, 20 bytes
    chain_id: int
    log_key: Ed25519PrivateKey = field(repr=False)
    receipt_key: EthereumKey = field(repr=False)
    period_secret: bytes = field(repr=False)  # 32 bytes

    def signer(self) -> Signer:
        """The log's key under the log's name, as its checkpoints are signed."""
        return Signer(self.origin, KeyType.ED25519, self.log_key.private_bytes_raw())
