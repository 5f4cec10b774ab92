"""What a log line may show, and what it never does."""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from hub import log
from hub.errors import Retry, Throttled

CANARY = "c4nary-7f3a"

Lines = Callable[[], list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def restored_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def out() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def lines(out: io.StringIO) -> Lines:
    log.configure(level="debug", form="json", stream=out)
    return lambda: [json.loads(line) for line in out.getvalue().splitlines()]


def test_an_event_is_one_json_object_with_its_fields(lines: Lines) -> None:
    log.get_logger(connection="conn_17").info("page.applied", documents=100, took_s=0.81)

    (line,) = lines()
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "page.applied",
        "level": "info",
        "connection": "conn_17",
        "documents": 100,
        "took_s": 0.81,
    }


def test_a_named_logger_says_its_name(lines: Lines) -> None:
    log.get_logger("hub.sync.pull", kind="order").warning("page.held")

    assert (lines()[0]["module"], lines()[0]["kind"]) == ("hub.sync.pull", "order")


def test_a_field_that_is_not_listed_is_masked(lines: Lines) -> None:
    log.get_logger().info("order.seen", receiver_phone=CANARY, count=1)

    (line,) = lines()
    assert line["receiver_phone"] == log.MASK
    assert line["count"] == 1


def test_fields_inside_a_field_obey_the_list_too(lines: Lines) -> None:
    log.get_logger().info("page.seen", count={"held": 2, "token": CANARY}, kind=["order"])

    (line,) = lines()
    assert line["count"] == {"held": 2, "token": log.MASK}
    assert line["kind"] == ["order"]


def test_an_object_shows_its_type_and_never_its_repr(lines: Lines) -> None:
    @dataclass
    class Buyer:
        phone: str

    log.get_logger().info("order.seen", state=Buyer(CANARY), reason=CANARY.encode())

    (line,) = lines()
    assert (line["state"], line["reason"]) == ("<Buyer>", "<bytes>")


def test_a_sentence_is_not_an_event(lines: Lines, out: io.StringIO) -> None:
    log.get_logger().info(f"order of {CANARY} came")

    assert lines()[0]["event"] == "event.unnamed"
    assert CANARY not in out.getvalue()


def test_levels_below_the_chosen_one_are_silent(out: io.StringIO) -> None:
    log.configure(level="warning", form="json", stream=out)

    log.get_logger().info("page.applied")
    log.get_logger().warning("page.held")

    assert [json.loads(line)["event"] for line in out.getvalue().splitlines()] == ["page.held"]


@pytest.mark.parametrize("form", ["json", "console"])
def test_foreign_text_cannot_forge_a_line_or_move_the_cursor(out: io.StringIO, form: str) -> None:
    log.configure(level="info", form=form, stream=out)
    hostile = 'a\nlevel=error\r\x1b[2J\u202e\u2028{"event":"x"}\x00'

    log.get_logger().info("order.seen", reason=hostile, kind="订单")

    text = out.getvalue()
    assert text.count("\n") == 1
    assert text.endswith("\n")
    assert not any(mark in text for mark in "\r\x00\u202e\u2028")
    assert "\x1b[2J" not in text
    assert "订单" in text


def test_a_long_value_is_cut(lines: Lines) -> None:
    log.get_logger().info("order.seen", reason="x" * 10_000)

    assert lines()[0]["reason"] == "x" * 500 + log.MASK


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (f"https://api.example/x?access_token={CANARY}&a=1", "https://api.example/x…"),
        (f"https://user:{CANARY}@shop.example/x", "https://shop.example/x…"),
        (f"postgresql+psycopg://u:{CANARY}@db/hub", "postgresql+psycopg://db/hub…"),
        ("https://api.example/x", "https://api.example/x"),
        (f"see https://api.example/x#{CANARY} now", "see https://api.example/x… now"),
    ],
)
def test_an_address_shows_neither_query_nor_login(address: str, shown: str) -> None:
    assert log.shown(address) == shown


def test_our_own_error_is_shown_with_its_way_and_without_local_variables(
    lines: Lines, out: io.StringIO
) -> None:
    def reach() -> None:
        secret_local = CANARY
        raise Throttled(f"busy {len(secret_local)}", delay_s=3)

    try:
        reach()
    except Throttled:
        log.get_logger().exception("pull.failed")

    (line,) = lines()
    assert (line["error"], line["type"]) == ("busy 11", "Throttled")
    assert line["trace"].endswith(" reach")
    assert "test_log.py:" in line["trace"]
    assert CANARY not in out.getvalue()


