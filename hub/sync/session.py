"""A connection opened for work: its form with secrets, and the only doors to the world it may use.

One session per connection lives in a process, so that limiter and breaker are one; what they
know is saved after every run and taken up again at the next start.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from hub.db import connections
from hub.db.connections import ConnectionInfo
from hub.errors import ConfigError
from hub.records.time import from_text
from hub.sdk import Classify, Connector, Credentials, Folder, Http, RetryPolicy
from hub.sdk.breaker import Breaker, BreakerState
from hub.sdk.limits import BucketState, TokenBucket
from hub.sdk.localfolder import LocalFolder
from hub.sync.engine import Engine

_DEFAULT_RATE = (10.0, 10.0)


class Session:
    """What a connector is handed (`hub.sdk.Connection`)."""

    def __init__(self, engine: Engine, info: ConnectionInfo, form: Mapping[str, Any]) -> None:
        self._engine = engine
        self._form = Credentials(form)
        self.info = info
        rate = engine.connectors[info.code].manifest.rate
        calls, per_s = (rate.calls, rate.per_s) if rate else _DEFAULT_RATE
        self.limiter = TokenBucket((rate.burst or calls) if rate else calls, calls / per_s)
        self.breaker = Breaker()

    def __repr__(self) -> str:
        """Name the connection, never its form."""
        return f"<Session {self.info.code} {self.info.id}>"

    @property
    def merchant_id(self) -> str:
        """Whose account it is."""
        return self.info.merchant_id

    @property
    def id(self) -> str:
        """Our id of the connection."""
        return self.info.id

    @property
    def credentials(self) -> Mapping[str, Any]:
        """The filled-in form, secrets opened."""
        return self._form

    def open_http(
        self,
        base_url: str,
        *,
        auth: httpx.Auth | None = None,
        policy: RetryPolicy | None = None,
        classify: Classify | None = None,
        timeout_s: float = 30.0,
    ) -> Http:
        """Return a client behind this connection's one limiter and breaker."""
        return Http(
            base_url,
            auth=auth,
            policy=policy,
            classify=classify,
            timeout_s=timeout_s,
            limiter=self.limiter,
            breaker=self.breaker,
            transport=self._engine.transport(self.info.code),
            private_ok=self._engine.loopback_ok,
        )

    def limits(self) -> dict[str, Any]:
        """Return what limiter and breaker know, as values to be saved."""
        bucket = self.limiter.state()
        broken = self.breaker.state
        return {
            "limiter": {name: getattr(bucket, name) for name in BucketState.__slots__},
            "breaker": {name: getattr(broken, name) for name in BreakerState.__slots__},
        }

    def open_folder(self, path: str) -> Folder:
        """Return a local folder; nothing outside it can be reached."""
        return LocalFolder(Path(path))


async def open_session(engine: Engine, info: ConnectionInfo) -> Session:
    """Return the process's session for a connection, opening its secrets the first time."""
    known = engine.sessions.get(info.id)
    if isinstance(known, Session):
        return known
    if info.code not in engine.connectors:
        raise ConfigError(
            f"Connection {info.name!r} needs the connector {info.code!r}, which is not installed.",
            key="code",
            known=engine.connectors,
        )
    sealed = await engine.db.read(connections.secrets, info.merchant_id, info.id)
    seals = engine.seals(info.merchant_id)
    opened = {name: seals.open_secret(info.id, name, value) for name, value in sealed.items()}
    session = Session(engine, info, {**info.settings, **opened})
    saved = await engine.db.read(connections.limit_state, info.merchant_id, info.id)
    _take_up(engine, session, saved)
    engine.sessions[info.id] = session
    return session


def connector_of(engine: Engine, session: Session) -> Connector:
    """Make the connector of a session; the caller closes it."""
    return engine.connectors[session.info.code](session)


def _take_up(engine: Engine, session: Session, saved: Mapping[str, Any]) -> None:
    bucket = saved.get("limiter")
    if bucket is not None:
        away_s = max(0.0, (engine.now() - from_text(bucket["at"])).total_seconds())
        session.limiter.restore(BucketState(**bucket["value"]), age_s=away_s)
    broken = saved.get("breaker")
    if broken is not None:
        session.breaker.state = BreakerState(**broken["value"])
