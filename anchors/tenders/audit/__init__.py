"""The audit of a tender, offline: its whole life from one file, each rule kept or broken with its article.

`file` and `writing` are the format, `events` reads what the register logged, `story` puts it together, `state` holds it
against the register's storage, `leaves` names what a host's log hides; `verdict` is the ordered verifier, `rules` and
`bidders` what it finds.
"""

from anchors.tenders.audit.file import (
    FORMAT,
    MAX_AUDIT_BYTES,
    AuditFile,
    FinalState,
    ProvenLog,
    SignedReceipt,
    SignedReplacement,
)
from anchors.tenders.audit.leaves import Leaf, LogPart, PeriodLeaves, range_path
from anchors.tenders.audit.outcome import Finding, Rule
from anchors.tenders.audit.rules import RULES
from anchors.tenders.audit.state import audit_slots
from anchors.tenders.audit.verdict import STEPS, AuditVerdict, audit
from anchors.tenders.audit.writing import write_audit

__all__ = [
    "FORMAT",
    "MAX_AUDIT_BYTES",
    "RULES",
    "STEPS",
    "AuditFile",
    "AuditVerdict",
    "FinalState",
    "Finding",
    "Leaf",
    "LogPart",
    "PeriodLeaves",
    "ProvenLog",
    "Rule",
    "SignedReceipt",
    "SignedReplacement",
    "audit",
    "audit_slots",
    "range_path",
    "write_audit",
]
