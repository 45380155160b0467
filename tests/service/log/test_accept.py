"""`POST /v1/evidence`: what is taken, what is refused and in which words, and what a refusal leaves behind."""

import gzip
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from running_log import CHAIN_ID, RunningLog, commitments, receipts

MakeLog = Callable[..., RunningLog]


def refused(answer: httpx.Response, status: int, problem: str) -> dict[str, object]:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    document: dict[str, object] = answer.json()
    assert document["type"] == f"urn:bidledger:problem:{problem}"
    assert document["status"] == status
    assert document["title"]
    assert document["detail"]
    return document


def post(log: RunningLog, body: bytes, **headers: str) -> httpx.Response:
    fields = {"content-type": "application/json", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return log.client.post(f"{log.url}/v1/evidence", content=body, headers=fields)


# Receipts


def test_every_commitment_gets_a_receipt_that_holds_by_itself(log: RunningLog) -> None:
    some = commitments(5)
    given = receipts(log.submit(some))
    assert [f"0x{one.commitment.hex()}" for one in given] == some
    assert [one.index for one in given] == list(range(given[0].index, given[0].index + 5))
    for one in given:
        one.prove_entry()
        assert one.signer(CHAIN_ID).hex() == log.config["receipt_address"]
        assert (one.member, one.generation, one.log) == (2, 0, b"\xee" * 20)
        assert one.anchor_by - one.accepted_at == 3600


@pytest.mark.parametrize("count", [1, 2, 3])
def test_receipts_are_written_in_their_one_form(log: RunningLog, count: int) -> None:
    answer = log.submit(commitments(count))
    assert answer.json() == {"receipts": [one.to_json() for one in receipts(answer)]}
    assert answer.headers["content-type"] == "application/json"


def test_many_at_once_get_places_of_their_own(log: RunningLog) -> None:
    asked = [commitments(3) for _ in range(60)]
    with ThreadPoolExecutor(20) as pool:
        given = [receipts(answer) for answer in pool.map(log.submit, asked)]
    assert [[f"0x{one.commitment.hex()}" for one in some] for some in given] == asked
    assert len({one.index for some in given for one in some}) == 180
    for some in given:
        some[0].prove_entry()


# Conflicts


def test_a_conflict_tells_neither_which_commitment_nor_where_it_is(log: RunningLog) -> None:
    known, new = commitments(2)
    receipts(log.submit([known]))
    answers = [log.submit([new, known]), log.submit([known, new]), log.submit([known]), log.submit([new, new])]
    refused(answers[0], 409, "conflict")
    assert len({answer.content for answer in answers}) == 1
    assert not any(known[2:].encode() in answer.content for answer in answers)


def test_what_came_with_a_conflict_is_not_logged(log: RunningLog) -> None:
    known, new = commitments(2)
    (before,) = receipts(log.submit([known]))
    refused(log.submit([new, known], idempotency_key="with-a-conflict"), 409, "conflict")
    (after,) = receipts(log.submit([new], idempotency_key="with-a-conflict"))
    assert after.index == before.index + 1


def test_of_rivals_for_one_commitment_one_wins(log: RunningLog) -> None:
    rivals = commitments(1) * 12
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda one: log.submit([one]), rivals))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 11


def test_one_conflict_harms_none_of_those_that_come_with_it(log: RunningLog) -> None:
    known = commitments(1)
    receipts(log.submit(known))
    asked = [known if number % 5 == 0 else commitments(2) for number in range(60)]
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(log.submit, asked))
    assert [answer.status_code for answer in answers] == [409 if one is known else 201 for one in asked]


# Idempotency


def test_a_repeat_gets_the_receipts_of_the_first_time(log: RunningLog) -> None:
    some = commitments(3)
    first = log.submit(some, idempotency_key="tender-7")
    assert len(receipts(first)) == 3
    assert log.submit(some, idempotency_key="tender-7").content == first.content
    assert log.submit(some, idempotency_key='"tender-7"').content == first.content


def test_repeats_at_the_same_moment_get_the_same_receipts(log: RunningLog) -> None:
    some = commitments(2)
    with ThreadPoolExecutor(10) as pool:
        answers = list(pool.map(lambda _: log.submit(some, idempotency_key="at-once"), range(10)))
    assert len(receipts(answers[0])) == 2
    assert len({answer.content for answer in answers}) == 1


