"""The files of documents are what their releases state, or the act is refused."""

from datetime import UTC, datetime, timedelta
from hashlib import md5, sha256
from pathlib import Path

import pytest
from published import package, release

from ledger_service.errors import NotFound
from ledger_service.tenders.ocds.documents import with_files
from ledger_service.tenders.ocds.package import read_package
from ledger_service.tenders.ocds.plan import Given, Step
from ledger_service.tenders.ocds.planning import make_plans

NOW = datetime(2010, 3, 1, tzinfo=UTC)
GIVEN = Given(host="sichuan", members=("sichuan",), answer_days=5, opens_after=timedelta(0))
FILE = "招标文件".encode()


def looked_at(folder: Path, **document: object) -> Step:
    """The notice of a tender with one document, held against a folder."""
    listed = [{"id": "d1", "url": "https://data.example/files/%E6%8B%9B%E6%A0%87.pdf"} | document]
    tender = {"id": "t", "tenderPeriod": {"endDate": "2010-04-01T18:00:00Z"}, "documents": listed}
    published = package(release("1", "2010-03-02T00:00:00Z", ["tender"], tender=tender))
    (plan,) = make_plans([read_package(published)], GIVEN, NOW)
    (step,) = with_files(plan, folder).steps
    return step


@pytest.mark.parametrize("name", ["招标.pdf", "d1"])
def test_a_file_is_known_by_its_documents_url_or_id(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(FILE)
    for stated in (f"sha256:{sha256(FILE).hexdigest()}", f"md5:{md5(FILE).hexdigest().upper()}", None):  # noqa: S324
        step = looked_at(tmp_path, hash=stated)
        assert step.obstacles == ()
        assert step.documents[0].file == sha256(FILE).digest()
    assert step.as_json()["documents"][0]["sha256"] == f"0x{sha256(FILE).hexdigest()}"  # type: ignore[index]


@pytest.mark.parametrize(
    ("stated", "why"),
    [
        (f"sha256:{sha256(b'another').hexdigest()}", "is not that of the file 招标.pdf"),
        ("sha256:00", "is no hash"),
        ("crc32:00000000", "is no hash"),
        (f"sha256:{'0' * 63}", "is not that of the file"),
    ],
)
def test_a_document_whose_bytes_differ_is_refused_at_its_place(tmp_path: Path, stated: str, why: str) -> None:
    (tmp_path / "招标.pdf").write_bytes(FILE)
    (obstacle,) = looked_at(tmp_path, hash=stated).obstacles
    assert (obstacle.problem, obstacle.where) == (
        "document-differs",
        "package.releases[0].tender.documents[0].hash",
    )
    assert why in obstacle.what


def test_a_stated_hash_needs_its_file(tmp_path: Path) -> None:
    (obstacle,) = looked_at(tmp_path, hash=f"sha256:{sha256(FILE).hexdigest()}").obstacles
    assert "not in the folder" in obstacle.what
    assert looked_at(tmp_path).obstacles == ()


def test_a_file_outside_the_folder_is_none(tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(FILE)
    inside = tmp_path / "inside"
    inside.mkdir()
    for document in ({"id": "../secret", "url": None}, {"url": "https://x/..%2Fsecret"}, {"url": "http://["}):
        assert looked_at(inside, **document).documents[0].file is None


def test_the_folder_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(NotFound):
        looked_at(tmp_path / "none")
