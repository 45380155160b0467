"""`GET /log/...`: the log's public files, exactly those that the published checkpoint vouches for.

They are sent as they lie on the disk, and one that the disk has spoilt is not known until a start or a proof comes upon
it: whoever reads the log checks what is read against the signed root, as clients of C2SP tlog-tiles do.

Paths have one spelling; whatever else is asked for is not found. Entries are random-looking bytes, so bundles are sent
as they are: there is nothing to compress.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from anchors.errors import AnchorsError
from anchors.merkle import ENTRIES, TILE_WIDTH, TileId
from anchors.notes import Checkpoint, SignedNote
from ledger_service.errors import NotFound, ServiceError
from ledger_service.log.tiles import LogFolder
from ledger_service.problems import (
    Headers,
    Receive,
    Scope,
    Send,
    encode_headers,
    method_not_allowed,
    send_answer,
    send_problem,
)

_CHECKPOINT_HEADERS: Final = encode_headers(
    {"content-type": "text/plain; charset=utf-8", "cache-control": "public, max-age=1"}
)
_TILE_HEADERS: Final = encode_headers(
    {"content-type": "application/octet-stream", "cache-control": "public, max-age=31536000, immutable"}
)
_METHODS: Final = ("GET", "HEAD")


class LogRoutes:
    """The ASGI application of one log's public files, to be mounted at `/log`.

    Args:
        data_dir: the service's data directory.
        generation: which log in it.
        cosigned: adds to a signed checkpoint what witnesses have signed on it.
    """

    def __init__(self, data_dir: Path, generation: int, cosigned: Callable[[bytes], SignedNote]) -> None:
        self._folder = LogFolder(data_dir, generation)
        self._cosigned = cosigned

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Answer one request.

        Source: C2SP tlog-tiles.
        """
        try:
            if scope["method"] not in _METHODS:
                raise method_not_allowed(scope["method"], *_METHODS)
            headers, body = self._file(_path_below_mount(scope))
        except ServiceError as error:
            await send_problem(send, error)
            return
        await send_answer(send, 200, headers, body)

    def _file(self, path: str) -> tuple[Headers, bytes]:
        note = self._folder.checkpoint()
        if path == "checkpoint" and note is not None:
            return _CHECKPOINT_HEADERS, self._cosigned(note).encode()
        content = self._tile(path, note) if path.startswith("tile/") and note is not None else None
        if content is None:
            raise NotFound("The log has published nothing under this path.", facts={"path": path[:256]})
        return _TILE_HEADERS, content

    def _tile(self, path: str, note: bytes) -> bytes | None:
        try:
            tile = TileId.parse(path)
        except AnchorsError:
            return None
        size = Checkpoint.parse(SignedNote.parse(note).text).size
        published = size >> (8 * tile.level) if tile.level != ENTRIES else size
        return self._folder.tile(tile) if tile.index * TILE_WIDTH + tile.width <= published else None


def _path_below_mount(scope: Scope) -> str:
    """The path below the mount as it was sent: an escaped one is another spelling, and so another path."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    return raw.decode("latin-1").removeprefix(scope.get("root_path", "")).removeprefix("/")
