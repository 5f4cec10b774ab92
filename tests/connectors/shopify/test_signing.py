"""Webhook and OAuth signatures against vectors computed by other tools."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from connectors.shopify.signing import verify_query, verify_webhook

# printf '%s' "$BODY" | openssl dgst -sha256 -hmac hush -binary | base64
BODY = '{"id":9001,"name":"#1042","note":"礼物"}'.encode()
HEADER = "1S+WnzTaS1EqgjvdMtCgPDAeMr6LKTuS4QpngIXzKXA="
# The example of Shopify's Ruby and Python libraries: parameters of an OAuth callback, secret "hush".
QUERY = {
    "code": "0907a61c0c8d55e99db179b68161bc00",
    "shop": "some-shop.myshopify.com",
    "timestamp": "1337178173",
}
QUERY_HMAC = "4712bf92ffc2917d15a2f5a273e39f0116667419aa4b6ac0b3baaf26fa3c4d20"
ARRAY_HMAC = "f75e21f314b402f9a6d0f41b8f4a391166feb4e9fb60a88c1e9af605085bb0d3"


def test_the_right_signature_of_the_raw_bytes_is_accepted() -> None:
    assert verify_webhook("hush", BODY, HEADER) is True


def test_a_header_with_spaces_around_is_the_same_header() -> None:
    assert verify_webhook("hush", BODY, f" {HEADER}\r\n") is True


def test_one_changed_byte_a_wrong_secret_or_no_signature_is_refused() -> None:
    assert verify_webhook("hush", BODY + b" ", HEADER) is False
    assert verify_webhook("hush2", BODY, HEADER) is False
    assert verify_webhook("hush", BODY, "") is False
    assert verify_webhook("hush", BODY, HEADER[:-2]) is False


def test_a_header_that_is_no_ascii_is_refused_not_an_error() -> None:
    assert verify_webhook("hush", BODY, "签名") is False


def test_a_body_encoded_anew_is_refused() -> None:
    assert verify_webhook("hush", BODY.replace(b'","', b'", "'), HEADER) is False


def test_a_callback_with_its_hmac_is_accepted_in_any_order() -> None:
    turned = dict(reversed([*QUERY.items(), ("hmac", QUERY_HMAC)]))

    assert verify_query("hush", {**QUERY, "hmac": QUERY_HMAC}) is True
    assert verify_query("hush", turned) is True


def test_the_legacy_signature_parameter_is_not_signed() -> None:
    assert verify_query("hush", {**QUERY, "signature": "old", "hmac": QUERY_HMAC}) is True


def test_an_array_is_signed_as_a_list_of_texts() -> None:
    assert verify_query("hush", {**QUERY, "ids": '["2", "1"]', "hmac": ARRAY_HMAC}) is True
    assert verify_query("hush", {**QUERY, "ids": '["1", "2"]', "hmac": ARRAY_HMAC}) is False


def test_a_changed_added_or_missing_parameter_is_refused() -> None:
    signed = {**QUERY, "hmac": QUERY_HMAC}

    assert verify_query("hush", {**signed, "shop": "other.myshopify.com"}) is False
    assert verify_query("hush", {**signed, "extra": "1"}) is False
    assert verify_query("hush", {k: v for k, v in signed.items() if k != "code"}) is False
    assert verify_query("hush", QUERY) is False
    assert verify_query("hush2", signed) is False


@given(st.binary(), st.text())
def test_no_header_but_the_right_one_passes(body: bytes, header: str) -> None:
    assert verify_webhook("hush", body, f"x{header}") is False
