"""The second act: a company is punished and cleared again, and everyone can prove what was so when.

Sichuan publishes a serious dishonesty that three other members endorse. Chongqing applies it; Guizhou, by its own
service, has opted out with a reason. A repair ends it for all at one block. What was told before, during and after is
asked of the API, and certificates of the record, of its end and of a clean company are proven offline.
"""

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx

from anchors.credit import Statement, read_catalogue
from anchors.credit.terms import day_at
from ledger_service.cli.console import say
from ledger_service.demo.members import FINAL_SECONDS, POLL_SECONDS, Alliance, Member, digest, write
from ledger_service.demo.processes import verdict_of
from ledger_service.errors import Unavailable

COMPANY: Final = "CN-USCC:915100002018088028"
CLEAN: Final = "CN-USCC:91110000600037341L"
ISSUER, APPLYING, OPTED_OUT = "sichuan", "chongqing", "guizhou"
ENDORSING: Final = ("chongqing", "yunnan", "shaanxi")
MEASURES: Final = (101, 201)  # announced; banned from government procurement
DECIDED_DAYS_AGO: Final = 400  # so that the least period, a year, is over
PUBLISHED_DAYS: Final = 700
FACTS: Final = "The bidder handed in a forged certificate of performance."
BASIS: Final = "政府采购法 77"


def tell(alliance: Alliance, where: Path) -> dict[str, Any]:
    """Play the act.

    Args:
        alliance: ISSUER and OPTED_OUT are served.
        where: where files go.

    Returns:
        What was told and proven, and `ok`: whether all of it is as it must be.
    """
    where.mkdir()
    issuer, network = alliance.members[ISSUER], alliance.network
    say(f"6. {ISSUER} punishes {COMPANY} for serious dishonesty; {', '.join(ENDORSING)} endorse it")
    before = _told(issuer)
    record = _publish(alliance, where)
    say(f"7. {OPTED_OUT} does not apply it, with a reason; {APPLYING} does, like all others")
    reason = write(where / "reason.txt", "The document was forged by a subcontractor; see file 2026-17.")
    other = alliance.members[OPTED_OUT]
    opted = other.ask("PUT", f"/v1/recognition/records/{record}", {"applied": False, "reason": digest(reason)})
    alliance.carry_out("credit", other, opted, [(OPTED_OUT, "credit-publisher"), (OPTED_OUT, "regulator")])
    during = _wait_for_index(issuer)
    certificates = [_certificate(issuer, COMPANY, where / "record.certificate.json")]
    certificates.append(_certificate(issuer, CLEAN, where / "clean.certificate.json"))
    say("8. the company puts the wrong right; the repair ends the record for all at one block")
    ended = _repair(alliance, record, where)
    certificates.append(_certificate(issuer, COMPANY, where / "end.certificate.json"))
    reads = _reads(issuer, before, during, ended)
    say("9. the certificates are proven offline, and one that leaves the record out is refuted")
    shown = [_verified(path, network) for path in certificates]
    refuted = _without_the_record(certificates[0], network, where / "forged.certificate.json")
    ok = [each["state"] for each in shown] == ["published", None, "repaired"] and refuted["step"] == "word"
    ok = ok and [each["applies"] for each in reads] == [False, True, False, False, False, True]
    return {
        "ok": ok,
        "subject": COMPANY,
        "record": record,
        "blocks": {"before": before, "during": during, "ended": ended},
        "reads": reads,
        "certificates": shown,
        "refuted": refuted,
    }


def _publish(alliance: Alliance, where: Path) -> str:
    """The name of the record, once it is final."""
    decision = write(where / "decision.txt", f"行政处罚决定书\n{COMPANY}\n{FACTS}\n{BASIS}\n")
    statement = Statement(FACTS, (BASIS,), read_catalogue().digest)
    decided = day_at(int(datetime.now(UTC).timestamp())) - timedelta(days=DECIDED_DAYS_AGO)
    content = {
        "subject": COMPANY,
        "kind": "serious",
        "decided_on": decided.isoformat(),
        "last_day": (decided + timedelta(days=PUBLISHED_DAYS)).isoformat(),
        "measures": list(MEASURES),
        "statement": "0x" + statement.digest().hex(),
        "document": digest(decision),
    }
    issuer = alliance.members[ISSUER]
    drawn_up = issuer.ask("POST", "/v1/credit/records", {"records": [content]})
    signers = [(ISSUER, "credit-publisher"), (ISSUER, "regulator"), *((code, "regulator") for code in ENDORSING)]
    done = alliance.carry_out("credit", issuer, drawn_up, signers)
    say(f"   record {done['records'][0]} is final in block {done['block']}")
    return str(done["records"][0])


