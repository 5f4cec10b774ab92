"""The HTTP kit: order of layers, what is repeated, what each reply becomes, what never shows."""

from __future__ import annotations

import asyncio
import gzip
import logging
import random
import tracemalloc
import zlib
from datetime import UTC, datetime
from email.utils import format_datetime

import httpx
import pytest

from hub import sdk
from hub.errors import (
    ChannelError,
    ConfigError,
    ContractBroken,
    Forbidden,
    InDoubt,
    Reauthorize,
    Rejected,
    Retry,
    Throttled,
)
from hub.sdk.breaker import Breaker
from hub.sdk.limits import TokenBucket
from hub.sdk.reply import delay_s
from tests.sdk.wire import Clock, client, raw

CUT = httpx.ReadError("reset by peer at https://shop.test/?token=abc")


def ok(_request=None):
    return raw(b'{"ok": true}')


async def test_a_call_returns_decoded_json_and_sends_what_was_said():
    http, wire, _ = client(ok)

    body = await http.call(
        "post", "orders", json={"名": 1}, params={"a": 1, "b": None}, headers={"x-a": "1"}
    )

    assert body == {"ok": True}
    request = wire.requests[0]
    assert str(request.url) == "https://shop.test/api/orders?a=1"
    assert request.method == "POST"
    assert request.content == '{"名":1}'.encode()
    assert request.headers["content-type"] == "application/json"
    assert request.headers["accept-encoding"] == "gzip, deflate"
    assert request.headers["x-a"] == "1"


async def test_a_form_is_sent_as_a_form_and_bytes_as_they_are():
    http, wire, _ = client(ok, ok)

    await http.call("POST", "/rest", form={"method": "a.b", "名": "值"})
    await http.call("POST", "/rest", content=b"\x00\x01")

    assert wire.requests[0].content == b"method=a.b&%E5%90%8D=%E5%80%BC"
    assert wire.requests[0].headers["content-type"] == "application/x-www-form-urlencoded"
    assert wire.requests[1].content == b"\x00\x01"


async def test_numbers_with_a_fraction_come_as_their_text_and_long_ids_whole():
    http, _, _ = client(
        raw(b'{"price": 12.50, "big": 1e999, "id": 12345678901234567890123, "n": 3}')
    )

    assert await http.call("GET", "/") == {
        "price": "12.50",
        "big": "1e999",
        "id": 12345678901234567890123,
        "n": 3,
    }


async def test_send_gives_the_reply_with_request_id_and_skew():
    clock = Clock(at=datetime(2026, 10, 5, 8, tzinfo=UTC).timestamp())
    date = format_datetime(datetime(2026, 10, 5, 8, 1, 30, tzinfo=UTC), usegmt=True)
    http, _, _ = client(raw(b"[1]", date=date, x_request_id="req-7"), clock=clock)

    reply = await http.send("GET", "/secret?token=abc")

    assert (reply.status, reply.json, reply.request_id, reply.skew_s) == (200, [1], "req-7", 90.0)
    assert repr(reply) == "<Reply 200, 3 bytes>"


@pytest.mark.parametrize("date", ["", "yesterday", "Mon, 99 Foo 2026"])
async def test_a_reply_without_a_readable_date_says_nothing_about_the_clock(date):
    http, _, _ = client(raw(b"1", date=date))

    assert (await http.send("GET", "/")).skew_s is None


async def test_bytes_are_left_as_they_are_when_asked_for():
    http, _, _ = client(raw(b"a,b\n1,2\n", content_type="text/csv"))

    reply = await http.send("GET", "/file", expect="bytes")

    assert (reply.content, reply.json) == (b"a,b\n1,2\n", None)


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("DELETE", 204), ("PUT", 205)])
async def test_a_reply_that_has_no_body_is_none(method, status):
    http, _, _ = client(httpx.Response(status))

    assert await http.call(method, "/") is None


# Repetition


async def test_a_read_is_repeated_with_growing_pauses_and_signed_afresh():
    stamps = []

    class Stamped(httpx.Auth):
        def auth_flow(self, request):
            stamps.append(clock())
            yield request

    clock = Clock()
    http, wire, _ = client(
        CUT,
        raw(b"", 500),
        ok,
        clock=clock,
        auth=Stamped(),
        rng=random.Random(7),  # noqa: S311
    )

    assert await http.call("GET", "/") == {"ok": True}
    assert len(wire.requests) == 3
    assert 0.25 <= clock.slept[0] <= 0.5
    assert 0.5 <= clock.slept[1] <= 1.0
    times = [1000.0, 1000.0 + clock.slept[0], 1000.0 + sum(clock.slept)]
    assert stamps == pytest.approx(times, abs=0.01)


