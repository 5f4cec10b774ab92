"""The bytes of a sealed value, and the keyed hash that finds equal ones. Pure but for the nonce.

    "v1" | length of key id (1 byte) | key id | nonce (12) | ciphertext | tag (16)

AES-256-GCM. The place a value belongs to (merchant, table, column, row) is associated data, so a
value copied into another row does not open. Each value names the key that sealed it, so keys
can change while rows are read.
"""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections.abc import Callable
from typing import Final, Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.errors import HubError

VERSION: Final = b"v1"
KEY_BYTES: Final = 32
NONCE_BYTES: Final = 12  # 96 random bits: at most 2^32 seals per key (NIST SP 800-38D, 8.3)
TAG_BYTES: Final = 16
INDEX_BYTES: Final = 16
_HEAD: Final = len(VERSION) + 1
_BLOCK: Final = 64  # bytes of one SHA-256 block

IndexKind = Literal["phone", "email", "text"]


class SealError(HubError):
    """A sealed value does not open: it was moved, changed, cut, or is none."""


class KeyMissingError(SealError):
    """A value was sealed with a key that is not at hand."""


def frame(key_id: str) -> bytes:
    """Return what stands before the nonce of everything sealed with this key."""
    name = key_id.encode()
    if not 0 < len(name) < 256:  # noqa: PLR2004 - its length is one byte
        raise ValueError("a key id has 1 to 255 bytes")
    return VERSION + bytes([len(name)]) + name


def seal(key: bytes, key_id: str, plaintext: bytes, aad: bytes) -> bytes:
    """Seal a value for the place `aad`. Sealing twice gives different bytes."""
    nonce = os.urandom(NONCE_BYTES)
    return frame(key_id) + nonce + AESGCM(key).encrypt(nonce, plaintext, aad)


def key_id_of(sealed: bytes) -> str:
    """Return the id of the key a value was sealed with."""
    end = _HEAD + (sealed[len(VERSION)] if len(sealed) > len(VERSION) else 0)
    if (
        not sealed.startswith(VERSION)
        or end == _HEAD
        or len(sealed) < end + NONCE_BYTES + TAG_BYTES
    ):
        raise SealError("This is no sealed value, or part of one.")
    try:
        return sealed[_HEAD:end].decode()
    except UnicodeDecodeError:
        raise SealError("This is no sealed value: its key id is not text.") from None


def unseal(key: AESGCM, sealed: bytes, aad: bytes) -> bytes:
    """Open a framed value with the right cipher; `SealError` if it is not from this place."""
    start = _HEAD + sealed[len(VERSION)]
    try:
        return key.decrypt(sealed[start : start + NONCE_BYTES], sealed[start + NONCE_BYTES :], aad)
    except InvalidTag:
        raise SealError(
            "A sealed value does not open: it was changed, or it belongs to another row or column."
        ) from None


def unseal_with(key: bytes, key_id: str, sealed: bytes, aad: bytes) -> bytes:
    """Open a value that must have been sealed with this very key."""
    found = key_id_of(sealed)
    if found != key_id:
        raise KeyMissingError(f"This value was sealed with key {found!r}, not with {key_id!r}.")
    return unseal(AESGCM(key), sealed, aad)


def indexer(key: bytes) -> Callable[[str, str], bytes]:
    """Return the function (kind, value) -> keyed hash: HMAC-SHA-256, its key set up once.

    Equal values give equal hashes, and nothing can be read from them without the key.
    """
    inner = hashlib.sha256(bytes(byte ^ 0x36 for byte in key.ljust(_BLOCK, b"\0")))  # RFC 2104
    outer = hashlib.sha256(bytes(byte ^ 0x5C for byte in key.ljust(_BLOCK, b"\0")))

    def index(kind: str, value: str) -> bytes:
        text = f"{kind}\0{normalised(kind, value)}"
        first, second = inner.copy(), outer.copy()
        first.update(text.encode("utf-8", "surrogatepass"))
        second.update(first.digest())
        return second.digest()[:INDEX_BYTES]

    return index


def blind_index(key: bytes, kind: IndexKind, value: str) -> bytes:
    """Return the keyed hash of one normalised value."""
    return indexer(key)(kind, value)


def normalised(kind: str, value: str) -> str:
    """Return the form of a value under which it is compared.

    phone: `+<country><number>`; a number without a country that looks like a mobile number of
    mainland China is one. email: lower case. text: as it is, without space around it (ids of
    people on a channel differ by case).
    """
    try:
        normal = _NORMAL[kind]
    except KeyError:
        known = ", ".join(sorted(_NORMAL))
        raise ValueError(f"unknown index kind {kind!r}; known: {known}") from None
    return normal(value)


_NOT_DIALLED: Final = re.compile(r"[^0-9+]+")
_CHINA_MOBILE: Final = re.compile(r"(?:\+|00)?(?:86)?(1[3-9][0-9]{9})\Z")


def _phone(value: str) -> str:
    if value.isascii() and value.isdigit():
        dialled = value
    else:
        dialled = _NOT_DIALLED.sub("", unicodedata.normalize("NFKC", value))
    digits = dialled.replace("+", "")
    abroad = dialled.startswith(("+", "00"))
    if abroad:
        digits = digits.removeprefix("00") if dialled.startswith("00") else digits
        return f"+{digits}"
    mobile = _CHINA_MOBILE.match(digits)
    return f"+86{mobile[1]}" if mobile else digits


def _email(value: str) -> str:
    return unicodedata.normalize("NFKC", value).strip().lower()


def _text(value: str) -> str:
    return unicodedata.normalize("NFC", value).strip()


_NORMAL: Final[dict[str, Callable[[str], str]]] = {"phone": _phone, "email": _email, "text": _text}
