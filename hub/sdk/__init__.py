"""What a connector author imports: `from hub import sdk`.

The contract (`Connector`, `Manifest`, `Page`, `Change`, …), the HTTP kit, signing, time
windows and the hooks. Two modules are left out on purpose: `hub.sdk.testing` (needs pytest) and
`hub.sdk.discover` (for the engine).
"""

from __future__ import annotations

from hub.sdk.auth import HeaderToken, bearer, header
from hub.sdk.contract import (
    KIND_NAMES,
    Account,
    Change,
    Connection,
    Connector,
    ContractGap,
    Cursor,
    Delivery,
    Document,
    Fault,
    Kind,
    Manifest,
    Notice,
    Outcome,
    Page,
    Place,
    Pull,
    Push,
    Rate,
    Receipt,
    Source,
    Stream,
    Verdict,
    Webhooks,
    codes,
)
from hub.sdk.folder import Entry, Folder
from hub.sdk.hooks import Transform, hookimpl
from hub.sdk.http import Classify, Http
from hub.sdk.limits import Limiter
from hub.sdk.redact import Credentials, Secret
from hub.sdk.reply import Reply
from hub.sdk.retry import ONCE, RetryPolicy
from hub.sdk.texts import Texts, decode

__all__ = [
    "KIND_NAMES",
    "ONCE",
    "Account",
    "Change",
    "Classify",
    "Connection",
    "Connector",
    "ContractGap",
    "Credentials",
    "Cursor",
    "Delivery",
    "Document",
    "Entry",
    "Fault",
    "Folder",
    "HeaderToken",
    "Http",
    "Kind",
    "Limiter",
    "Manifest",
    "Notice",
    "Outcome",
    "Page",
    "Place",
    "Pull",
    "Push",
    "Rate",
    "Receipt",
    "Reply",
    "RetryPolicy",
    "Secret",
    "Source",
    "Stream",
    "Texts",
    "Transform",
    "Verdict",
    "Webhooks",
    "bearer",
    "codes",
    "decode",
    "header",
    "hookimpl",
]