async def test_the_last_error_goes_up_after_the_tries():
    http, wire, clock = client(lambda _: raw(b"", 503))

    with pytest.raises(Retry, match="HTTP 503") as caught:
        await http.call("GET", "/orders")

    assert caught.value.code == "503"
    assert len(wire.requests) == 3
    assert len(clock.slept) == 2


async def test_the_total_time_ends_it_before_the_tries_do():
    policy = sdk.RetryPolicy(tries=100, total_s=60, first_s=20, max_s=20)
    http, wire, clock = client(lambda _: raw(b"", 500), policy=policy)

    with pytest.raises(Retry):
        await http.call("GET", "/")

    assert 3 <= len(wire.requests) <= 7
    assert sum(clock.slept) < 60


async def test_a_write_is_not_repeated_unless_it_may_be():
    once, wire_once, _ = client(lambda _: raw(b"", 429))
    often, wire_often, _ = client(raw(b"", 500), ok)

    with pytest.raises(Throttled):
        await once.call("POST", "/")
    assert await often.call("POST", "/", repeat=True) == {"ok": True}

    assert len(wire_once.requests) == 1
    assert len(wire_often.requests) == 2


@pytest.mark.parametrize(
    "answer",
    [
        CUT,
        httpx.ReadTimeout("x"),
        httpx.WriteError("x"),
        httpx.RemoteProtocolError("x"),
        lambda _: raw([b'{"ha', httpx.ReadError("x")]),
        lambda _: raw(b"<html>maintenance</html>", content_type="text/html"),
        lambda _: raw(b"", content_type="application/json"),
        lambda _: raw(b"not gzip", content_encoding="gzip"),
        lambda _: raw(b"{", content_type="application/json"),
        lambda _: raw(b"", 500),
        lambda _: raw(b"", 502),
        lambda _: raw(b"", 504),
    ],
)
async def test_a_write_without_a_clear_answer_is_in_doubt_and_sent_once(answer):
    http, wire, _ = client(answer)

    with pytest.raises(InDoubt):
        await http.call("POST", "/refund", json={})

    assert len(wire.requests) == 1


@pytest.mark.parametrize(
    "error", [httpx.ConnectError("x"), httpx.ConnectTimeout("x"), httpx.PoolTimeout("x")]
)
async def test_a_write_that_never_left_is_no_doubt(error):
    http, _, _ = client(error)

    with pytest.raises(Retry):
        await http.call("POST", "/refund", json={})


async def test_the_connectors_own_retry_word_goes_before_in_doubt():
    def classify(response, body):
        if body and body.get("code") == "busy":
            raise Retry("system busy", code="busy")

    http, _, _ = client(raw(b'{"code": "busy"}', 500), classify=classify)

    with pytest.raises(Retry) as caught:
        await http.call("POST", "/")
    assert caught.value.code == "busy"


# Throttling


@pytest.mark.parametrize(
    ("said", "delay"),
    [
        ({}, 5.0),
        ({"retry-after": "0"}, 1.0),
        ({"retry-after": "-7"}, 1.0),
        ({"retry-after": "2.5"}, 2.5),
        ({"retry-after": "1000000000"}, 900.0),
        ({"retry-after": "inf"}, 900.0),
        ({"retry-after": "nan"}, 5.0),
        ({"retry-after": "soon"}, 5.0),
        ({"retry-after": "Mon, 05 Oct 2026 08:00:40 GMT"}, 40.0),
        ({"retry-after": "Mon, 05 Oct 2020 08:00:00 GMT"}, 1.0),
    ],
)
def test_the_wait_a_channel_asks_for_is_clamped(said, delay):
    now = datetime(2026, 10, 5, 8, tzinfo=UTC).timestamp()

    assert delay_s(httpx.Headers(said), now=now) == delay


async def test_a_short_wait_is_kept_exactly_and_a_long_one_goes_up():
    short, _, clock = client(raw(b"", 429, retry_after="7"), ok)
    long, wire, unslept = client(lambda _: raw(b"", 429, retry_after="61"))

    assert await short.call("GET", "/") == {"ok": True}
    with pytest.raises(Throttled) as caught:
        await long.call("GET", "/")

    assert sum(clock.slept) == pytest.approx(7.0, abs=0.01)
    assert caught.value.delay_s == 61.0
    assert (len(wire.requests), unslept.slept) == (1, [])