def test_a_repeat_with_another_body_is_refused(log: RunningLog) -> None:
    one, other = commitments(2)
    receipts(log.submit([one], idempotency_key="another-body"))
    refused(log.submit([other], idempotency_key="another-body"), 422, "idempotency-mismatch")
    receipts(log.submit([other]))


def test_an_idempotency_key_belongs_to_its_api_key(make_log: MakeLog) -> None:
    log = make_log().name_keys(one={}, other={}).start()
    first, second = commitments(2)
    receipts(log.submit([first], "one", "k"))
    receipts(log.submit([second], "other", "k"))
    refused(log.submit([first], "other", "k"), 422, "idempotency-mismatch")


def test_a_repeat_is_known_after_a_restart_and_costs_no_quota(make_log: MakeLog) -> None:
    log = make_log().name_keys(one={"quota": 1}).start()
    some = commitments(1)
    first = log.submit(some, "one", "k")
    assert len(receipts(first)) == 1
    assert log.submit(some, "one", "k").content == first.content
    log.restart()
    assert log.submit(some, "one", "k").content == first.content
    receipts(log.submit(commitments(1), "one"))


@pytest.mark.parametrize("bad", ["", '"', '""', "two words", "a" * 256, '"open', "é"])
def test_an_idempotency_key_has_a_form(log: RunningLog, bad: str) -> None:
    body = json.dumps({"commitments": commitments(1)}).encode()
    answer = log.client.post(
        f"{log.url}/v1/evidence",
        content=body,
        headers=[(b"content-type", b"application/json"), (b"idempotency-key", bad.encode())],
    )
    assert refused(answer, 400, "bad-request")["field"] == "Idempotency-Key"


def test_a_field_that_comes_twice_is_refused(log: RunningLog) -> None:
    answer = log.client.post(
        f"{log.url}/v1/evidence", json={"commitments": commitments(1)}, headers=[("idempotency-key", "a")] * 2
    )
    refused(answer, 400, "bad-request")


# Quotas


def test_a_used_up_quota_says_when_the_next_period_begins(make_log: MakeLog) -> None:
    log = make_log(period_seconds=600).name_keys(small={"quota": 2}, other={"quota": 5}).start()
    receipts(log.submit(commitments(2), "small"))
    waiting = commitments(1)
    answer = log.submit(waiting, "small")
    assert refused(answer, 429, "quota-exhausted")["quota"] == 2
    assert 500 < int(answer.headers["retry-after"]) <= 600
    receipts(log.submit(waiting, "other"))


def test_more_than_any_period_has_is_refused_for_good(make_log: MakeLog) -> None:
    log = make_log().name_keys(small={"quota": 2}).start()
    answer = log.submit(commitments(3), "small")
    assert refused(answer, 422, "quota-too-small")["quota"] == 2
    assert "retry-after" not in answer.headers


def test_a_quota_is_full_again_in_the_next_period(make_log: MakeLog) -> None:
    log = make_log().name_keys(small={"quota": 2}).start()
    receipts(log.submit(commitments(2), "small"))
    refused(log.submit(commitments(1), "small"), 429, "quota-exhausted")
    log.restart()
    receipts(log.submit(commitments(2), "small"))


def test_what_others_submit_changes_no_answer(make_log: MakeLog) -> None:
    log = make_log(slots=8).name_keys(one={"quota": 3}, other={"quota": 3}).start()
    refused(log.submit(commitments(4), "one"), 422, "quota-too-small")
    receipts(log.submit(commitments(3), "other"))
    receipts(log.submit(commitments(1)))
    refused(log.submit(commitments(1)), 429, "quota-exhausted")
    refused(log.submit(commitments(4), "one"), 422, "quota-too-small")
    receipts(log.submit(commitments(3), "one"))


def test_a_refused_request_costs_no_quota(make_log: MakeLog) -> None:
    log = make_log().name_keys(small={"quota": 2}).start()
    first = commitments(1)
    receipts(log.submit(first, "small"))
    for _ in range(3):
        refused(log.submit(first, "small"), 409, "conflict")
    receipts(log.submit(commitments(1), "small"))


# Who may


def test_a_service_can_be_for_holders_of_keys_only(make_log: MakeLog) -> None:
    log = make_log(public_quota=0).name_keys(one={}, reader={"scopes": []}).start()
    some = commitments(1)
    answers = [log.submit(some), log.submit(some, "nobody")]
    for answer in answers:
        refused(answer, 401, "not-authenticated")
        assert answer.headers["www-authenticate"] == "Bearer"
    refused(log.submit(some, "reader"), 403, "not-allowed")
    receipts(log.submit(some, "one"))


