"""Every check of the conformance suite catches the faults it is there for."""

from __future__ import annotations

import hmac
import inspect
import json
import logging
from collections import Counter
from dataclasses import replace
from typing import ClassVar

import pytest

from hub import sdk
from hub.errors import HubError, InDoubt, Reauthorize, Rejected, Retry, Throttled
from hub.sdk import Notice, Outcome, Page, Receipt
from hub.sdk.testing import ConnectorSuite
from tests.sdk import acme, test_acme

BAD_FORM = {"type": "object", "properties": {"token": {"type": "integer", "writeOnly": True}}}


class EmptyTokenAtTheEnd(acme.Acme):
    async def pull(self, kind, cursor):
        async for page in super().pull(kind, cursor):
            yield replace(page, cursor={**page.cursor, "after": ""}) if page.done else page


class CursorAhead(acme.Acme):
    async def pull(self, kind, cursor):
        async for page in super().pull(kind, cursor):
            ahead = {"after": "o6"} if "after" in page.cursor else page.cursor
            yield replace(page, cursor=ahead)


class CursorNoJson(acme.Acme):
    async def pull(self, kind, cursor):
        async for page in super().pull(kind, {}):
            yield replace(page, cursor={"pages": (1, 2)})


class NeverDone(acme.Acme):
    async def pull(self, kind, cursor):
        async for page in super().pull(kind, cursor):
            yield replace(page, done=False)


class AlwaysDone(acme.Acme):
    async def pull(self, kind, cursor):
        async for page in super().pull(kind, cursor):
            yield replace(page, done=True)


class Endless(acme.Acme):
    async def pull(self, kind, cursor):
        while True:
            yield Page([], cursor)


class ShowsNothing(acme.Acme):
    async def pull(self, kind, cursor):
        yield Page([], {}, done=True)


class Remembers(acme.Acme):
    seen: ClassVar = set()

    async def pull(self, kind, cursor):
        async for page in super().pull(kind, cursor):
            fresh = [one for one in page.documents if one["id"] not in self.seen]
            self.seen |= {one["id"] for one in page.documents}
            yield replace(page, documents=fresh)


def swallows(*errors):
    class Swallows(acme.Acme):
        async def pull(self, kind, cursor):
            try:
                async for page in super().pull(kind, cursor):
                    yield page
            except errors:
                yield Page([], cursor, done=True)

    return Swallows


class OwnDelay(acme.Acme):
    async def pull(self, kind, cursor):
        try:
            async for page in super().pull(kind, cursor):
                yield page
        except Throttled:
            raise Throttled("busy", delay_s=1) from None


class ReasonSwallowed(acme.Acme):
    async def push(self, kind, changes):
        return [Outcome(one.key) for one in await super().push(kind, changes)]


class ReasonMissing(acme.Acme):
    async def push(self, kind, changes):
        return [one for one in await super().push(kind, changes) if not one.error]


class AnsweredTwice(acme.Acme):
    async def push(self, kind, changes):
        return [*await super().push(kind, changes)] * 2


class AllFailed(acme.Acme):
    async def push(self, kind, changes):
        return [Outcome(one.key, error="no") for one in changes]


class OnceOnly(acme.Acme):
    pushed: ClassVar = Counter()

    async def push(self, kind, changes):
        self.pushed.update(one.key for one in changes)
        return [Outcome(c.key, error="again" if self.pushed[c.key] > 1 else None) for c in changes]


class HopesForTheBest(acme.Acme):
    async def push(self, kind, changes):
        try:
            return await super().push(kind, changes)
        except (Retry, InDoubt):
            return [Outcome(one.key) for one in changes]


class FindsAnything(acme.Acme):
    async def fetch(self, kind, key):
        return {"id": key}


class FindsNothing(acme.Acme):
    async def fetch(self, kind, key):
        return None


class LogsTheToken(acme.Acme):
    async def check(self):
        logging.getLogger("acme").debug("signing in with %s", self.connection.credentials["token"])
        return await super().check()


class TokenInError(acme.Acme):
    async def pull(self, kind, cursor):
        try:
            async for page in super().pull(kind, cursor):
                yield page
        except Reauthorize:
            raise Reauthorize(f"bad {self.connection.credentials['token']}") from None


class TokenInRepr(acme.Acme):
    def __repr__(self):
        return f"Acme({self.connection.credentials['token'].encode().hex()})"


class VerifiesNothing(acme.Acme):
    def receive(self, delivery):
        return Receipt([Notice("order", "o1")])


class ParsesFirst(acme.Acme):
    def receive(self, delivery):
        json.loads(delivery.body)
        return super().receive(delivery)


class ComparesText(acme.Acme):
    def receive(self, delivery):
        wanted = acme.sign(acme.TOKEN, delivery.body)
        if not hmac.compare_digest(wanted, delivery.headers.get("x-acme-sign", "")):
            raise Rejected("wrong")
        return Receipt([])


class Stateful(acme.Acme):
    calls = 0

    def receive(self, delivery):
        receipt = super().receive(delivery)
        type(self).calls += 1
        return replace(receipt, dedupe_key=str(self.calls))


class PromisesRenewal(acme.Acme):
    manifest = replace(acme.Acme.manifest, renews=True)


class HidesPush(acme.Acme):
    manifest = replace(acme.Acme.manifest, streams={"order": sdk.Stream(pull=sdk.Pull())})


class BadForm(acme.Acme):
    manifest = replace(acme.Acme.manifest, credentials=BAD_FORM)


