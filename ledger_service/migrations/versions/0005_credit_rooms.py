"""acts, screenings, webhooks and names."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Carry the step out."""
    op.create_table(
        "credit_name",
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("stem", sa.String(), nullable=False),
        sa.Column("legal_form", sa.String(), nullable=False),
        sa.Column("pinyin", sa.String(), nullable=False),
        sa.Column("initials", sa.String(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("subject", "name"),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("credit_name", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_credit_name_version"), ["version"], unique=False)

    op.create_table(
        "credit_name_state",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("removed", sa.BigInteger(), nullable=False),
        sa.Column("names", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "credit_operation",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("act", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("member", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("typed_data", sa.String(), nullable=False),
        sa.Column("deadline", sa.BigInteger(), nullable=False),
        sa.Column("publisher", sa.Boolean(), nullable=False),
        sa.Column("regulator", sa.Boolean(), nullable=False),
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
    with op.batch_alter_table("credit_operation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_credit_operation_state"), ["state"], unique=False)

    op.create_table(
        "credit_screening",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("api_key", sa.String(), nullable=False),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.Column("time", sa.BigInteger(), nullable=False),
        sa.Column("recognized_by", sa.Integer(), nullable=True),
        sa.Column("subjects", sa.Integer(), nullable=False),
        sa.Column("clear", sa.Integer(), nullable=False),
        sa.Column("hits", sa.Integer(), nullable=False),
        sa.Column("invalid", sa.Integer(), nullable=False),
        sa.Column("records", sa.Integer(), nullable=False),
        sa.Column("certificate", sa.LargeBinary(length=32), nullable=True),
        sa.Column("commitment", sa.LargeBinary(length=32), nullable=False),
        sa.Column("name", sa.LargeBinary(length=32), nullable=True),
        sa.Column("seed", sa.LargeBinary(length=32), nullable=True),
        sa.PrimaryKeyConstraint("number"),
        sa.UniqueConstraint("id"),
        sa.UniqueConstraint("name"),
    )
    with op.batch_alter_table("credit_screening", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_credit_screening_api_key"), ["api_key"], unique=False)

    op.create_table(
        "credit_screening_hit",
        sa.Column("screening", sa.BigInteger(), nullable=False),
        sa.Column("record", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("screening", "record"),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("credit_screening_hit", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_credit_screening_hit_record"), ["record"], unique=False)

    op.create_table(
        "credit_signature",
        sa.Column("operation", sa.BigInteger(), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("member", sa.Integer(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("given_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("operation", "address"),
        sa.UniqueConstraint("operation", "role", "member"),
    )
    with op.batch_alter_table("credit_signature", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_credit_signature_signature"), ["signature"], unique=False)

    op.create_table(
        "webhook_delivery",
        sa.Column("subscription", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("attempted_at", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("delivered_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("subscription", "message"),
    )
    with op.batch_alter_table("webhook_delivery", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_webhook_delivery_attempted_at"), ["attempted_at"], unique=False)

    op.create_table(
        "webhook_subscription",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("api_key", sa.String(), nullable=False),
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("events", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("after_block", sa.BigInteger(), nullable=False),
        sa.Column("after_turn", sa.BigInteger(), nullable=False),
        sa.Column("after_place", sa.BigInteger(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.BigInteger(), nullable=True),
        sa.Column("disabled_at", sa.BigInteger(), nullable=True),
        sa.Column("disabled_because", sa.String(), nullable=True),
        sa.Column("lease", sa.String(), nullable=True),
        sa.Column("leased_until", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    with op.batch_alter_table("webhook_subscription", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_webhook_subscription_api_key"), ["api_key"], unique=False)


def downgrade() -> None:
    """Take the step back."""
    with op.batch_alter_table("webhook_subscription", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_webhook_subscription_api_key"))

    op.drop_table("webhook_subscription")
    with op.batch_alter_table("webhook_delivery", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_webhook_delivery_attempted_at"))

    op.drop_table("webhook_delivery")
    with op.batch_alter_table("credit_signature", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_credit_signature_signature"))

    op.drop_table("credit_signature")
    with op.batch_alter_table("credit_screening_hit", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_credit_screening_hit_record"))

    op.drop_table("credit_screening_hit")
    with op.batch_alter_table("credit_screening", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_credit_screening_api_key"))

    op.drop_table("credit_screening")
    with op.batch_alter_table("credit_operation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_credit_operation_state"))

    op.drop_table("credit_operation")
    op.drop_table("credit_name_state")
    with op.batch_alter_table("credit_name", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_credit_name_version"))

    op.drop_table("credit_name")
