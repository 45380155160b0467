"""The settings of one running service, read once at the entry point from `BIDLEDGER_*` and handed on.

Secrets are named by file only: a keystore beside its password file, never a key or a password in the environment.
Nothing here opens a file or a connection; a wrong value is refused when the settings are made, with its name.
"""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from ledger_service.errors import Misconfigured

Seconds = Annotated[float, Field(gt=0)]


class Settings(BaseSettings):
    """What a member's service needs to know; every field is `BIDLEDGER_<NAME>` in the environment."""

    model_config = SettingsConfigDict(env_prefix="BIDLEDGER_", extra="forbid")

    data_dir: Path = Path("bidledger-data")
    """Holds the tiles, the published checkpoint and, by default, the database."""
    database_url: str | None = None
    """SQLAlchemy URL; None is a SQLite file in `data_dir`."""
    rpc_url: str = "http://127.0.0.1:8545"
    """JSON-RPC of a node of the alliance's chain."""
    network_file: Path = Path("network.json")
    member: str = "sichuan"
    """Code of the member this service writes for."""
    generation: Annotated[int, Field(ge=0, lt=2**32)] = 0
    """Generation of the member's log."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, lt=65536)] = 8600

    slots: Annotated[int, Field(ge=0, le=65536)] = 64
    """Entries of every period, one of which commits to the next period's key; 0 is the compact mode."""
    period_seconds: Seconds = 60.0
    anchor_within_seconds: Annotated[int, Field(gt=0)] = 24 * 3600
    """What a receipt promises: anchored at most this long after it was accepted."""
    public_quota: Annotated[int, Field(ge=0)] | None = None
    """Entries a period for requests without an API key; None is all that the keys leave, 0 refuses such requests."""
    api_keys_file: Path | None = None
    """JSON list of {"id", "sha256", "scopes", "quota"}; the key itself is with its user only."""

    log_key_file: Path | None = None
    """Ed25519 key of the log, encrypted PKCS #8 PEM."""
    period_secret_file: Path | None = None
    """32 bytes from which every period's key is derived, encrypted like the log key is (see `ledger_service.keys`)."""
    receipt_keystore: Path | None = None
    anchorer_keystore: Path | None = None
    sender_keystore: Path | None = None
    """Sends what others have signed. It needs no role and no funds, and nothing else sends with it; None sends none."""
    webhook_secret_file: Path | None = None
    """32 bytes from which the secret of every webhook is derived, encrypted like the period secret; None sends none."""
    webhook_networks: list[str] = []
    """Networks that are not public and to which webhooks may go all the same, such as 10.20.0.0/16."""
    password_file: Path | None = None
    """Opens all of them."""

    witness_policy_file: Path | None = None
    """The witnesses that are asked to cosign, and their quorum, as C2SP tlog-policy writes it; None asks nobody."""
    witness_key_file: Path | None = None
    """32 bytes of which the keys are made by which this service cosigns for other members, encrypted like the period
    secret; None is no witness."""
    timestamp_url: Annotated[str, Field(pattern=r"^https?://")] | None = None
    """RFC 3161 authority that dates every checkpoint; None dates none."""

    ocds_prefix: Annotated[str, Field(pattern=r"^ocds-[a-z0-9]{6}$")] | None = None
    """The alliance's prefix of open contracting ids, registered with the Open Contracting Partnership."""
    public_url: Annotated[str, Field(pattern=r"^https?://[!-~]{1,500}$")] | None = None
    """The API's address as others reach it, which packages of open contracting data name; None is as a request names
    it."""

    confirmations: Annotated[int, Field(ge=0)] = 2
    """Blocks on top of one before a development chain's block is called final."""
    poll_seconds: Seconds = 0.5
    """How often anchoring, indexing and witnessing look for work."""

    @model_validator(mode="after")
    def _slots_leave_room(self) -> Self:
        if self.slots == 1:
            raise ValueError(
                "slots: 1 leaves no room beside the commitment to the next period's key; take 0 or at least 2"
            )
        return self

    @property
    def database(self) -> str:
        """The database's URL with its default filled in."""
        return self.database_url or f"sqlite:///{self.data_dir / 'bidledger.sqlite'}"


def read_settings() -> Settings:
    """Make the settings from the environment.

    Raises:
        Misconfigured: a value is not allowed; the error names the variable.
    """
    try:
        return Settings()
    except ValidationError as error:
        wrong = "; ".join(
            f"BIDLEDGER_{str(fault['loc'][0]).upper() if fault['loc'] else '*'}: {fault['msg']}"
            for fault in error.errors(include_input=False)
        )
        raise Misconfigured(f"settings: {wrong}") from error
