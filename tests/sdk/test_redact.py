"""Secrets show `…last4` at most, whatever is done to them."""

from __future__ import annotations

import copy
import dataclasses
import json
import logging
import pickle

import httpx
import msgspec
import pytest

from hub.sdk import Credentials, HeaderToken, Secret, bearer, header
from hub.sdk.redact import fields, headers, masked, quiet_http_logs

CANARY = "canary-4711-abcd"


@dataclasses.dataclass
class Holder:
    token: Secret


def test_no_way_of_showing_a_secret_shows_more_than_its_end():
    secret = Secret(CANARY)
    shown = [
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret:>30}",
        f"{secret}",
        f"{[secret]}",
        repr(Holder(secret)),
    ]

    assert secret.reveal() == CANARY
    assert repr(secret) == "Secret(…abcd)"
    assert all("canary" not in one and "4711" not in one for one in shown)
    assert repr(Secret("short-pin12")) == "Secret(…)"
    assert str(Secret("")) == ""


@pytest.mark.parametrize("thing", [Secret(CANARY), Credentials({"token": CANARY})])
def test_a_secret_is_not_encoded_or_pickled(thing):
    for encode in (json.dumps, msgspec.json.encode, pickle.dumps):
        with pytest.raises(TypeError) as caught:
            encode(thing)
        assert "canary" not in str(caught.value)


def test_a_secret_can_be_copied_compared_and_asked_for_but_not_hashed():
    secret = Secret(Secret(CANARY))

    assert copy.copy(secret) is secret
    assert copy.deepcopy([secret])[0] is secret
    assert dataclasses.asdict(Holder(secret))["token"] is secret
    assert secret == Secret(CANARY)
    assert secret != Secret("else")
    assert secret != CANARY
    assert bool(secret)
    assert not Secret("")
    assert not hasattr(secret, "__dict__")
    with pytest.raises(TypeError):
        hash(secret)


def test_credentials_read_like_a_form_and_show_only_names():
    form = Credentials({"url": "https://x.test", "token": CANARY})

    assert form["token"] == CANARY
    assert dict(form) == {"url": "https://x.test", "token": CANARY}
    assert len(form) == 2
    assert f"{form!r} {form}" == "Credentials(token, url) Credentials(token, url)"


def test_headers_pass_an_allow_list():
    shown = headers(
        {
            "Content-Type": "application/json",
            "X-Shopify-Access-Token": CANARY,
            "Set-Cookie": "a=1",
            "X-Request-Id": "r",
        }
    )

    assert shown == {
        "content-type": "application/json",
        "x-shopify-access-token": "…",
        "set-cookie": "…",
        "x-request-id": "r",
    }


def test_fields_pass_an_allow_list():
    assert fields({"id": 1, "name": "张三", "new": {"deep": 1}}, allow=["id"]) == {
        "id": 1,
        "name": "…",
        "new": "…",
    }


@pytest.mark.parametrize(
    ("text", "shown"), [("", ""), ("12345678901", "…"), ("123456789012", "…9012")]
)
def test_masking(text, shown):
    assert masked(text) == shown


def signed(auth):
    return next(auth.auth_flow(httpx.Request("GET", "https://x.test"))).headers


def test_ready_made_signing_sets_its_header_and_hides_the_token():
    assert signed(bearer(CANARY))["authorization"] == f"Bearer {CANARY}"
    assert signed(header("X-Token", Secret(CANARY)))["x-token"] == CANARY
    assert repr(HeaderToken("X-Token", CANARY)) == "HeaderToken(X-Token)"
    assert CANARY not in repr(vars(bearer(CANARY)))


def test_the_http_libraries_say_nothing_even_at_debug(caplog):
    quiet_http_logs()
    quiet_http_logs()
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore.http11", "httpcore.connection"):
        logging.getLogger(name).info("GET https://x.test/?access_token=%s", CANARY)

    assert caplog.records == []
    assert len(logging.getLogger("httpx").filters) == 1