async def test_what_a_channel_said_about_waiting_holds_for_the_next_call_too():
    http, wire, _ = client(raw(b"", 429, retry_after="300"), ok)

    for _ in range(2):
        with pytest.raises(Throttled) as caught:
            await http.call("GET", "/")

    assert caught.value.code == "quota"
    assert caught.value.delay_s == pytest.approx(300, abs=1)
    assert len(wire.requests) == 1


async def test_every_attempt_takes_its_cost_from_the_limiter():
    clock = Clock()
    bucket = TokenBucket(100, 1, clock=clock, sleep=clock.sleep)
    http, _, _ = client(raw(b"", 500), ok, clock=clock, limiter=bucket)

    await http.call("GET", "/", cost=30)

    assert bucket.state().tokens == pytest.approx(40 + sum(clock.slept), abs=0.01)


# The tables


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (301, ContractBroken),
        (302, ContractBroken),
        (304, ContractBroken),
        (400, Rejected),
        (401, Reauthorize),
        (402, Forbidden),
        (403, Forbidden),
        (404, Rejected),
        (408, Throttled),
        (409, Rejected),
        (422, Rejected),
        (423, Retry),
        (425, Retry),
        (429, Throttled),
        (430, Throttled),
        (500, Retry),
        (503, Retry),
        (599, Retry),
    ],
)
async def test_each_status_becomes_what_to_do_next(status, error):
    http, _, _ = client(
        lambda _: raw(b"whatever", status, x_request_id="r-1", location="https://evil.test/?t=1")
    )

    with pytest.raises(error) as caught:
        await http.call("GET", "/orders?token=abc")

    assert type(caught.value) is error
    assert caught.value.code == str(status)
    assert caught.value.request_id == "r-1"
    assert "abc" not in str(caught.value)
    assert "evil" not in str(caught.value)


async def test_a_redirect_is_not_followed():
    http, wire, _ = client(lambda _: raw(b"", 302, location="https://shop.test/api/other"))

    with pytest.raises(ContractBroken):
        await http.call("GET", "/")

    assert len(wire.requests) == 1


async def test_forbidden_names_the_permission_and_reauthorize_what_to_do():
    forbidden, _, _ = client(raw(b"", 403))
    refused, _, _ = client(raw(b"", 401))

    with pytest.raises(Forbidden) as no:
        await forbidden.call("GET", "/members")
    with pytest.raises(Reauthorize) as out:
        await refused.call("GET", "/")

    assert no.value.permission == "<GET /members>"
    assert out.value.hint == "Sign in to the channel again."


async def test_the_connector_sees_every_reply_before_the_default_table():
    seen = []

    def classify(response, body):
        seen.append((response.status_code, response.text, body))
        if body == {"errcode": 42001}:
            raise Reauthorize("token expired", code="42001")

    http, _, _ = client(
        raw(gzip.compress(b'{"errcode": 42001}'), content_encoding="gzip", x_request_id="r9"),
        raw(b"nope", 404, content_type="text/plain"),
        ok,
        classify=classify,
    )

    with pytest.raises(Reauthorize) as caught:
        await http.call("GET", "/")
    with pytest.raises(Rejected):
        await http.call("GET", "/")
    await http.call("GET", "/")

    assert caught.value.request_id == "r9"
    assert seen == [
        (200, '{"errcode": 42001}', {"errcode": 42001}),
        (404, "nope", None),
        (200, '{"ok": true}', {"ok": True}),
    ]


# FLT-14: classified by body, never "no data"


