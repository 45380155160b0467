"""operations of every slice: who must sign is a list of roles and members."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.types import TypeEngine

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_BEFORE: dict[str, TypeEngine[Any]] = {"publisher": sa.Boolean(), "regulator": sa.Boolean()}
_AFTER: dict[str, TypeEngine[Any]] = {"seats": sa.String()}


def upgrade() -> None:
    """Carry the step out."""
    _make("operation", "operation_signature", _AFTER)
    _put("operation", [_seated(row) for row in _rows("credit_operation")])
    _put("operation_signature", _rows("credit_signature"))
    _drop("credit_operation", "credit_signature")
    op.execute("DELETE FROM condition WHERE part = 'credit'")  # the part is `sending` now, and will say it again


def downgrade() -> None:
    """Take the step back; operations that are not of credit are given up."""
    _make("credit_operation", "credit_signature", _BEFORE)
    kept = [row for row in map(_unseated, _rows("operation")) if row["publisher"]]
    numbers = {row["number"] for row in kept}
    _put("credit_operation", kept)
    _put("credit_signature", [row for row in _rows("operation_signature") if row["operation"] in numbers])
    _drop("operation", "operation_signature")
    op.execute("DELETE FROM condition WHERE part = 'sending'")


def _seated(row: dict[str, Any]) -> dict[str, Any]:
    roles = [role for role in ("publisher", "regulator") if row.pop(role)]
    return row | {"seats": json.dumps([[role, row["member"]] for role in roles])}


def _unseated(row: dict[str, Any]) -> dict[str, Any]:
    roles = {role for role, _ in json.loads(row.pop("seats"))}
    return row | {role: role in roles for role in ("publisher", "regulator")}


def _make(operations: str, signatures: str, needed: dict[str, TypeEngine[Any]]) -> None:
    op.create_table(
        operations,
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("member", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("typed_data", sa.String(), nullable=False),
        sa.Column("deadline", sa.BigInteger(), nullable=False),
        *(sa.Column(name, kind, nullable=False) for name, kind in needed.items()),
        sa.Column("endorsements", sa.Integer(), nullable=False),
        sa.Column("names", sa.LargeBinary(), nullable=False),
        sa.Column("request", sa.String(), nullable=False),
        sa.Column("draft", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("api_key", sa.String(), nullable=True),
        sa.Column("idempotency_key", sa.String(), nullable=True),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=True),
        sa.Column("nonce", sa.BigInteger(), nullable=True),
        sa.Column("raw", sa.LargeBinary(), nullable=True),
        sa.Column("transaction_hash", sa.LargeBinary(), nullable=True),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("block_number", sa.BigInteger(), nullable=True),
        sa.Column("block_hash", sa.LargeBinary(), nullable=True),
        sa.Column("error_name", sa.String(), nullable=True),
        sa.Column("error_detail", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("api_key", "idempotency_key"),
        sa.UniqueConstraint("id"),
    )
    with op.batch_alter_table(operations, schema=None) as batch_op:
        batch_op.create_index(batch_op.f(f"ix_{operations}_state"), ["state"], unique=False)
    op.create_table(
        signatures,
        sa.Column("operation", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("member", sa.Integer(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("operation", "address"),
        sa.UniqueConstraint("operation", "role", "member"),
    )
    with op.batch_alter_table(signatures, schema=None) as batch_op:
        batch_op.create_index(batch_op.f(f"ix_{signatures}_signature"), ["signature"], unique=False)


def _drop(operations: str, signatures: str) -> None:
    with op.batch_alter_table(signatures, schema=None) as batch_op:
        batch_op.drop_index(batch_op.f(f"ix_{signatures}_signature"))
    op.drop_table(signatures)
    with op.batch_alter_table(operations, schema=None) as batch_op:
        batch_op.drop_index(batch_op.f(f"ix_{operations}_state"))
    op.drop_table(operations)


def _table(name: str) -> sa.Table:
    return sa.Table(name, sa.MetaData(), autoload_with=op.get_bind())


def _rows(name: str) -> list[dict[str, Any]]:
    return [dict(row) for row in op.get_bind().execute(sa.select(_table(name))).mappings()]


def _put(name: str, rows: list[dict[str, Any]]) -> None:
    if rows:
        op.get_bind().execute(sa.insert(_table(name)), rows)