PLANTED = [
    (EmptyTokenAtTheEnd, "test_a_finished_walk_can_be_repeated_from_its_cursor"),
    (EmptyTokenAtTheEnd, "test_resuming_from_any_page_loses_nothing"),
    (CursorAhead, "test_resuming_from_any_page_loses_nothing"),
    (CursorNoJson, "test_every_walk_ends_and_its_cursors_survive_json"),
    (NeverDone, "test_every_walk_ends_and_its_cursors_survive_json"),
    (AlwaysDone, "test_every_walk_ends_and_its_cursors_survive_json"),
    (Endless, "test_every_walk_ends_and_its_cursors_survive_json"),
    (ShowsNothing, "test_every_walk_ends_and_its_cursors_survive_json"),
    (Remembers, "test_pulling_twice_gives_the_same"),
    (swallows(Reauthorize), "test_a_wrong_secret_raises_reauthorize"),
    (swallows(Throttled), "test_throttling_raises_throttled_with_the_delay"),
    (OwnDelay, "test_throttling_raises_throttled_with_the_delay"),
    (swallows(Retry), "test_a_fault_while_reading_raises_retry"),
    (ReasonSwallowed, "test_push_answers_every_change_once"),
    (ReasonMissing, "test_push_answers_every_change_once"),
    (AnsweredTwice, "test_push_answers_every_change_once"),
    (AllFailed, "test_push_answers_every_change_once"),
    (OnceOnly, "test_pushing_an_absolute_state_twice_is_harmless"),
    (HopesForTheBest, "test_a_fault_while_writing_is_never_a_success"),
    (FindsAnything, "test_fetch_finds_what_is_there_and_nothing_else"),
    (FindsNothing, "test_fetch_finds_what_is_there_and_nothing_else"),
    (LogsTheToken, "test_no_secret_shows_in_a_log_line_an_error_or_a_repr"),
    (TokenInError, "test_no_secret_shows_in_a_log_line_an_error_or_a_repr"),
    (TokenInRepr, "test_no_secret_shows_in_a_log_line_an_error_or_a_repr"),
    (VerifiesNothing, "test_receive_refuses_what_is_not_signed"),
    (ParsesFirst, "test_receive_refuses_what_is_not_signed"),
    (ComparesText, "test_receive_refuses_what_is_not_signed"),
    (Stateful, "test_receive_refuses_what_is_not_signed"),
    (PromisesRenewal, "test_code_and_manifest_agree"),
    (HidesPush, "test_code_and_manifest_agree"),
    (BadForm, "test_code_and_manifest_agree"),
]
CAUGHT = (AssertionError, pytest.fail.Exception, HubError, ValueError, TypeError)


def suite_of(connector, **attributes):
    return type("Planted", (test_acme.TestAcme,), {"connector": connector, **attributes})()


async def run(suite, check, tmp_path):
    asked = inspect.signature(getattr(suite, check)).parameters
    given = {"tmp_path": tmp_path, "fault": "timeout"}
    result = getattr(suite, check)(**{name: given[name] for name in asked})
    if inspect.isawaitable(result):
        await result


@pytest.mark.parametrize(
    ("connector", "check"), PLANTED, ids=lambda one: getattr(one, "__name__", one)
)
async def test_the_planted_fault_is_caught_and_the_good_connector_passes(
    connector, check, tmp_path
):
    await run(suite_of(acme.Acme), check, tmp_path)

    with pytest.raises(CAUGHT):
        await run(suite_of(connector), check, tmp_path)


@pytest.mark.parametrize(
    ("attributes", "check"),
    [
        ({"credentials": {"url": "no address", "token": "t"}}, "test_credentials_fit_their_schema"),
        ({"stock": ()}, "test_push_answers_every_change_once"),
        ({"deliveries": ()}, "test_receive_refuses_what_is_not_signed"),
        ({"stale": (acme.GOOD,)}, "test_receive_refuses_what_is_not_signed"),
        (
            {"round_trip": staticmethod(lambda kind, document: ["total differs"])},
            "test_documents_round_trip_through_their_mapping",
        ),
    ],
)
async def test_a_suite_that_was_given_too_little_or_wrong_samples_fails(
    attributes, check, tmp_path
):
    with pytest.raises(CAUGHT):
        await run(suite_of(acme.Acme, **attributes), check, tmp_path)


async def test_missing_credentials_check_fails_for_a_schema_that_lets_them_be_missing(monkeypatch):
    monkeypatch.setattr("hub.sdk.testing.validate_credentials", lambda manifest, form: [])

    with pytest.raises(AssertionError):
        suite_of(acme.Acme).test_missing_credentials_are_named_and_never_repeated()


def test_every_check_of_the_suite_has_a_planted_fault_or_a_case_here():
    checks = {name for name in vars(ConnectorSuite) if name.startswith("test_")}
    here = {check for _, check in PLANTED} | {
        "test_credentials_fit_their_schema",
        "test_missing_credentials_are_named_and_never_repeated",
        "test_documents_round_trip_through_their_mapping",
    }
    assert checks == here


async def test_a_push_that_is_not_absolute_is_not_made_twice(tmp_path):
    streams = {"inventory": sdk.Stream(push=sdk.Push(absolute=False))}
    once = type(
        "Once",
        (OnceOnly,),
        {"pushed": Counter(), "manifest": replace(acme.Acme.manifest, streams=streams)},
    )

    await run(suite_of(once), "test_pushing_an_absolute_state_twice_is_harmless", tmp_path)

    assert once.pushed == {}


def test_without_a_named_signature_header_the_changed_byte_alone_must_be_refused():
    suite_of(acme.Acme, signature_header="").test_receive_refuses_what_is_not_signed()

    with pytest.raises(CAUGHT):
        suite_of(VerifiesNothing, signature_header="").test_receive_refuses_what_is_not_signed()
