"""Runs a member's service: the API with the log's writer, anchoring, the index, the asking of witnesses, and the
sending of what others signed, in one process or one each.

Each part gets the keys that it needs and no others. Parts that run in threads of their own are told to stop and
waited for; the API is stopped by SIGTERM or SIGINT.
"""

import gc
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from types import FrameType
from typing import TypeVar

import structlog
import uvicorn
from fastapi import APIRouter
from sqlalchemy import Engine

from anchors.errors import AnchorsError
from anchors.network import Member, Network, parse_network, prove_network
from anchors.notes import Policy
from ledger_service import conditions, logs
from ledger_service.anchoring.outbox import Outbox, Target
from ledger_service.anchoring.proofs import ProofCapture
from ledger_service.app import Parts, make_app
from ledger_service.chain.contracts import CREDIT_REGISTER, EVIDENCE_LOG, TENDER_REGISTER
from ledger_service.chain.finality import Finality
from ledger_service.chain.rpc import Rpc
from ledger_service.credit import rooms as credit_rooms
from ledger_service.credit.ground import CreditGround
from ledger_service.credit.rooms import CreditRooms
from ledger_service.credit.webhook_addresses import Reach
from ledger_service.database import open_engine
from ledger_service.errors import Misconfigured
from ledger_service.index.indexer import Followed, Indexer
from ledger_service.jobs import Job
from ledger_service.keys import open_ethereum_key, open_log_key, open_secret
from ledger_service.log.accept import EvidenceEndpoint
from ledger_service.log.api_keys import ApiKeys
from ledger_service.log.identity import LogIdentity
from ledger_service.log.past_periods import PastPeriods
from ledger_service.log.reader import LogReader
from ledger_service.log.routes import LogRoutes
from ledger_service.log.writer import LogWriter
from ledger_service.migrations import upgrade
from ledger_service.operations import routes as operations
from ledger_service.operations.acts import ActsByKind
from ledger_service.operations.desk import Desk
from ledger_service.operations.sending import Sending
from ledger_service.settings import Settings
from ledger_service.status.routes import Watched
from ledger_service.tenders import rooms as tender_rooms
from ledger_service.tenders.ground import TenderGround
from ledger_service.tenders.ocds import routes as ocds
from ledger_service.witness.cosigning import PARTS as PARTS_OF_WITNESSES
from ledger_service.witness.cosigning import Cosigning, places, read_policy
from ledger_service.witness.dating import PART as PART_OF_AUTHORITY
from ledger_service.witness.dating import Dating
from ledger_service.witness.kept import Kept
from ledger_service.witness.routes import WitnessRoutes
from ledger_service.witness.server import Witness, witness_name, witness_signers

log = structlog.get_logger(__name__)

PARTS = ("api", "anchor", "index", "witness", "send")
_Value = TypeVar("_Value")


def serve(settings: Settings, only: str | None) -> None:
    """Run the service, or one part of it, until it is told to stop.

    Args:
        settings: see `Settings`.
        only: one of PARTS; None for all.

    Raises:
        Misconfigured: a setting that the part needs is missing, or the network or policy file is not valid.
        KeyTrouble: a key cannot be opened, or is not the log's.
    """
    logs.for_machines()
    ground = _ground(settings)
    upgrade(ground.engine, settings.data_dir)
    wanted = PARTS if only is None else (only,)
    stop = threading.Event()
    jobs = [job for part in wanted for job in _JOBS[part](ground)]
    threads = [threading.Thread(target=_run, args=(job, stop, settings.poll_seconds), daemon=True) for job in jobs]
    gc.freeze()  # what stays for ever is no work for the collector, which a backfill keeps busy
    for thread in threads:
        thread.start()
    try:
        if "api" in wanted:
            _serve_api(ground)
        else:
            _wait_for_signal()
    finally:
        stop.set()
        for thread in threads:
            thread.join(timeout=30)


@dataclass(frozen=True, slots=True)
class _Ground:
    """What every part stands on."""

    settings: Settings
    network_file: bytes
    network: Network
    member: Member
    engine: Engine
    reader: LogReader

    @property
    def kept(self) -> Kept:
        """What was said of the log from outside."""
        return Kept(self.engine, self.settings.generation)

    @property
    def finality(self) -> Finality:
        """When the chain's blocks are final."""
        return Finality.pinned(self.network, self.settings.confirmations)

    @property
    def credit(self) -> CreditGround | None:
        """What the credit slice stands on; None where the network file has no credit contracts."""
        if not self.network.contracts_named(CREDIT_REGISTER):
            return None
        return CreditGround.pinned(self.engine, self.network, self.member, _now)

    @property
    def tenders(self) -> TenderGround | None:
        """What the tender slice stands on; None where the network file has no tender register."""
        if not self.network.contracts_named(TENDER_REGISTER):
            return None
        return TenderGround.pinned(self.engine, self.network, self.member, _now)

    @property
    def webhook_secret(self) -> bytes | None:
        """From which the secrets of webhooks are derived."""
        file = self.settings.webhook_secret_file
        return None if file is None else open_secret(file, _needed("PASSWORD_FILE", self.settings.password_file))

    def contract(self, name: str) -> bytes:
        """The address of a contract in force."""
        return next(pinned.address for pinned in self.network.contracts_named(name) if pinned.to_block is None)