def test_a_key_that_is_not_known_is_refused_even_where_none_is_needed(log: RunningLog) -> None:
    refused(log.submit(commitments(1), "nobody"), 401, "not-authenticated")


# Bounds and forms


def test_a_request_has_1_to_1000_commitments(log: RunningLog) -> None:
    assert len(receipts(log.submit(commitments(1000)))) == 1000
    for some in ([], commitments(1001)):
        assert refused(log.submit(some), 422, "invalid-content")["pointer"] == "/commitments"


GOOD = "0x" + "ab" * 32


@pytest.mark.parametrize(
    ("document", "pointer"),
    [
        ([], ""),
        (None, ""),
        ({}, ""),
        ({"commitments": [GOOD], "a/b~c": 1}, "/a~1b~0c"),
        ({"commitments": GOOD}, "/commitments"),
        ({"commitments": {"0": GOOD}}, "/commitments"),
        ({"commitments": [GOOD, GOOD.upper()]}, "/commitments/1"),
        ({"commitments": [GOOD[2:]]}, "/commitments/0"),
        ({"commitments": [GOOD + "0"]}, "/commitments/0"),
        ({"commitments": [GOOD + "\n"]}, "/commitments/0"),
        ({"commitments": ["0x" + "\u0663" * 64]}, "/commitments/0"),
        ({"commitments": [GOOD, 7]}, "/commitments/1"),
        ({"commitments": [None]}, "/commitments/0"),
    ],
)
def test_what_is_not_allowed_is_pointed_at(log: RunningLog, document: object, pointer: str) -> None:
    answer = post(log, json.dumps(document).encode())
    assert refused(answer, 422, "invalid-content")["pointer"] == pointer


@pytest.mark.parametrize("body", [b"", b"{", b'{"commitments": [NaN]}', b"\xff", b"[" * 100_000])
def test_what_is_not_json_is_refused(log: RunningLog, body: bytes) -> None:
    refused(post(log, body), 400, "bad-request")


def test_a_body_has_a_bound_whether_or_not_it_says_its_length(log: RunningLog) -> None:
    body = b" " * ((128 << 10) + 1)
    refused(post(log, body), 413, "too-large")
    chunks = (body[at : at + 1000] for at in range(0, len(body), 1000))
    fields = {"content-type": "application/json"}
    answer = log.client.post(f"{log.url}/v1/evidence", content=chunks, headers=fields)
    refused(answer, 413, "too-large")


@pytest.mark.parametrize("kind", ["text/plain", "application/jsonp", "application/x-www-form-urlencoded", ""])
def test_only_json_is_taken(log: RunningLog, kind: str) -> None:
    body = json.dumps({"commitments": commitments(1)}).encode()
    refused(post(log, body, content_type=kind), 415, "unsupported-media-type")


def test_json_may_name_its_character_set(log: RunningLog) -> None:
    body = json.dumps({"commitments": commitments(1)}).encode()
    receipts(post(log, body, content_type="Application/JSON; charset=utf-8"))


def test_a_packed_body_is_not_unpacked(log: RunningLog) -> None:
    body = gzip.compress(json.dumps({"commitments": commitments(1)}).encode())
    refused(post(log, body, content_encoding="gzip"), 400, "bad-request")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_other_methods_are_refused(log: RunningLog, method: str) -> None:
    answer = log.client.request(method, f"{log.url}/v1/evidence")
    assert refused(answer, 405, "method-not-allowed")["allowed"] == "POST"
    assert answer.headers["allow"] == "POST"


# The API keys file


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"quota": 5}, "a period takes 7"),
        ({"quota": None}, "needs a quota"),
        ({"id": "other"}, "twice"),
        ({"id": "public"}, "twice"),
        ({"scopes": ["root"]}, "scopes"),
        ({"sha256": "00"}, "sha256"),
        ({"note": 1}, "note"),
    ],
)
def test_keys_that_do_not_fit_are_refused_at_the_start(
    make_log: MakeLog, change: dict[str, object], complaint: str
) -> None:
    log = make_log(slots=8).name_keys(one={"quota": 3, **change}, other={"quota": 4})
    assert complaint in log.refused_start()
