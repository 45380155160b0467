"""`scripts/bench`: runs the measurements and prints a table; `--json FILE` writes the same rows.

Exit 0 when every row reaches what it must, 1 otherwise.
"""

import argparse
import json
import logging
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import structlog

import accept
import backfill
import credit_gas
import credit_index
import credit_reads
import credit_screening
import draw
import gas
import sealed_chain
import tender_gas
import tree
import verification
from row import Row

MEASUREMENTS: Mapping[str, Callable[[], Row]] = {
    "anchor-gas": gas.anchor,
    "credit-first-gas": credit_gas.first,
    "credit-next-gas": credit_gas.further,
    "credit-sign-gas": credit_gas.signature,
    "credit-change-gas": credit_gas.change,
    "credit-batch-gas": credit_gas.batch,
    "credit-index": credit_index.index,
    "credit-subject": credit_reads.subject,
    "credit-screening": credit_screening.screening,
    "tender-opening-gas": tender_gas.opening,
    "tender-claim-gas": tender_gas.claim,
    "draw-replay": draw.replay,
    "tree-append": tree.append,
    "accept-bulk": accept.bulk,
    "accept-single": accept.single,
    "backfill": backfill.backfill,
    "verify-start": verification.verify,
    "verify-sealed": verification.sealed,
    "verify-many": verification.many,
    "certificate-size": verification.certificate_size,
    "certificate-start": verification.certificate,
    "certificate-many": verification.certificate_of_many,
    "clique-final": sealed_chain.final,
    "clique-13-anchors": sealed_chain.anchors,
}


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="scripts/bench")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows as JSON")
    parser.add_argument("names", nargs="*", help=f"rows to measure: {', '.join(MEASUREMENTS)}; none is all")
    asked = parser.parse_args()
    unknown = [name for name in asked.names if name not in MEASUREMENTS]
    if unknown:
        parser.error(f"there is no row {unknown[0]!r}; the rows are {', '.join(MEASUREMENTS)}")
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    rows = []
    print(f"{'name':<17} {'value':>12} {'floor':>12} {'ratio':>7}  reach", flush=True)
    for name in asked.names or MEASUREMENTS:
        print(f"measuring {name}", file=sys.stderr, flush=True)
        rows.append(MEASUREMENTS[name]())
        print(rows[-1], flush=True)
    if asked.json:
        asked.json.write_text(json.dumps({"rows": [row.as_json() for row in rows]}, indent=2) + "\n")
    return 0 if all(row.ok for row in rows) else 1


sys.exit(main())