@pytest.mark.parametrize(
    ("answer", "error", "code"),
    [
        (lambda _: raw(b"<html>login</html>", content_type="text/html"), Retry, "html"),
        (lambda _: raw(b"  \n<!DOCTYPE html>", content_type="application/json"), Retry, "html"),
        (lambda _: raw(b"", content_type="application/json"), Retry, "empty"),
        (lambda _: raw(b"upstream error", content_type="text/plain"), Retry, "not_json"),
        (lambda _: raw(b'{"a": ', content_type="application/json"), ContractBroken, "not_json"),
        (lambda _: raw(b'{"a": NaN}'), ContractBroken, "not_json"),
        (lambda _: raw(b'"\\ud800"'), ContractBroken, "not_json"),
        (lambda _: raw(b"\xff\xfe"), ContractBroken, "not_json"),
        (lambda _: raw(b"9" * 5000), ContractBroken, "not_json"),
        (lambda _: raw(b"[" * 100_000), ContractBroken, "too_deep"),
        (lambda _: raw(b"not gzip", content_encoding="gzip"), Retry, "no_answer"),
        (
            lambda _: raw(gzip.compress(b'{"a": 1}')[:-9], content_encoding="gzip"),
            Retry,
            "no_answer",
        ),
        (lambda _: raw(b"{}", content_encoding="br"), ContractBroken, "encoding"),
        (lambda _: raw(b"{}", content_length="99999999999999999999999"), ContractBroken, "too_big"),
    ],
)
async def test_a_reply_that_is_not_the_json_asked_for_is_never_no_data(answer, error, code):
    http, _, _ = client(answer)

    with pytest.raises(error) as caught:
        await http.call("GET", "/")

    assert (type(caught.value), caught.value.code) == (error, code)


async def test_json_under_another_content_type_is_json():
    http, _, _ = client(raw(b'{"a": 1}', content_type="text/javascript;charset=UTF-8"))

    assert await http.call("GET", "/") == {"a": 1}


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (gzip.compress(b'{"a": 1}', mtime=0), "gzip"),
        (gzip.compress(b'{"a"', mtime=0) + gzip.compress(b": 1}", mtime=0), "gzip"),
        (zlib.compress(b'{"a": 1}'), "deflate"),
        (zlib.compress(b'{"a": 1}')[2:-4], "deflate"),
        (b'{"a": 1}', "identity"),
    ],
)
async def test_compressed_replies_are_read_in_pieces(body, encoding):
    http, _, _ = client(
        raw([body[n : n + 3] for n in range(0, len(body), 3)], content_encoding=encoding)
    )

    assert await http.call("GET", "/") == {"a": 1}


async def test_a_gzip_bomb_stops_at_the_limit():
    bomb = gzip.compress(bytes(300_000_000), 9)
    http, _, _ = client(lambda _: raw(bomb, content_encoding="gzip"), limit_bytes=4_000_000)
    tracemalloc.start()
    try:
        with pytest.raises(ContractBroken, match="larger than 4000000 bytes") as caught:
            await http.call("GET", "/")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert caught.value.code == "too_big"
    assert peak < 32_000_000


async def test_the_limit_itself_is_allowed_and_one_byte_more_is_not():
    body = b'"' + b"x" * 98 + b'"'
    fits, _, _ = client(raw(body), limit_bytes=100)
    plain, _, _ = client(raw([body, b" "]), limit_bytes=100)
    packed, _, _ = client(raw(gzip.compress(body + b" "), content_encoding="gzip"), limit_bytes=100)

    assert await fits.call("GET", "/") == "x" * 98
    for http in (plain, packed):
        with pytest.raises(ContractBroken):
            await http.call("GET", "/")


# Time


async def test_a_channel_that_never_answers_ends_with_the_timeout():
    class Hangs(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request):
            await asyncio.sleep(60)

    http = sdk.Http("https://shop.test", transport=Hangs(), timeout_s=0.02, policy=sdk.ONCE)

    with pytest.raises(Retry, match="TimeoutError"):
        await http.call("GET", "/")
    with pytest.raises(InDoubt):
        await http.call("POST", "/")


async def test_a_body_that_drips_ends_with_the_timeout():
    class Drip(httpx.AsyncByteStream):
        async def __aiter__(self):
            while True:
                yield b" "
                await asyncio.sleep(0.005)

    http, _, _ = client(
        lambda _: httpx.Response(200, stream=Drip()), timeout_s=0.03, policy=sdk.ONCE
    )

    with pytest.raises(Retry):
        await http.call("GET", "/")


# The breaker


async def test_after_five_unanswered_calls_the_channel_is_left_alone_then_probed():
    clock = Clock()
    http, wire, _ = client(*[CUT] * 5, ok, clock=clock, policy=sdk.ONCE)
    for _ in range(5):
        with pytest.raises(Retry):
            await http.call("GET", "/")

    with pytest.raises(Throttled) as caught:
        await http.call("GET", "/")
    clock.at += 30
    assert await http.call("GET", "/") == {"ok": True}

    assert caught.value.code == "breaker_open"
    assert len(wire.requests) == 6
    assert http.breaker.phase == "closed"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429])
