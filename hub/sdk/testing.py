# ruff: noqa: S101 - this module is tests
"""The conformance suite: a connector author subclasses `ConnectorSuite` and gets its checks.

    class TestAcme(ConnectorSuite):
        connector = Acme
        simulator = acme.app                 # ASGI app or factory, mounted without a socket
        credentials = {"url": "http://acme.test", "token": "good-token-1234"}
        stock = [Change("A", {"sku": "A", "qty": 3})]

Faults are made by a transport around the simulator, so they are the same for every channel.
A check whose precondition the manifest does not declare (no push, no webhooks) has nothing to
do and passes. Needs pytest and pytest-asyncio in mode `auto`.
"""

from __future__ import annotations

import base64
import inspect
import json
import logging
import secrets
import sys
import traceback
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, cast
from urllib.parse import quote

import httpx
import pytest

from hub.errors import HubError, InDoubt, Reauthorize, Rejected, Retry, Throttled
from hub.sdk.contract import Change, Connector, Cursor, Delivery, Document, Kind, Outcome, Page
from hub.sdk.credentials import secret_fields
from hub.sdk.discover import validate, validate_credentials
from hub.sdk.fakes import THROTTLE_S, AsgiApp, FakeConnection, FaultName, FaultTransport

_NOISY: tuple[FaultName, ...] = ("server_error", "timeout", "throttled")


@dataclass(slots=True)
class World:
    """A channel of its own for one check: simulator or folder, and the switch for faults."""

    connection: FakeConnection
    connector: type[Connector]
    faults: FaultTransport | None = None
    made: list[Connector] = field(default_factory=list)

    def make(self) -> Connector:
        """Make a new instance on the same channel, as after a restart."""
        one = self.connector(self.connection)
        self.made.append(one)
        return one