def test_a_foreign_error_shows_its_type_and_not_its_message(lines: Lines, out: io.StringIO) -> None:
    request = httpx.Request("GET", f"https://api.example/?access_token={CANARY}")
    try:
        httpx.Response(500, request=request).raise_for_status()
    except httpx.HTTPStatusError as error:
        log.get_logger().error("pull.failed", exc_info=error)
        log.get_logger().error("pull.failed", error=error)

    assert [line["error"] for line in lines()] == ["HTTPStatusError", "HTTPStatusError"]
    assert CANARY not in out.getvalue()


def test_an_error_raised_from_a_foreign_one_does_not_bring_its_message(
    lines: Lines, out: io.StringIO
) -> None:
    try:
        try:
            raise ValueError(CANARY)
        except ValueError as error:
            raise Retry("the reply was not JSON") from error
    except Retry:
        log.get_logger().exception("pull.failed")

    assert lines()[0]["error"] == "the reply was not JSON"
    assert CANARY not in out.getvalue()


def test_http_libraries_stay_silent_even_at_debug(lines: Lines) -> None:
    logging.getLogger("httpx").info("HTTP Request: GET https://x/?access_token=%s", CANARY)
    logging.getLogger("httpcore.http11").debug("send headers X-Token: %s", CANARY)
    logging.getLogger("uvicorn.access").info("GET /hook?token=%s", CANARY)

    assert lines() == []


def test_a_library_warning_is_shown_as_a_template(lines: Lines, out: io.StringIO) -> None:
    logging.getLogger("apscheduler").warning("Job %r missed by %d s", CANARY, 7)

    (line,) = lines()
    assert (line["event"], line["module"]) == ("library.logged", "apscheduler")
    assert (line["level"], line["why"]) == ("warning", "Job … missed by 7 s")
    assert CANARY not in out.getvalue()


def test_a_library_message_shows_its_first_line_only(lines: Lines, out: io.StringIO) -> None:
    logging.getLogger("asyncio").critical(f"Task was never retrieved\nfuture: {CANARY}")

    (line,) = lines()
    assert (line["level"], line["why"]) == ("error", "Task was never retrieved")
    assert CANARY not in out.getvalue()


def test_a_library_error_brings_its_way(lines: Lines) -> None:
    try:
        raise ValueError(CANARY)
    except ValueError:
        logging.getLogger("library").exception("it broke")

    (line,) = lines()
    assert (line["error"], line["type"]) == ("ValueError", "ValueError")
    assert "test_log.py:" in line["trace"]


def test_a_warning_of_the_interpreter_is_logged_too(lines: Lines, out: io.StringIO) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn(f"old call {CANARY}", stacklevel=1)

    assert [line["module"] for line in lines()] == ["py.warnings"]
    assert CANARY not in out.getvalue()


def test_configuring_twice_does_not_log_twice(out: io.StringIO) -> None:
    log.configure(form="json", stream=io.StringIO())
    log.configure(form="json", stream=out)

    logging.getLogger("library").warning("once")

    assert len(out.getvalue().splitlines()) == 1


def test_context_goes_with_every_event(lines: Lines) -> None:
    with structlog.contextvars.bound_contextvars(merchant="m1", buyer=CANARY):
        log.get_logger().info("page.applied")

    assert (lines()[0]["merchant"], lines()[0]["buyer"]) == ("m1", log.MASK)


def test_a_stream_that_fails_loses_a_line_and_nothing_else() -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(28, "No space left on device")

    log.configure(form="json", stream=Full())

    log.get_logger().info("page.applied")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, None),
        (True, True),
        (datetime(2026, 11, 1, tzinfo=UTC), "2026-11-01T00:00:00+00:00"),
        (Path("a/b"), "a/b"),
        ({1}, [1]),
    ],
)
def test_plain_values_are_shown_plainly(value: object, shown: object) -> None:
    assert log.shown(value) == shown


@given(st.text(max_size=600))
def test_no_text_leaves_a_control_character(text: str) -> None:
    assert log.shown(text).isprintable()