async def test_an_answer_that_refuses_does_not_open_the_breaker(status):
    http, _, clock = client(lambda _: raw(b"", status), policy=sdk.ONCE)

    for _ in range(9):
        clock.at += 1000
        with pytest.raises(ChannelError):
            await http.call("GET", "/")

    assert http.breaker.phase == "closed"


async def test_a_cancelled_probe_lets_the_next_one_through():
    clock = Clock()
    breaker = Breaker(now=clock)
    for _ in range(5):
        breaker.failed()
    clock.at += 31
    started = asyncio.Event()

    class Hangs(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request):
            started.set()
            await asyncio.sleep(60)

    http = sdk.Http("https://shop.test", transport=Hangs(), breaker=breaker, policy=sdk.ONCE)
    probe = asyncio.create_task(http.call("GET", "/"))
    await started.wait()
    with pytest.raises(Throttled):
        await http.call("GET", "/")

    probe.cancel()
    with pytest.raises(asyncio.CancelledError):
        await probe

    breaker.admit()
    assert breaker.phase == "half_open"


# Credentials stay where they belong


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.test/x",
        "//evil.test/x",
        "http://shop.test/x",
        "https://shop.test:8443/x",
        "https://shop.test.evil.test/",
    ],
)
async def test_a_signed_call_to_another_origin_is_refused_before_anything_is_sent(path):
    http, wire, _ = client(ok, auth=sdk.bearer("abc"))

    with pytest.raises(ConfigError):
        await http.call("GET", path)

    assert wire.requests == []


async def test_an_unsigned_call_may_go_elsewhere_without_the_credentials():
    http, wire, _ = client(ok, auth=sdk.bearer("abc"))

    await http.send("GET", "https://files.test/result", signed=False)
    await http.call("GET", "https://shop.test/api/x")

    assert "authorization" not in wire.requests[0].headers
    assert wire.requests[1].headers["authorization"] == "Bearer abc"


@pytest.mark.parametrize("path", ["https://shop.test:99999/", "https://[bad/", "\x00"])
async def test_what_is_no_address_is_refused_as_a_setting(path):
    http, _, _ = client(ok)

    with pytest.raises(ConfigError):
        await http.call("GET", path)


async def test_a_request_the_client_refuses_to_send_is_a_setting_not_an_outage():
    http, _, _ = client(httpx.UnsupportedProtocol("ftp://user:pw@x"))

    with pytest.raises(ConfigError) as caught:
        await http.call("GET", "/")

    assert "pw" not in str(caught.value)


async def test_no_secret_reaches_a_log_an_error_or_a_repr(caplog):
    caplog.set_level(logging.DEBUG)
    http, _, _ = client(CUT, raw(b'{"token": "canary-3"}', 500), ok, auth=sdk.bearer("canary-1"))

    await http.call("GET", "/x?access_token=canary-2", params={"sign": "canary-4"})
    dead, _, _ = client(CUT, auth=sdk.header("X-Token", "canary-1"))
    with pytest.raises(Retry) as caught:
        await dead.call("GET", "/x?access_token=canary-2")

    told = caught.value
    assert str(told) == "No answer to <GET /x> (ReadError)."
    assert (told.__cause__, told.__suppress_context__) == (None, True)
    assert "httpx" not in [record.name for record in caplog.records]
    assert "canary" not in f"{caplog.text} {http!r} {told!r} {told.hint}"
    assert repr(http) == "<Http shop.test>"


async def test_parameters_join_a_query_that_is_in_the_path():
    http, wire, _ = client(ok)

    await http.call("GET", "/x?a=1", params={"b": 2})

    assert str(wire.requests[0].url) == "https://shop.test/api/x?a=1&b=2"


async def test_the_ask_shows_method_and_path_only():
    ask = sdk.http.Ask("GET", "/a?b=canary", json={"c": "canary"})

    assert repr(ask) == "<GET /a>"


async def test_close_closes_the_transport():
    class Closes(httpx.MockTransport):
        closed = False

        async def aclose(self):
            self.closed = True

    transport = Closes(lambda request: httpx.Response(200, json=1))
    http = sdk.Http("https://shop.test", transport=transport)

    assert await http.call("GET", "/") == 1
    await http.close()

    assert transport.closed
