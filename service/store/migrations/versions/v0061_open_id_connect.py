"""Signing in by OpenID Connect: who people are at the provider, sign-ins that were begun, roles by what it says."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0061"
down_revision: str | None = "0040"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Apply. Roles that are there were given by hand."""
    op.create_table(
        "oidc_identities",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("person_id", sa.String(40), nullable=False),
        sa.Column("issuer", sa.String(500), nullable=False),
        sa.Column("subject", sa.String(255), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name=op.f("fk_oidc_identities_person_id_people")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oidc_identities")),
        sa.UniqueConstraint("person_id", name=op.f("uq_oidc_identities_person_id")),
        sa.UniqueConstraint("issuer", "subject", name=op.f("uq_oidc_identities_issuer")),
    )
    op.create_table(
        "oidc_attempts",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("state", sa.String(64), nullable=False),
        sa.Column("secret", sa.String(64), nullable=False),
        sa.Column("following", sa.String(1000), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=False),
        sa.Column("used_at", _INSTANT),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oidc_attempts")),
        sa.UniqueConstraint("state", name=op.f("uq_oidc_attempts_state")),
    )
    op.create_index(op.f("ix_oidc_attempts_expires_at"), "oidc_attempts", ["expires_at"])
    op.create_table(
        "role_rules",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("claim", sa.String(200), nullable=False),
        sa.Column("value", sa.String(500), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("project_id", sa.String(40)),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["project_id"], ["projects.id"], name=op.f("fk_role_rules_project_id_projects")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role_rules")),
    )
    with op.batch_alter_table("grants") as grants:
        grants.add_column(sa.Column("origin", sa.String(20), server_default="hand", nullable=False))
    op.create_table(
        "provider_tokens",
        sa.Column("id", sa.String(40), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["id"], ["sessions.id"], name=op.f("fk_provider_tokens_id_sessions")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_provider_tokens")),
    )