class ConnectorSuite:
    """The checks. Set the attributes in a subclass whose name begins with `Test`."""

    connector: ClassVar[type[Connector]]
    credentials: ClassVar[Mapping[str, Any]]
    simulator: ClassVar[Any] = None
    """An ASGI app, or a function without arguments that makes a fresh one for every check."""
    folder: ClassVar[Callable[[Path], object] | None] = None
    """For connectors that exchange files: fills an empty folder the way the other side would."""
    stock: ClassVar[Sequence[Change]] = ()
    """Changes to push as `inventory`."""
    changes: ClassVar[Mapping[Kind, Sequence[Change]]] = {}
    """Changes to push, by kind."""
    refused: ClassVar[frozenset[str] | set[str]] = frozenset()
    """Keys of changes the channel refuses: their outcomes must say why."""
    known: ClassVar[Mapping[Kind, str]] = {}
    """Keys `fetch` must find, by kind."""
    deliveries: ClassVar[Sequence[Delivery]] = ()
    """Webhooks exactly as the channel sends them; needed if the manifest declares webhooks."""
    stale: ClassVar[Sequence[Delivery]] = ()
    """Well-signed webhooks whose stamp is too old."""
    signature_header: ClassVar[str] = ""
    """The header that carries the signature."""
    round_trip: ClassVar[Callable[[Kind, Document], Sequence[str]] | None] = None
    """Takes a pulled document to canonical and back and names what differs; none is good.

    Default: the function `round_trip` of the test's own module, if it has one.
    """
    most_pages: ClassVar[int] = 500
    """A walk with more pages is taken for endless."""

    def wrong_credentials(self) -> dict[str, Any]:
        """Return the form with every secret replaced by a wrong one of the same length."""
        wrong = {name: "0" * len(self.credentials[name]) for name in self._secret_names()}
        return {**self.credentials, **wrong}

    @asynccontextmanager
    async def world(
        self, root: Path, *, credentials: Mapping[str, Any] | None = None
    ) -> AsyncIterator[World]:
        """Build a fresh channel; every instance made on it is closed at the end."""
        faults = None
        if (app := self._app()) is not None:
            faults = FaultTransport(httpx.ASGITransport(cast(Any, app)))
        folder = root / secrets.token_hex(4)
        folder.mkdir()
        fill = inspect.getattr_static(self, "folder")
        if fill is not None:
            _bare(fill)(folder)
        form = self.credentials if credentials is None else credentials
        connection = FakeConnection(form, transport=faults, folder=folder)
        world = World(connection, self.connector, faults)
        try:
            yield world
        finally:
            for one in world.made:
                await one.close()

    # What is declared

    def test_code_and_manifest_agree(self) -> None:
        """Declared abilities are coded, coded ones declared, the credential schema is sound."""
        assert validate(self.connector) == []

    def test_credentials_fit_their_schema(self) -> None:
        """The form the other checks use passes the form check."""
        assert validate_credentials(self.connector.manifest, self.credentials) == []

    def test_missing_credentials_are_named_and_never_repeated(self) -> None:
        """A form without a required field is refused by that field's name."""
        for name in self.connector.manifest.credentials.get("required", []):
            form = {key: value for key, value in self.credentials.items() if key != name}
            assert (name, "is required") in validate_credentials(self.connector.manifest, form)

    # Reading

    async def test_every_walk_ends_and_its_cursors_survive_json(self, tmp_path: Path) -> None:
        """A walk ends, its last page alone is `done`, each cursor comes back from JSON the same."""
        shown = 0
        for kind in self._pulled():
            async with self.world(tmp_path) as world:
                pages = await self._walk(world.make(), kind, {})
            for page in pages:
                assert json.loads(json.dumps(page.cursor)) == page.cursor, f"{kind}: cursor"
            said = [page.done for page in pages]
            assert said == [False] * (len(said) - 1) + [True] * bool(said), f"{kind}: {said=}"
            shown += sum(len(page.documents) for page in pages)
        assert shown or not self._pulled(), "the channel shows nothing: seed it with documents"

    async def test_pulling_twice_gives_the_same(self, tmp_path: Path) -> None:
        """Two walks from the beginning over the same channel show the same documents."""
        for kind in self._pulled():
            seen = []
            for _ in range(2):
                async with self.world(tmp_path) as world:
                    seen.append(_count(await self._walk(world.make(), kind, {})))
            assert seen[0] == seen[1], f"{kind}: the second walk differs"

    async def test_resuming_from_any_page_loses_nothing(self, tmp_path: Path) -> None:
        """Cut after every page in turn, a new instance goes on from its cursor to the same end."""
        for kind in self._pulled():
            async with self.world(tmp_path) as world:
                whole = await self._walk(world.make(), kind, {})
            for cut in range(1, len(whole) + 1):
                async with self.world(tmp_path) as world:
                    before = await self._walk(world.make(), kind, {}, most=cut)
                    cursor = json.loads(json.dumps(before[-1].cursor))
                    after = await self._walk(world.make(), kind, cursor)
                lost = set(_count(whole)) - set(_count(before)) - set(_count(after))
                assert not lost, f"{kind}: resumed after page {cut}, {len(lost)} documents are lost"

    async def test_a_finished_walk_can_be_repeated_from_its_cursor(self, tmp_path: Path) -> None:
        """The next walk from the last cursor ends too, and again."""
        for kind in self._pulled():
            async with self.world(tmp_path) as world:
                cursor: Cursor = {}
                for _ in range(3):
                    pages = await self._walk(world.make(), kind, cursor)
                    cursor = pages[-1].cursor if pages else cursor

    async def test_documents_round_trip_through_their_mapping(self, tmp_path: Path) -> None:
        """Every document the channel shows survives the way to canonical and back."""
        check = self._round_trip()
        if check is None:
            return
        for kind in self._pulled():
            async with self.world(tmp_path) as world:
                pages = await self._walk(world.make(), kind, {})
            for document in (one for page in pages for one in page.documents):
                assert list(check(kind, document)) == [], f"{kind}: mapping"

    async def test_fetch_finds_what_is_there_and_nothing_else(self, tmp_path: Path) -> None:
        """A known key gives a document, an unknown one None."""
        for kind, key in self.known.items():
            async with self.world(tmp_path) as world:
                one = world.make()
                assert await one.fetch(kind, key) is not None, f"{kind}: {key} is not found"
                unknown = "".join("9" if letter.isdigit() else letter for letter in key)
                assert await one.fetch(kind, unknown) is None, f"{kind}: an unknown key is found"

    # Writing

    async def test_push_answers_every_change_once(self, tmp_path: Path) -> None:
        """One outcome per change; what the channel refuses carries a reason, the rest none."""
        streams = self.connector.manifest.streams.items()
        missing = {kind for kind, stream in streams if stream.push} - set(self._changes())
        assert not missing, f"the manifest declares push for {sorted(missing)}: give `changes`"
        for kind, changes in self._changes().items():
            async with self.world(tmp_path) as world:
                outcomes = await world.make().push(kind, changes)
            answered = Counter(outcome.key for outcome in outcomes)
            assert answered == Counter(change.key for change in changes), f"{kind}: outcomes"
            for outcome in outcomes:
                self._check_outcome(kind, outcome)

    async def test_pushing_an_absolute_state_twice_is_harmless(self, tmp_path: Path) -> None:
        """The same batch again gets the same answers."""
        for kind, changes in self._changes().items():
            push = self.connector.manifest.streams[kind].push
            if push is None or not push.absolute:
                continue
            async with self.world(tmp_path) as world:
                first = await world.make().push(kind, changes)
                again = await world.make().push(kind, changes)
            assert _failed(first) == _failed(again), f"{kind}: the second answer differs"

    # Refusals and faults

    async def test_a_wrong_secret_raises_reauthorize(self, tmp_path: Path) -> None:
        """Check, pull and push say so by the error that makes the hub ask for a new sign-in."""
        if not self._secret_names():
            return
        async with self.world(tmp_path, credentials=self.wrong_credentials()) as world:
            with pytest.raises(Reauthorize):
                await world.make().check()
            for kind in self._pulled():
                with pytest.raises(Reauthorize):
                    await self._walk(world.make(), kind, {})
            for kind, changes in self._changes().items():
                with pytest.raises(Reauthorize):
                    await world.make().push(kind, changes)

    async def test_throttling_raises_throttled_with_the_delay(self, tmp_path: Path) -> None:
        """A 429 with Retry-After goes up as `Throttled` with exactly that delay."""
        for error in await self._read_under(tmp_path, "throttled"):
            assert isinstance(error, Throttled), f"{error!r} instead of Throttled"
            assert error.delay_s == THROTTLE_S

    @pytest.mark.parametrize(
        "fault", ["server_error", "timeout", "cut", "refused", "web_page", "empty"]
    )
    async def test_a_fault_while_reading_raises_retry(
        self, tmp_path: Path, fault: FaultName
    ) -> None:
        """No answer, half an answer or a web page is never taken for "no data"."""
        for error in await self._read_under(tmp_path, fault):
            assert isinstance(error, Retry), f"{fault}: {error!r} instead of Retry"

    @pytest.mark.parametrize("fault", ["server_error", "timeout", "cut", "web_page"])
    async def test_a_fault_while_writing_is_never_a_success(
        self, tmp_path: Path, fault: FaultName
    ) -> None:
        """Push raises `Retry` or `InDoubt`, or says so for every change."""
        for kind, changes in self._changes().items():
            async with self.world(tmp_path) as world:
                if world.faults is None:
                    continue
                one = world.make()
                world.faults.fault = fault
                try:
                    outcomes = await one.push(kind, changes)
                except (Retry, InDoubt):
                    continue
            taken = [one.key for one in outcomes if not isinstance(one.error, (Retry, InDoubt))]
            assert not taken, f"{kind}: {fault} was taken for an answer to {taken}"

    # Webhooks

    def test_receive_refuses_what_is_not_signed(self) -> None:
        """One changed byte, an old stamp, a missing signature: `Rejected`, before any parsing."""
        if not self.connector.manifest.webhooks:
            return
        assert self.deliveries, "the manifest declares webhooks: give `deliveries`"
        one = self.connector(self._idle_connection())
        for delivery in self.deliveries:
            assert one.receive(delivery) == one.receive(delivery)
            for wrong in [*_changed(delivery, self.signature_header), *self.stale]:
                with pytest.raises(Rejected):
                    one.receive(wrong)

    # Secrets

    async def test_no_secret_shows_in_a_log_line_an_error_or_a_repr(self, tmp_path: Path) -> None:
        """Everything the connector does, faults and wrong secrets included, with all logs on."""
        shown: list[str] = []
        with _listening(shown):
            async with self.world(tmp_path) as world:
                await self._exercise(world, shown)
                for fault in _NOISY:
                    if world.faults is not None:
                        world.faults.fault = fault
                        await self._exercise(world, shown)
            async with self.world(tmp_path, credentials=self.wrong_credentials()) as world:
                await self._exercise(world, shown)
        text = "\n".join(shown)
        for name in self._secret_names():
            for secret in (self.credentials[name], self.wrong_credentials()[name]):
                for form in _forms(secret):
                    assert form not in text, f"the secret {name!r} shows in a log, error or repr"

    # Inside

    async def _exercise(self, world: World, shown: list[str]) -> None:
        """Do everything once and keep what a log, an error or a repr would show of it."""
        one = world.make()
        shown += [repr(one), str(one), repr(world.connection), repr(world.connection.credentials)]
        with _noted(shown):
            shown.append(repr(await one.check()))
        for kind in self._pulled():
            with _noted(shown):
                pages = await self._walk(one, kind, {})
                shown += [repr(page.cursor) for page in pages]
        for kind, changes in self._changes().items():
            with _noted(shown):
                outcomes = await one.push(kind, changes)
                shown += [f"{outcome.error!r} {outcome.error}" for outcome in outcomes]

    async def _read_under(self, root: Path, fault: FaultName) -> list[HubError | None]:
        """Walk every pulled stream with the fault on; None stands for a walk that went through."""
        errors: list[HubError | None] = []
        for kind in self._pulled():
            async with self.world(root) as world:
                if world.faults is None:
                    continue
                one = world.make()
                world.faults.fault = fault
                try:
                    await self._walk(one, kind, {})
                except HubError as error:
                    errors.append(error)
                else:
                    errors.append(None)
        return errors

    async def _walk(
        self, one: Connector, kind: Kind, cursor: Cursor, *, most: int | None = None
    ) -> list[Page]:
        pages: list[Page] = []
        async with aclosing(cast(Any, one.pull(kind, cursor))) as walk:
            async for page in walk:
                pages.append(page)
                if len(pages) == most:
                    break
                assert len(pages) <= self.most_pages, f"{kind}: the walk does not end"
        return pages

    def _check_outcome(self, kind: Kind, outcome: Outcome) -> None:
        if outcome.key in self.refused:
            assert outcome.error, (
                f"{kind}: {outcome.key} was refused, and its outcome has no reason"
            )
        else:
            assert outcome.error is None, f"{kind}: {outcome.key}: {outcome.error}"

    def _pulled(self) -> list[Kind]:
        return [kind for kind, one in self.connector.manifest.streams.items() if one.pull]

    def _changes(self) -> dict[Kind, Sequence[Change]]:
        given: dict[Kind, Sequence[Change]] = dict(self.changes)
        if self.stock:
            given.setdefault("inventory", self.stock)
        return given

    def _secret_names(self) -> list[str]:
        names = secret_fields(self.connector.manifest.credentials)
        return sorted(name for name in names if self.credentials.get(name))

    def _app(self) -> AsgiApp | None:
        given = inspect.getattr_static(self, "simulator")
        if given is None:
            return None
        bare = _bare(given)
        takes = [
            one
            for one in inspect.signature(bare).parameters.values()
            if one.default is one.empty and one.kind not in (one.VAR_KEYWORD, one.VAR_POSITIONAL)
        ]
        return cast(AsgiApp, bare if len(takes) >= 3 else bare())  # noqa: PLR2004 - scope, receive, send

    def _round_trip(self) -> Callable[[Kind, Document], Sequence[str]] | None:
        own = inspect.getattr_static(self, "round_trip")
        if own is None:
            own = getattr(sys.modules.get(type(self).__module__), "round_trip", None)
        return cast(Any, _bare(own)) if own is not None else None

    def _idle_connection(self) -> FakeConnection:
        nobody = httpx.MockTransport(lambda request: httpx.Response(503))
        return FakeConnection(self.credentials, transport=nobody)


