"""The OpenAPI description of what FastAPI does not see: the bare ASGI routes, and the problem document."""

from typing import Any, Final

_HASH: Final = {"type": "string", "pattern": "^0x[0-9a-f]{64}$"}
_NUMBER: Final = {"type": "integer", "minimum": 0}

SCHEMAS: Final[dict[str, Any]] = {
    "Problem": {
        "type": "object",
        "description": "RFC 9457; `type` is stable, `pointer` says where in the request.",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            "type": {"type": "string", "pattern": "^urn:bidledger:problem:"},
            "title": {"type": "string"},
            "status": {"type": "integer"},
            "detail": {"type": "string"},
            "pointer": {"type": "string"},
        },
    },
    "Receipt": {
        "type": "object",
        "required": ["commitment", "index", "member", "generation", "log", "root", "count", "position", "path"],
        "properties": {
            "commitment": _HASH,
            "index": _NUMBER,
            "member": _NUMBER,
            "generation": _NUMBER,
            "log": {"type": "string", "pattern": "^0x[0-9a-f]{40}$"},
            "root": _HASH,
            "count": _NUMBER,
            "position": _NUMBER,
            "path": {"type": "array", "items": _HASH},
            "accepted_at": _NUMBER,
            "anchor_by": _NUMBER,
            "signature": {"type": "string", "pattern": "^0x[0-9a-f]{130}$"},
        },
    },
    "Commitments": {
        "type": "object",
        "required": ["commitments"],
        "additionalProperties": False,
        "properties": {"commitments": {"type": "array", "minItems": 1, "maxItems": 1000, "items": _HASH}},
    },
    "Receipts": {
        "type": "object",
        "required": ["receipts"],
        "properties": {"receipts": {"type": "array", "items": {"$ref": "#/components/schemas/Receipt"}}},
    },
}

PROBLEM_RESPONSE: Final[dict[str, Any]] = {
    "description": "Refused",
    "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
}


def _static(summary: str, media_type: str, parameters: list[dict[str, Any]], tag: str = "log") -> dict[str, Any]:
    return {
        "get": {
            "tags": [tag],
            "summary": summary,
            "parameters": parameters,
            "responses": {
                "200": {"description": "As published", "content": {media_type: {"schema": {"type": "string"}}}},
                "default": PROBLEM_RESPONSE,
            },
        }
    }


def _path_parameter(name: str, pattern: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "pattern": pattern}}


BARE_ROUTES: Final[dict[str, Any]] = {
    "/v1/evidence": {
        "post": {
            "tags": ["evidence"],
            "summary": "Log commitments",
            "description": "Gives each commitment its place in the log and a receipt, durable before the answer.",
            "parameters": [
                {
                    "name": "Idempotency-Key",
                    "in": "header",
                    "required": False,
                    "description": "The same key with the same body gets the first receipts again.",
                    "schema": {"type": "string", "pattern": "^[!#-~]{1,64}$"},
                }
            ],
            "requestBody": {
                "required": True,
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Commitments"}}},
            },
            "responses": {
                "201": {
                    "description": "Receipts, in the order of the commitments",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Receipts"}}},
                },
                "default": PROBLEM_RESPONSE,
            },
        }
    },
    "/witness/add-checkpoint": {
        "post": {
            "tags": ["witness"],
            "summary": "Have a checkpoint cosigned (C2SP tlog-witness)",
            "description": "For the logs of the other members; 404 where this service is no witness.",
            "requestBody": {"required": True, "content": {"text/plain": {"schema": {"type": "string"}}}},
            "responses": {
                "200": {
                    "description": "Cosignature lines",
                    "content": {"text/plain": {"schema": {"type": "string"}}},
                },
                "409": {
                    "description": "The size that was last cosigned",
                    "content": {"text/x.tlog.size": {"schema": {"type": "string"}}},
                },
                "default": PROBLEM_RESPONSE,
            },
        }
    },
    "/witness/{origin_hash}/checkpoint": _static(
        "The last checkpoint that was cosigned for a log (C2SP tlog-witness)",
        "text/plain",
        [_path_parameter("origin_hash", "^[0-9a-f]{64}$")],
        tag="witness",
    ),
    "/log/checkpoint": _static("The signed checkpoint (C2SP tlog-tiles)", "text/plain", []),
    "/log/tile/{level}/{tile}": _static(
        "A tile of hashes, or with the level `entries` a bundle of entries (C2SP tlog-tiles)",
        "application/octet-stream",
        [_path_parameter("level", "^([0-9]|[1-5][0-9]|6[0-3]|entries)$"), _path_parameter("tile", "^[0-9]{3}$")],
    ),
}
