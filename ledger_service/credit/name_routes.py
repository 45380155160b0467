"""`/v1/names`: names given, taken back, and suggestions by them, each of which says that it is no hit."""

import unicodedata
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Final, Self

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy import Engine

from anchors.errors import BadSubject
from anchors.subjects import Subject
from ledger_service.bodies import bounded_route
from ledger_service.credit.name_search import CUT_OFF, By, NameSearch, Suggestion
from ledger_service.credit.names import Named, give_names, read_identifier, search_forms, take_back_names
from ledger_service.log.api_keys import ApiKey, ApiKeys, Scope
from ledger_service.pages import cached
from ledger_service.refusals import Refused

__all__ = ["MAX_BODY_BYTES", "MAX_GIVEN", "MAX_SUGGESTIONS", "routes"]

MAX_GIVEN: Final = 1000
MAX_SUGGESTIONS: Final = 50
MAX_BODY_BYTES: Final = 3 << 20  # 1,000 names of 200 characters, each escaped twice over, are 2.6 MB

_PRINTABLE: Final = r"^[^\u0000-\u001f\u007f-\u009f]+$"
_SUBJECT: Final = r"^[A-Z]{2}(_[A-Z0-9]{1,3})?-[A-Z0-9][A-Z0-9_]{0,31}:[0-9A-Za-z]([0-9A-Za-z._/-]{0,62}[0-9A-Za-z])?$"


def _name(given: str) -> str:
    name = unicodedata.normalize("NFC", given)
    if not name.isprintable():
        raise ValueError("a name has printable characters only")
    if not search_forms(name).stem:
        raise ValueError("a name has a letter or a digit")
    return name


class NamedIn(BaseModel):
    """A company and what it is called."""

    model_config = ConfigDict(extra="forbid")

    subject: Annotated[
        str,
        Field(
            max_length=120,
            description="SCHEME:IDENTIFIER; the check character of a CN-USCC is verified, natural persons are refused.",
            json_schema_extra={"pattern": _SUBJECT},
            examples=["CN-USCC:91110000600037341L"],
        ),
    ]
    name: Annotated[
        str,
        Field(
            min_length=1,
            max_length=200,
            pattern=_PRINTABLE,
            description="As the public register has it: printable, with a letter or a digit. It is kept in NFC.",
            examples=["四川华西建设集团有限公司"],
        ),
        AfterValidator(_name),
    ]


class NamesIn(BaseModel):
    """Names, of which all are taken or none."""

    model_config = ConfigDict(extra="forbid")

    names: Annotated[list[NamedIn], Field(min_length=1, max_length=MAX_GIVEN)]


class GivenOut(BaseModel):
    """How many of the names were new."""

    new: int


class TakenBackOut(BaseModel):
    """How many of the names there were; they are gone."""

    removed: int


class SuggestionOut(BaseModel):
    """A company with a name like the one asked for, and no hit: make sure that it is the one, then look it up."""

    subject: str
    name: str
    score: Annotated[float, Field(ge=CUT_OFF, le=100, description="How much alike, of 100.")]
    by: Annotated[By, Field(description="What is alike: the name as written, its pinyin, or the initials of that.")]

    @classmethod
    def of(cls, one: Suggestion) -> Self:
        """From the search."""
        return cls(subject=one.subject, name=one.name, score=one.score, by=one.by)


class NoticeOut(BaseModel):
    """What every answer says of itself."""

    zh: str
    en: str


class SuggestionsOut(BaseModel):
    """Suggestions, the best first."""

    notice: NoticeOut
    identifier: Annotated[
        str | None,
        Field(description="What was asked, if it is an identifier already: look this up. Then nothing is suggested."),
    ]
    suggestions: Annotated[list[SuggestionOut], Field(max_length=MAX_SUGGESTIONS)]


NOTICE: Final = NoticeOut(
    zh="以下仅为名称相近的建议，不是查询结果：名称相同或相近，不代表是同一主体，也不说明其有无信用记录。"
    "只能以准确的标识代码（如统一社会信用代码）查询。",
    en="These are suggestions by likeness of names and no hits: a like name, or the same, neither makes it the same "
    "company nor says whether it has a record. Only an exact identifier may be looked up.",
)


def routes(engine: Engine, api_keys: ApiKeys, clock: Callable[[], datetime]) -> APIRouter:
    """The routes of names.

    Args:
        engine: the database.
        api_keys: who may give names and take them back: the scope `credit`.
        clock: aware, UTC.
    """
    router = APIRouter(tags=["names"], route_class=bounded_route(MAX_BODY_BYTES))
    search = NameSearch(engine)

    def allowed(authorization: Annotated[str | None, Header(description="Bearer, and an API key.")] = None) -> ApiKey:
        return api_keys.authenticate(authorization).require(Scope.CREDIT)

    @router.post("/v1/names")
    def give(body: NamesIn, key: Annotated[ApiKey, Depends(allowed)]) -> GivenOut:
        """Say what companies are called, so that their identifiers can be suggested. Needs the scope `credit`.

        All names are checked before any is kept; one that is known stays as it was first given."""
        return GivenOut(new=give_names(engine, _named(body.names), key.id, clock()))

    @router.delete("/v1/names")
    def take_back(body: NamesIn, _key: Annotated[ApiKey, Depends(allowed)]) -> TakenBackOut:
        """Take back names that were given in error, whoever gave them. Needs the scope `credit`."""
        return TakenBackOut(removed=take_back_names(engine, _named(body.names)))

    @router.get("/v1/names", response_model=SuggestionsOut)
    def suggest(
        request: Request,
        q: Annotated[
            str,
            Query(
                min_length=1,
                max_length=100,
                pattern=_PRINTABLE,
                description="A name or a part of one: in Chinese, in pinyin or as its initials; slips are allowed.",
            ),
        ],
        limit: Annotated[int, Query(ge=1, le=MAX_SUGGESTIONS, description="Most suggestions.")] = 10,
    ) -> Response:
        """Suggest identifiers by a name. A name never matches by itself: no suggestion is a hit, and none says anything
        of a record; only an exact identifier may be looked up."""
        identifier = read_identifier(q)
        found = [] if identifier else search.suggest(q, limit)
        answer = SuggestionsOut(
            notice=NOTICE, identifier=identifier, suggestions=[SuggestionOut.of(one) for one in found]
        )
        return cached(request, answer.model_dump_json().encode(), "application/json")

    return router


def _named(given: Sequence[NamedIn]) -> list[Named]:
    """The subjects as they are kept, once each was found good."""
    named = []
    for place, one in enumerate(given):
        try:
            named.append(Named(str(Subject.parse(one.subject)), one.name))
        except BadSubject as error:
            raise Refused(error, f"/body/names/{place}/subject") from error
    return named