def _ground(settings: Settings) -> _Ground:
    try:
        network_file = settings.network_file.read_bytes()
        network = parse_network(network_file)
        prove_network(network)
    except OSError as error:
        raise Misconfigured(f"BIDLEDGER_NETWORK_FILE {settings.network_file}: {error.strerror}") from error
    except AnchorsError as error:
        raise Misconfigured(f"BIDLEDGER_NETWORK_FILE {settings.network_file}: {error.diagnostics()}") from error
    member = next((one for one in network.members if one.code == settings.member), None)
    if member is None:
        raise Misconfigured(f"BIDLEDGER_MEMBER: the network file names no member {settings.member!r}")
    engine = open_engine(settings.database)
    reader = LogReader(engine, settings.data_dir, settings.generation, _now)
    return _Ground(settings, network_file, network, member, engine, reader)


def _run(job: Job, stop: threading.Event, poll_seconds: float) -> None:
    """Run a job; one that fails in a way that nobody foresaw ends the process, so that it is seen and started anew."""
    try:
        job.run(stop, poll_seconds)
    except BaseException:
        log.exception("part_failed", job=job.name)
        os.kill(os.getpid(), signal.SIGTERM)
        raise


def _now() -> datetime:
    return datetime.now(UTC)


def _anchor_jobs(ground: _Ground) -> list[Job]:
    settings = ground.settings
    password = _needed("PASSWORD_FILE", settings.password_file)
    key = open_ethereum_key(_needed("ANCHORER_KEYSTORE", settings.anchorer_keystore), password)
    target = Target(
        chain_id=ground.network.chain_id,
        evidence_log=ground.contract(EVIDENCE_LOG),
        member=ground.member.number,
        generation=settings.generation,
    )
    outbox = Outbox(ground.engine, ground.reader, Rpc(settings.rpc_url), target, key, _now)
    capture = ProofCapture(ground.engine, Rpc(settings.rpc_url), ground.member.number, ground.finality, _now)
    return [Job("anchoring", outbox.step), Job("capture", capture.step)]


def _index_jobs(ground: _Ground) -> list[Job]:
    followed = Followed.pinned(ground.network)
    indexer = Indexer(ground.engine, Rpc(ground.settings.rpc_url), followed, _now)
    return [Job("index_step", indexer.step, eager=True)]


def _witness_jobs(ground: _Ground) -> list[Job]:
    engine, reader, kept, settings = ground.engine, ground.reader, ground.kept, ground.settings
    for parts in (PARTS_OF_WITNESSES, PART_OF_AUTHORITY):
        conditions.clear_parts(engine, parts)  # who is not asked any more cannot clear what it is in
    policy = _policy(settings)
    asked = places(policy) if policy else []
    jobs = [Job("cosigning", Cosigning(engine, reader, kept, place, _now).step) for place in asked]
    if settings.timestamp_url is not None:
        jobs.append(Job("dating", Dating(engine, kept, settings.timestamp_url, _now).step))
    return jobs


def _send_jobs(ground: _Ground) -> list[Job]:
    credit, tenders, settings = ground.credit, ground.tenders, ground.settings
    acts = {**(credit_rooms.acts(credit) if credit else {}), **(tender_rooms.acts(tenders) if tenders else {})}
    jobs = []
    if settings.sender_keystore is not None:
        key = open_ethereum_key(settings.sender_keystore, _needed("PASSWORD_FILE", settings.password_file))
        rpc, chain = Rpc(settings.rpc_url), ground.network.chain_id
        room = Sending(ground.engine, rpc, chain, key, ActsByKind(acts), ground.finality, _now)
        jobs.append(Job("sending", room.step, eager=True))
    if credit is not None and (secret := ground.webhook_secret) is not None:
        reach = Reach.of(settings.webhook_networks)
        jobs.append(credit_rooms.delivering(credit, ground.finality, secret, reach))
    return jobs


_JOBS: dict[str, Callable[[_Ground], list[Job]]] = {
    "api": lambda _ground: [],
    "anchor": _anchor_jobs,
    "index": _index_jobs,
    "witness": _witness_jobs,
    "send": _send_jobs,
}


