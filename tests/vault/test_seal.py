"""What a sealed value promises: round trip, its place, its key id, nothing to read."""

from __future__ import annotations

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.vault.seal import (
    KeyMissingError,
    SealError,
    blind_index,
    frame,
    key_id_of,
    normalised,
    seal,
    unseal_with,
)

KEY = bytes(range(32))
OTHER = bytes(range(1, 33))


@given(st.binary(max_size=300), st.binary(max_size=60), st.text(min_size=1, max_size=60))
def test_what_is_sealed_opens_again_at_its_place(plaintext, aad, key_id):
    sealed = seal(KEY, key_id, plaintext, aad)

    assert unseal_with(KEY, key_id, sealed, aad) == plaintext
    assert key_id_of(sealed) == key_id
    assert sealed.startswith(b"v1" + bytes([len(key_id.encode())]))


@given(st.binary(max_size=40), st.data())
def test_any_changed_byte_is_noticed(plaintext, data):
    sealed = bytearray(seal(KEY, "k1", plaintext, b"place"))
    place = data.draw(st.integers(0, len(sealed) - 1))
    sealed[place] ^= data.draw(st.integers(1, 255))

    with pytest.raises(SealError):
        unseal_with(KEY, "k1", bytes(sealed), b"place")


@given(st.binary(max_size=80))
def test_bytes_that_were_never_sealed_are_refused(rubbish):
    with pytest.raises(SealError):
        unseal_with(KEY, "k1", rubbish, b"")


@pytest.mark.parametrize("cut", range(45))
def test_a_cut_value_is_refused(cut):
    sealed = seal(KEY, "k1", b"twelve bytes", b"")
    assert len(sealed) == 45

    with pytest.raises(SealError):
        unseal_with(KEY, "k1", sealed[:cut], b"")


def test_another_place_or_key_does_not_open_and_the_key_is_named():
    sealed = seal(KEY, "k1", b"secret", b"m|t|c|row1")

    with pytest.raises(SealError, match="belongs to another row or column"):
        unseal_with(KEY, "k1", sealed, b"m|t|c|row2")
    with pytest.raises(SealError, match="was changed"):
        unseal_with(OTHER, "k1", sealed, b"m|t|c|row1")
    with pytest.raises(KeyMissingError, match="sealed with key 'k1', not with 'k2'"):
        unseal_with(KEY, "k2", sealed, b"m|t|c|row1")


def test_sealing_twice_gives_different_bytes():
    assert seal(KEY, "k1", b"same", b"") != seal(KEY, "k1", b"same", b"")


@pytest.mark.parametrize("key_id", ["", "x" * 256])
def test_a_key_id_that_cannot_be_framed_is_refused(key_id):
    with pytest.raises(ValueError, match="1 to 255 bytes"):
        frame(key_id)


def test_a_key_id_that_is_no_text_is_refused():
    with pytest.raises(SealError, match="not text"):
        key_id_of(b"v1\x01\xff" + bytes(28))


@pytest.mark.parametrize(
    ("kind", "value", "normal"),
    [
        ("phone", "138 0013-8000", "+8613800138000"),
        ("phone", "(+86) 138 0013 8000", "+8613800138000"),
        ("phone", "0086-13800138000", "+8613800138000"),
        ("phone", "8613800138000", "+8613800138000"),
        ("phone", "１３８００１３８０００", "+8613800138000"),
        ("phone", "+1 (415) 555-2671", "+14155552671"),
        ("phone", "001 415 555 2671", "+14155552671"),
        ("phone", "010-8888 6666", "01088886666"),
        ("phone", "12800138000", "12800138000"),
        ("email", "  Li.Lei@Example.COM ", "li.lei@example.com"),
        ("text", "  oAbC_123 ", "oAbC_123"),
    ],
)
def test_equal_people_written_differently_compare_equal(kind, value, normal):
    assert normalised(kind, value) == normal
    assert blind_index(KEY, kind, value) == blind_index(KEY, kind, normal)


@given(st.binary(min_size=32, max_size=32), st.text(max_size=40))
def test_the_hash_is_hmac_sha256_over_kind_and_normal_value(key, value):
    text = f"text\0{normalised('text', value)}".encode("utf-8", "surrogatepass")

    assert blind_index(key, "text", value) == hmac.digest(key, text, "sha256")[:16]


def test_the_hash_depends_on_key_kind_and_value_and_has_16_bytes():
    hashes = {
        blind_index(key, kind, value)
        for key in (KEY, OTHER)
        for kind in ("phone", "email", "text")
        for value in ("a@b.cn", "13800138000")
    }

    assert len(hashes) == 12
    assert {len(one) for one in hashes} == {16}
    assert blind_index(KEY, "text", "oAbC") != blind_index(KEY, "text", "oabc")


@given(st.sampled_from(["phone", "email", "text"]), st.text(max_size=40))
def test_normalising_twice_changes_nothing(kind, value):
    once = normalised(kind, value)

    assert normalised(kind, once) == once
