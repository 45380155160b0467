"""Names suggest identifiers: in Chinese, by sound, by first letters, with slips; and a name is never a hit."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import httpx
import pytest
from serving import application, serving
from sqlalchemy import Engine
from sqlmodel import Session, select

from ledger_service.credit import name_search, names
from ledger_service.credit.name_routes import MAX_BODY_BYTES, routes
from ledger_service.credit.name_search import CUT_OFF, NameSearch
from ledger_service.credit.names import CreditName, Named, give_names, search_forms
from ledger_service.errors import Unavailable
from ledger_service.log.api_keys import ApiKeys, KeyEntry, Scope

NOW = datetime(2026, 6, 1, 8, tzinfo=UTC)
PETROCHINA = "CN-USCC:91110000100010433L"
NAMES = {
    "GB-COH:00000001": "四川华西建设集团有限公司",
    "GB-COH:00000002": "四川华西建设集团股份有限公司",
    "GB-COH:00000003": "重庆银行股份有限公司",
    "GB-COH:00000004": "成都绿地园林绿化工程有限责任公司",
    "GB-COH:00000005": "贵州茅台酒厂（集团）有限责任公司",
    "GB-COH:00000006": "TCL科技集团股份有限公司",
    "GB-COH:00000007": "Siemens (China) Co., Ltd.",
    "GB-COH:00000008": "西藏天路股份有限公司",
    PETROCHINA: "中国石油天然气集团有限公司",
}
Suggest = Callable[..., list[dict[str, Any]]]


def keys() -> ApiKeys:
    entries = [
        KeyEntry(id=name, sha256=sha256(f"{name}-key".encode()).hexdigest(), scopes=frozenset({scope}), quota=1)
        for name, scope in (("registry", Scope.CREDIT), ("bidder", Scope.SUBMIT))
    ]
    return ApiKeys(entries, slots=0, public_quota=None)


def bearer(name: str) -> dict[str, str]:
    return {"authorization": f"Bearer {name}-key"}


def body(given: dict[str, str]) -> dict[str, object]:
    return {"names": [{"subject": subject, "name": name} for subject, name in given.items()]}


@pytest.fixture
def client(engine: Engine) -> Iterator[httpx.Client]:
    with serving(application(routes(engine, keys(), lambda: NOW))) as client:
        yield client


@pytest.fixture
def give(client: httpx.Client) -> Callable[[dict[str, str]], httpx.Response]:
    return lambda given: client.post("/v1/names", json=body(given), headers=bearer("registry"))


@pytest.fixture
def suggest(client: httpx.Client) -> Suggest:
    def ask(q: str, **parameters: int) -> list[dict[str, Any]]:
        answer = client.get("/v1/names", params={"q": q, **parameters})
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["suggestions"]
        return found

    return ask


@pytest.fixture
def known(give: Callable[[dict[str, str]], httpx.Response]) -> None:
    answer = give(NAMES)
    assert (answer.status_code, answer.json()) == (200, {"new": len(NAMES)})


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(
    ("asked", "subject", "by"),
    [
        ("重庆银行股份有限公司", "GB-COH:00000003", "name"),
        ("重庆银行", "GB-COH:00000003", "name"),
        ("茅台酒厂", "GB-COH:00000005", "name"),  # a part
        ("贵州茅台酒厂(集团)有限责任公司", "GB-COH:00000005", "name"),  # other brackets
        ("成都绿地国林绿化工程", "GB-COH:00000004", "name"),  # a slip
        ("成都绿地圆林绿化工程", "GB-COH:00000004", "pinyin"),  # one that sounds the same
        ("重慶銀行", "GB-COH:00000003", "pinyin"),  # as it is written elsewhere
        ("虫情音行", "GB-COH:00000003", "pinyin"),  # the wrong characters for the sound
        ("chongqingyinhang", "GB-COH:00000003", "pinyin"),
        ("Chong Qing Yin Hang", "GB-COH:00000003", "pinyin"),
        ("chóngqìng yínháng gǔfèn yǒuxiàn gōngsī", "GB-COH:00000003", "pinyin"),
        ("chonqing yihang", "GB-COH:00000003", "pinyin"),  # two slips
        ("chengdu lüdi yuanlin lvhua gongcheng", "GB-COH:00000004", "pinyin"),
        ("maotaijiuchang", "GB-COH:00000005", "pinyin"),
        ("cqyh", "GB-COH:00000003", "initials"),
        ("CQYHGFYXGS", "GB-COH:00000003", "initials"),
        ("cdldyllgc", "GB-COH:00000004", "initials"),  # one left out
        ("tclkj", "GB-COH:00000006", "initials"),
        ("ＴＣＬ科技集团", "GB-COH:00000006", "name"),  # full width
        ("siemens china", "GB-COH:00000007", "name"),
        ("Simens China Ltd", "GB-COH:00000007", "name"),
    ],
)
def test_a_name_is_found(suggest: Suggest, asked: str, subject: str, by: str) -> None:
    best = suggest(asked)[0]
    assert (best["subject"], best["name"], best["by"]) == (subject, NAMES[subject], by)
    assert CUT_OFF <= best["score"] <= 100


@pytest.mark.usefixtures("known")
def test_the_legal_form_weighs_less_than_anything_else(suggest: Suggest) -> None:
    for form, first in (("有限公司", "GB-COH:00000001"), ("股份有限公司", "GB-COH:00000002")):
        right, other = suggest(f"四川华西建设集团{form}")[:2]
        assert (right["subject"], right["score"]) == (first, 100)
        assert 95 < other["score"] < 100
    assert [one["score"] for one in suggest("四川华西建设集团")[:2]] == [100, 100]
    assert suggest("四川华四建设集团有限公司")[0]["score"] < 95
    assert suggest("有限公司") == suggest("股份有限公司") == suggest("yxgs") == []


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(
    "asked", ["云南白药", "zzzz", "天津港务", "qwertyuiop", "四川" * 50, "。", " ", "🙂", "ཨ", "\ufffd"]
)
def test_nothing_is_suggested_below_the_cut_off(suggest: Suggest, asked: str) -> None:
    assert suggest(asked) == []


@pytest.mark.usefixtures("known")
def test_suggestions_are_few_and_the_best_first(suggest: Suggest) -> None:
    scores = [one["score"] for one in suggest("四川华西建设", limit=50)]
    assert scores == sorted(scores, reverse=True)
    assert len(suggest("四川华西建设", limit=1)) == 1
    assert all(score >= CUT_OFF for score in scores)


@pytest.mark.usefixtures("known")
def test_every_answer_says_that_it_is_no_hit(client: httpx.Client) -> None:
    for asked in ("重庆银行", "nothing like it", PETROCHINA):
        answer = client.get("/v1/names", params={"q": asked}).json()
        assert set(answer) == {"notice", "identifier", "suggestions"}
        assert "建议" in answer["notice"]["zh"]
        assert "no hits" in answer["notice"]["en"]


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize(
    "asked", [PETROCHINA, "91110000100010433L", " cn-uscc:91110000100010433l", "９１110000100010433L"]
)
def test_an_identifier_is_named_and_matches_no_name(client: httpx.Client, asked: str) -> None:
    answer = client.get("/v1/names", params={"q": asked}).json()
    assert (answer["identifier"], answer["suggestions"]) == (PETROCHINA, [])


@pytest.mark.usefixtures("known")
@pytest.mark.parametrize("asked", ["91110000100010434L", "CN-USCC:91110000100010433", "CN-SFZ:11010119900307001X"])
def test_what_is_no_right_identifier_is_not_called_one(client: httpx.Client, asked: str) -> None:
    answer = client.get("/v1/names", params={"q": asked})
    assert (answer.json()["identifier"], answer.json()["suggestions"]) == (None, [])
    assert asked not in answer.text


@pytest.mark.usefixtures("known")
def test_a_name_is_never_a_hit(client: httpx.Client) -> None:
    """Even the very name gives a suggestion only, and one name may be that of several subjects."""
    again = {"GB-COH:00000099": NAMES[PETROCHINA]}
    client.post("/v1/names", json=body(again), headers=bearer("registry"))
    answer = client.get("/v1/names", params={"q": NAMES[PETROCHINA]}).json()
    assert answer["identifier"] is None
    assert {one["subject"] for one in answer["suggestions"]} == {PETROCHINA, "GB-COH:00000099"}
    assert {key for one in answer["suggestions"] for key in one} == {"subject", "name", "score", "by"}


def test_what_is_given_again_is_not_new(give: Callable[[dict[str, str]], httpx.Response], engine: Engine) -> None:
    two = dict(list(NAMES.items())[:2])
    assert [give(two).json(), give(two).json(), give(NAMES).json()] == [{"new": 2}, {"new": 0}, {"new": len(NAMES) - 2}]
    with Session(engine) as session:
        rows = session.exec(select(CreditName)).all()
    assert len(rows) == len(NAMES)
    assert {(row.source, row.seen_at.replace(tzinfo=UTC)) for row in rows} == {("registry", NOW)}


def test_a_name_is_kept_in_one_form(client: httpx.Client, suggest: Suggest) -> None:
    given = {"names": [{"subject": PETROCHINA, "name": name} for name in ("Café AG", "Cafe\u0301 AG")]}
    assert client.post("/v1/names", json=given, headers=bearer("registry")).json() == {"new": 1}
    assert [one["name"] for one in suggest("cafe ag")] == ["Café AG"]


@pytest.mark.usefixtures("known")
def test_a_name_given_in_error_is_taken_back(client: httpx.Client, suggest: Suggest) -> None:
    assert suggest("重庆银行")
    wrong = body({"GB-COH:00000003": NAMES["GB-COH:00000003"], "GB-COH:00000004": "从来没有"})
    for removed in (1, 0):
        answer = client.request("DELETE", "/v1/names", json=wrong, headers=bearer("registry"))
        assert (answer.status_code, answer.json()) == (200, {"removed": removed})
    assert suggest("重庆银行") == []
    assert suggest("西藏天路")


def test_every_search_knows_what_was_given_before(engine: Engine) -> None:
    """Two processes, each with names of its own in memory."""
    one, other = NameSearch(engine), NameSearch(engine)
    assert one.suggest("重庆银行", 10) == []
    for number, (subject, name) in enumerate(NAMES.items()):
        give_names(engine, [Named(subject, name)], "registry", NOW)
        assert [search.suggest(name, 1)[0].subject for search in (one, other)] == [subject, subject], number
    names.take_back_names(engine, [Named("GB-COH:00000008", NAMES["GB-COH:00000008"])])
    give_names(engine, [Named("GB-COH:00000010", "重庆长安汽车股份有限公司")], "registry", NOW)
    for search in (one, other):
        assert search.suggest("西藏天路", 10) == []
        assert search.suggest("zhongqing changan", 10)[0].subject == "GB-COH:00000010"


def test_many_ask_while_names_come(client: httpx.Client, engine: Engine) -> None:
    done = threading.Event()

    def ask() -> set[int]:
        codes = set()
        while not done.is_set():
            codes.add(client.get("/v1/names", params={"q": "四川华西"}).status_code)
        return codes

    with ThreadPoolExecutor(4) as threads:
        asking = [threads.submit(ask) for _ in range(4)]
        for number in range(30):
            given = [Named(f"GB-COH:{number:04d}{place:04d}", f"四川华西{place}公司") for place in range(20)]
            assert give_names(engine, given, "registry", NOW) == 20
            if number % 5 == 0:
                assert names.take_back_names(engine, given[:1]) == 1
        done.set()
        assert set().union(*(one.result() for one in asking)) == {200}
    assert len(client.get("/v1/names", params={"q": "四川华西7公司", "limit": 50}).json()["suggestions"]) == 50


def test_no_more_search_at_once_than_are_let(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(name_search, "SEARCHES_AT_ONCE", 1)
    search = NameSearch(engine)
    with search._searching, pytest.raises(Unavailable):
        search.suggest("重庆银行", 1)
    assert search.suggest("重庆银行", 1) == []


def test_names_are_bounded(client: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "MAX_NAMES", 3)
    first, more = dict(list(NAMES.items())[:2]), dict(list(NAMES.items())[2:4])
    answers = [client.post("/v1/names", json=body(given), headers=bearer("registry")) for given in (first, more)]
    assert [answer.status_code for answer in answers] == [200, 409]
    assert answers[1].json()["type"] == "urn:bidledger:problem:names-full"
    assert client.request("DELETE", "/v1/names", json=body(first), headers=bearer("registry")).json() == {"removed": 2}
    assert client.post("/v1/names", json=body(more), headers=bearer("registry")).json() == {"new": 2}


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_only_a_key_with_the_scope_changes_names(client: httpx.Client, method: str) -> None:
    for headers, status in (({}, 401), ({"authorization": "Bearer nobody"}, 401), (bearer("bidder"), 403)):
        for given in (body(NAMES), {"names": "no such thing"}):  # nor is a stranger told what is wrong with a body
            answer = client.request(method, "/v1/names", json=given, headers=headers)
            assert answer.status_code == status
            assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("method", ["POST", "DELETE"])
@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ("CN-USCC:91110000100010433M", "bad-subject"),
        ("91110000100010433L", "bad-subject"),
        ("", "bad-subject"),
        ("重庆银行", "bad-subject"),
        ("CN-SFZ:11010119900307001X", "natural-person"),
        ("GB-COH:110101199003070011", "natural-person"),
        ("CN-USCC:\ud800", "invalid-content"),
        ("A" * 121, "invalid-content"),
    ],
)
def test_a_wrong_subject_is_pointed_at_and_nothing_is_kept(
    client: httpx.Client, engine: Engine, method: str, wrong: str, problem: str
) -> None:
    given = [{"subject": PETROCHINA, "name": "好"}, {"subject": wrong, "name": "坏"}]
    answer = client.request(method, "/v1/names", content=json.dumps({"names": given}), headers=_json())
    assert (answer.status_code, answer.json()["pointer"]) == (422, "/body/names/1/subject")
    assert answer.json()["type"] == f"urn:bidledger:problem:{problem}"
    assert not wrong or wrong.encode(errors="replace").decode() not in answer.text
    with Session(engine) as session:
        assert session.exec(select(CreditName)).all() == []


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "x" * 201,
        "a\0b",
        "a\nb",
        "a\x85b",
        "a\u202eb",
        "a\u200bb",
        "a\ud800b",
        "a\ue000b",
        "。（）",
        " ",
        7,
        None,
        ["a"],
    ],
)
def test_a_wrong_name_is_pointed_at(client: httpx.Client, wrong: object) -> None:
    given = json.dumps({"names": [{"subject": PETROCHINA, "name": wrong}]})
    answer = client.post("/v1/names", content=given, headers=_json())
    assert (answer.status_code, answer.json()["pointer"]) == (422, "/body/names/0/name")


@pytest.mark.parametrize(
    ("wrong", "status"),
    [
        (b"", 422),
        (b"{", 422),
        (b"\xff", 400),
        (b"[" * 100_000, 422),
        (("[" * 100_000).encode("utf-16"), 422),
        (b'{"names": 1' + b"0" * 5000 + b"}", 400),
        (b"[]", 422),
        (b"{}", 422),
        (b'{"names": []}', 422),
        (b'{"names": [{"subject": "GB-COH:1"}]}', 422),
        (b'{"names": [{"subject": "GB-COH:1", "name": "a", "more": 1}]}', 422),
        (b'{"names": [{"subject": "GB-COH:1", "name": "a"}], "more": 1}', 422),
        (b'{"names": [{"subject": "GB-COH:1", "name": "a"}], "\\ud800": 1}', 422),
        (json.dumps(body({f"GB-COH:{number}": "a" for number in range(1001)})).encode(), 422),
        (b" " * (MAX_BODY_BYTES + 1), 413),
    ],
    ids=lambda value: value[:40] if isinstance(value, bytes) else None,
)
def test_a_wrong_body_is_refused(client: httpx.Client, wrong: bytes, status: int) -> None:
    answer = client.post("/v1/names", content=wrong, headers=_json())
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_body_that_says_not_how_long_it_is_is_bounded_as_well(client: httpx.Client) -> None:
    pieces = (b" " * (1 << 20) for _ in range(4))
    assert client.post("/v1/names", content=pieces, headers=_json()).status_code == 413


def test_a_full_body_is_taken(client: httpx.Client) -> None:
    given = {f"GB-COH:{number}": f"{number}{'😀' * 196}" for number in range(1000)}
    content = json.dumps(body(given))
    assert client.post("/v1/names", content=content, headers=_json()).json() == {"new": 1000}
    assert client.post("/v1/names", content=content, headers=_json()).json() == {"new": 0}
    assert client.request("DELETE", "/v1/names", content=content, headers=_json()).json() == {"removed": 1000}


@pytest.mark.parametrize(
    "query",
    ["", "q=", f"q={'x' * 101}", "q=a%00b", "q=a%0Ab", "q=a%7F", "q=a&limit=0", "q=a&limit=51", "q=a&limit=x"],
)
def test_a_wrong_question_is_refused(client: httpx.Client, query: str) -> None:
    answer = client.get(f"/v1/names?{query}")
    assert answer.status_code == 422
    assert answer.json()["pointer"] in ("/query/q", "/query/limit")


@pytest.mark.parametrize("query", ["q=%FF%FE", "q=%ED%A0%80", f"q={'x' * 100}", "q=a&limit=50", "q=%F0%A0%AE%B7"])
def test_any_other_question_is_answered(client: httpx.Client, query: str) -> None:
    assert client.get(f"/v1/names?{query}").status_code == 200


@pytest.mark.parametrize(
    ("name", "stem", "legal_form"),
    [
        ("四川华西有限责任公司", "四川华西", "有限责任公司"),
        ("四川华西 (集团) 股份有限公司", "四川华西集团", "股份有限公司"),
        ("中铁二局成都分公司", "中铁二局成都分公司", ""),  # a part of a company, not a form of one
        ("天府合伙企业（有限合伙）", "天府", "合伙企业有限合伙"),
        ("有限公司", "有限", "公司"),
        ("公司", "公司", ""),
        ("ACME Trading Co., Ltd.", "acmetrading", "coltd"),
        ("Ltd", "ltd", ""),
        ("Sichuan Huaxi Youxian Gongsi", "sichuanhuaxi", "有限公司"),
    ],
)
def test_a_legal_form_stands_apart(name: str, stem: str, legal_form: str) -> None:
    forms = search_forms(name)
    assert (forms.stem, forms.legal_form) == (stem, legal_form)


def _json() -> dict[str, str]:
    return {**bearer("registry"), "content-type": "application/json"}