def _serve_api(ground: _Ground) -> None:
    settings = ground.settings
    api_keys = ApiKeys.read(settings.api_keys_file, settings.slots, settings.public_quota)
    identity = _identity(ground)
    writer = LogWriter(
        ground.engine,
        settings.data_dir,
        identity,
        slots=settings.slots,
        period_seconds=settings.period_seconds,
        anchor_within_seconds=settings.anchor_within_seconds,
        clock=_now,
    )
    parts = Parts(
        writer=writer,
        accept=EvidenceEndpoint(writer, api_keys),
        log_files=LogRoutes(settings.data_dir, settings.generation, ground.kept.cosigned),
        witness=WitnessRoutes(_witness(ground)),
        kept=ground.kept,
        watched=Watched(
            engine=ground.engine,
            reader=ground.reader,
            network=ground.network,
            member=ground.member.number,
            generation=settings.generation,
            finality=ground.finality,
            api_keys=api_keys,
            accepting=writer.is_running,
            witnessed=partial(ground.kept.last_witnessed, _policy(settings)),
            clock=_now,
        ),
        network_file=ground.network_file,
        credit=_credit_rooms(ground, writer, api_keys),
        routers=_routers(ground, writer, api_keys, identity),
    )
    writer.start()  # before the server, which would hide what a key that does not fit raises
    config = uvicorn.Config(
        make_app(parts),
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http="httptools",
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=10,
        server_header=False,
    )
    _Server(config, parts.credit).run()


class _Server(uvicorn.Server):
    """Ends the streams when it is told to stop, since it would wait for their connections."""

    def __init__(self, config: uvicorn.Config, credit: CreditRooms | None) -> None:
        super().__init__(config)
        self._credit = credit

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop; the name is the library's."""
        if self._credit is not None:
            self._credit.events.stop()
        super().handle_exit(sig, frame)


def _credit_rooms(ground: _Ground, writer: LogWriter, api_keys: ApiKeys) -> CreditRooms | None:
    if (credit := ground.credit) is None:
        return None
    reach = Reach.of(ground.settings.webhook_networks)
    rpc = Rpc(ground.settings.rpc_url)
    return credit_rooms.open_rooms(credit, rpc, ground.finality, writer, api_keys, ground.webhook_secret, reach)


def _routers(ground: _Ground, writer: LogWriter, api_keys: ApiKeys, identity: LogIdentity) -> list[APIRouter]:
    """The routes of tenders, and of what several people sign."""
    desk = Desk(ground.engine, ground.network, _now)
    found = [operations.routes(desk, api_keys)]
    if (tenders := ground.tenders) is not None:
        found += tender_rooms.open_rooms(
            tenders,
            Rpc(ground.settings.rpc_url),
            ground.finality,
            ground.reader,
            writer,
            identity.generation,
            identity.receipt_key,
            api_keys,
            PastPeriods(ground.engine, identity),
        )
        found.append(ocds.routes(tenders, ground.settings.ocds_prefix, ground.settings.public_url))
    return found


def _policy(settings: Settings) -> Policy | None:
    return read_policy(settings.witness_policy_file) if settings.witness_policy_file else None


def _witness(ground: _Ground) -> Witness | None:
    settings, member = ground.settings, ground.member
    if settings.witness_key_file is None:
        return None
    secret = open_secret(settings.witness_key_file, _needed("PASSWORD_FILE", settings.password_file))
    signers = witness_signers(witness_name(ground.network, member), secret)
    return Witness(ground.engine, ground.network, member, signers, _now)


def _identity(ground: _Ground) -> LogIdentity:
    settings = ground.settings
    password = _needed("PASSWORD_FILE", settings.password_file)
    identity = LogIdentity(
        origin=ground.network.origin(ground.member, settings.generation),
        member=ground.member.number,
        generation=settings.generation,
        evidence_log=ground.contract(EVIDENCE_LOG),
        chain_id=ground.network.chain_id,
        log_key=open_log_key(_needed("LOG_KEY_FILE", settings.log_key_file), password),
        receipt_key=open_ethereum_key(_needed("RECEIPT_KEYSTORE", settings.receipt_keystore), password),
        period_secret=open_secret(_needed("PERIOD_SECRET_FILE", settings.period_secret_file), password),
    )
    _check_registered(ground, identity)
    return identity


def _check_registered(ground: _Ground, identity: LogIdentity) -> None:
    """A key that readers do not know makes receipts and checkpoints that prove nothing."""
    vkeys = {key.vkey for key in ground.member.log_keys}
    if identity.signer().verifier.vkey not in vkeys:
        raise Misconfigured(
            f"BIDLEDGER_LOG_KEY_FILE holds a key that the network file does not list for {identity.origin}"
        )
    if identity.receipt_key.address not in {signer.address for signer in ground.member.receipt_signers}:
        raise Misconfigured(
            f"BIDLEDGER_RECEIPT_KEYSTORE: 0x{identity.receipt_key.address.hex()} is no receipt signer of "
            f"{ground.member.code} in the network file"
        )


def _needed(name: str, value: _Value | None) -> _Value:
    if value is None:
        raise Misconfigured(f"BIDLEDGER_{name} is not set; this part of the service needs it")
    return value


def _wait_for_signal() -> None:
    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: done.set())
    done.wait()
