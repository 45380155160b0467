"""Prints a tender notice from an OCDS release package as a PDF, the kind of file that bidders really submit."""

import json
from pathlib import Path

from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import getSampleStyleSheet
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table


def print_notice(package: Path, out: Path) -> None:
    """Print the first release of `package` to `out`; the same package gives the same bytes.

    Args:
        package: an OCDS 1.1 release package with a tender section.
        out: where the PDF goes.
    """
    release = json.loads(package.read_text(encoding="utf-8"))["releases"][0]
    tender = release["tender"]
    styles = getSampleStyleSheet()
    story: list[Flowable] = [
        Paragraph(tender["title"], styles["Title"]),
        Paragraph(tender.get("description", ""), styles["BodyText"]),
        Spacer(1, 12),
        Table([[name, value] for name, value in _facts(release)]),
        Spacer(1, 12),
    ]
    story += [
        Paragraph(f"{item['quantity']} {item['unit']['name']}: {item['description']}", styles["BodyText"])
        for item in tender.get("items", [])
    ]
    # invariant: no time of printing in the file, so that its digest can be compared between runs
    SimpleDocTemplate(str(out), pagesize=A4, title=tender["title"], invariant=1).build(story)


def _facts(release: dict[str, dict[str, dict[str, str]]]) -> list[tuple[str, str]]:
    tender = release["tender"]
    value = tender["value"]
    return [
        ("Process", str(release["ocid"])),
        ("Procuring entity", str(tender["procuringEntity"]["name"])),
        ("Value", f"{value['amount']} {value['currency']}"),
        ("Tender closes", str(tender["tenderPeriod"]["endDate"])),
    ]