def _repair(alliance: Alliance, record: str, where: Path) -> int:
    """The block from which on nobody applies it."""
    corrected = write(where / "correction.txt", "The contract was performed with the company's own means.")
    pledge = write(where / "pledge.txt", "信用承诺书\nWe hand in no forged papers.\n")
    asked = {"grounds": digest(corrected), "pledge": digest(pledge)}
    issuer = alliance.members[ISSUER]
    drawn_up = issuer.ask("POST", f"/v1/credit/records/{record}/repairs", asked)
    signers = [(ISSUER, "credit-publisher"), (ISSUER, "regulator")]
    return int(alliance.carry_out("credit", issuer, drawn_up, signers)["block"])


def _told(member: Member) -> int:
    """The last block of which the member's API tells now."""
    return int(member.ask("GET", f"/v1/subjects/{COMPANY}")["as_of"]["block"])


def _wait_for_index(issuer: Member) -> int:
    """The block as of which the issuer's API knows that Guizhou has opted out, final by then."""
    deadline = time.monotonic() + FINAL_SECONDS
    while True:
        told = issuer.ask("GET", f"/v1/subjects/{COMPANY}", ended="true", recognized_by=OPTED_OUT)
        if told["records"] and not told["records"][0]["applies"]:
            return int(told["as_of"]["block"])
        if time.monotonic() > deadline:
            raise Unavailable(f"the index does not tell that {OPTED_OUT} has opted out: {told}")
        time.sleep(POLL_SECONDS)


def _reads(issuer: Member, before: int, during: int, ended: int) -> list[dict[str, Any]]:
    """What was so when, and for whom."""
    asked = (
        *(("before", before, APPLYING), ("during", during, APPLYING), ("during", during, OPTED_OUT)),
        *(("after", ended, APPLYING), ("after", ended, ISSUER), ("one block before", ended - 1, APPLYING)),
    )
    reads = []
    for when, block, code in asked:
        told = issuer.ask("GET", f"/v1/subjects/{COMPANY}", as_of=str(block), recognized_by=code, ended="true")
        applies = any(record["applies"] for record in told["records"])
        why = [rule["rule"] for record in told["records"] for rule in record["why"]]
        say(f"   as of block {block} ({when}): {code} {'applies it' if applies else 'applies nothing'}")
        reads.append({"when": when, "block": block, "recognized_by": code, "applies": applies, "why": why})
    return reads


def _certificate(member: Member, subject: str, path: Path) -> Path:
    """Fetch a certificate once a block is final in which the record stands as it does now."""
    answer = httpx.get(f"{member.url}/v1/subjects/{subject}/certificate", timeout=20)
    if not answer.is_success:
        raise Unavailable(f"no certificate of {subject}: {answer.text}")
    path.write_bytes(answer.content)
    return path


def _verified(path: Path, network: Path) -> dict[str, Any]:
    verdict = verdict_of("verify-certificate", path, "--network", network)
    records = [record for subject in verdict["subjects"] for record in subject["records"]]
    state = records[0]["state"] if records else None
    said = f"the record is {state}" if state else "no record, ever"
    say(f"   {path.name}: {verdict['verdict']} at block {verdict['block_number']}, {said}")
    return {
        "file": str(path),
        "verdict": verdict["verdict"],
        "sealed": verdict["sealed"],
        "block_number": verdict["block_number"],
        "state": state,
    }


def _without_the_record(certificate: Path, network: Path, forged: Path) -> dict[str, Any]:
    content = json.loads(certificate.read_bytes())
    (about,) = content["subjects"]
    about["events"] = [[] for _ in about["events"]]
    forged.write_text(json.dumps(content), encoding="utf-8")
    verdict = verdict_of("verify-certificate", forged, "--network", network)
    step = next((each["step"] for each in verdict["steps"] if not each["ok"]), None)
    say(f"   {forged.name}: {verdict['verdict']} at {step}")
    return {"changed": "record left out", "step": step}