def _bare(given: Any) -> Any:
    """Undo what a class body does to a function put into it."""
    return given.__func__ if isinstance(given, (staticmethod, classmethod)) else given


def _count(pages: Sequence[Page]) -> Counter[str]:
    return Counter(
        json.dumps(document, sort_keys=True, default=str)
        for page in pages
        for document in page.documents
    )


def _failed(outcomes: Sequence[Outcome]) -> set[str]:
    return {outcome.key for outcome in outcomes if outcome.error is not None}


def _changed(delivery: Delivery, signature: str) -> Iterator[Delivery]:
    """Yield the delivery with a byte changed, without its signature, and with a foreign one."""
    for place in {0, len(delivery.body) // 2, len(delivery.body) - 1} if delivery.body else ():
        body = bytearray(delivery.body)
        body[place] ^= 1
        yield Delivery(delivery.topic, delivery.headers, bytes(body))
    if signature:
        rest = {name: value for name, value in delivery.headers.items() if name != signature}
        yield Delivery(delivery.topic, rest, delivery.body)
        yield Delivery(delivery.topic, {**rest, signature: "签名"}, delivery.body)
        yield Delivery(delivery.topic, {**rest, signature: ""}, delivery.body)


def _forms(secret: str) -> set[str]:
    """Return the spellings of a secret that a log might carry."""
    raw = secret.encode()
    return {secret, quote(secret, safe=""), base64.b64encode(raw).decode().rstrip("="), raw.hex()}


class _Ear(logging.Handler):
    def __init__(self, heard: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self._heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        self._heard.append(f"{record.getMessage()} {record.__dict__}")


@contextmanager
def _noted(shown: list[str]) -> Iterator[None]:
    """Keep what an error and its traceback would show, and go on."""
    try:
        yield
    except HubError as error:
        shown += [repr(error), str(error.hint), *traceback.format_exception(error)]


@contextmanager
def _listening(heard: list[str]) -> Iterator[None]:
    """Hear every log line at every level."""
    root, ear = logging.getLogger(), _Ear(heard)
    before = root.level
    root.addHandler(ear)
    root.setLevel(logging.DEBUG)
    try:
        yield
    finally:
        root.setLevel(before)
        root.removeHandler(ear)
