"""Members and how channels know them. Canonical model 3.4; every personal column is sealed."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from hub.records.base import Link, Pii, Record, derived
from hub.records.time import Instant

IdentityKind = Literal[
    "wechat_unionid", "wechat_openid", "taobao_ouid", "taobao_open_uid", "jd_open_id",
    "shopify_customer_gid", "phone", "email", "pos_card_no", "buyer_nick", "channel_customer_id",
]  # fmt: skip
Strength = Literal["strong", "medium", "weak"]
ConsentState = Literal["granted", "denied", "withdrawn", "unknown"]


class MemberIdentity(Record):
    """One way a channel knows a person. Members merge only on an equal *strong* identity in one namespace."""

    table: ClassVar[str] = "member_identity"
    key: ClassVar[tuple[str, ...]] = ("kind", "namespace", "value")

    member_id: Annotated[str | None, Link("member")] = None
    kind: IdentityKind
    namespace: str = ""
    value: Annotated[str, Pii("pii_high", index="text")]
    strength: Strength = "weak"
    verified_at: Instant | None = None
    first_seen_at: Instant | None = derived(default=None)
    last_seen_at: Instant | None = derived(default=None)


class MemberAddress(Record):
    """A postal address: province and city in clear, the rest sealed."""

    table: ClassVar[str] = "member_address"
    key: ClassVar[tuple[str, ...]] = ("external_id",)

    member_id: Annotated[str | None, Link("member")] = None
    external_id: str
    name: Annotated[str | None, Pii("pii")] = None
    phone: Annotated[str | None, Pii("pii_high")] = None
    country: str | None = None
    province: str | None = None
    city: str | None = None
    district: str | None = None
    street: Annotated[str | None, Pii("pii_high")] = None
    zip: Annotated[str | None, Pii("pii_high")] = None
    is_default: bool = False


class Consent(Record):
    """May we use one contact channel for one purpose? The most restrictive answer wins over channels."""

    table: ClassVar[str] = "consent"
    key: ClassVar[tuple[str, ...]] = ("purpose", "channel")

    member_id: Annotated[str | None, Link("member")] = None
    purpose: Literal["marketing", "profiling", "service"]
    channel: Literal["email", "sms", "phone", "wechat", "app", "post"]
    state: ConsentState
    at: Instant | None = None
    evidence: str | None = None
    text_version: str | None = None


class PointsEntry(Record):
    """One signed movement of points, never changed; the balance is the sum."""

    table: ClassVar[str] = "points_entry"
    key: ClassVar[tuple[str, ...]] = ("idempotency_key",)

    member_id: Annotated[str | None, Link("member")] = None
    kind: Literal["earn", "redeem", "expire", "adjust", "reverse", "transfer"]
    points: int
    lot_id: str | None = None
    expires_at: Instant | None = None
    source_doc: str | None = None
    idempotency_key: str
    balance_after: int
    occurred_at: Instant


class Member(Record):
    """会员: a person, known by identities."""

    table: ClassVar[str] = "member"
    key: ClassVar[tuple[str, ...]] = ("external_id",)

    external_id: Annotated[str | None, Pii("pii")] = None
    """The channel's own customer id, as its document names it; the lasting link is `external_ref`."""
    code: str | None = None
    display_name: Annotated[str | None, Pii("pii")] = None
    gender: Annotated[str | None, Pii("pii")] = None
    birthday: Annotated[str | None, Pii("pii")] = None
    tier: str | None = None
    state: Literal["active", "frozen", "merged", "erased"] = "active"
    merged_into_id: Annotated[str | None, Link("member")] = None
    primary_phone: Annotated[str | None, Pii("pii_high", index="phone")] = None
    primary_email: Annotated[str | None, Pii("pii", index="email")] = None
    locale: str | None = None
    source_connection_id: Annotated[str | None, Link("connection")] = None
    enrolled_at: Instant | None = None
    source_updated_at: Instant | None = None
    identities: tuple[MemberIdentity, ...] = Field(default=())
    addresses: tuple[MemberAddress, ...] = Field(default=())
    consents: tuple[Consent, ...] = Field(default=())
