"""A scripted channel: each answer is a response, an error to raise, or a function of the request."""

from __future__ import annotations

import httpx

from hub.sdk.breaker import Breaker
from hub.sdk.http import Http
from hub.sdk.limits import TokenBucket


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self, at=1000.0):
        self.at, self.slept = at, []

    def __call__(self):
        return self.at

    async def sleep(self, delay_s):
        self.slept.append(round(delay_s, 3))
        self.at += delay_s


class Stream(httpx.AsyncByteStream):
    """A body that comes off the wire in pieces."""

    def __init__(self, *pieces):
        self.pieces = pieces

    async def __aiter__(self):
        for piece in self.pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece


class Wire(httpx.AsyncBaseTransport):
    def __init__(self, *answers):
        self.answers, self.requests = list(answers), []

    async def handle_async_request(self, request):
        self.requests.append(request)
        await request.aread()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if callable(answer):
            answer = answer(request)
        if isinstance(answer, Exception):
            raise answer
        return answer


def raw(body, status=200, **headers):
    """A reply whose body is still on the wire, as a network gives it."""
    said = {"content-type": "application/json"} | {
        k.replace("_", "-"): v for k, v in headers.items()
    }
    pieces = body if isinstance(body, list) else [body]
    return httpx.Response(status, headers=said, stream=Stream(*pieces))


def client(*answers, clock=None, breaker=None, **options):
    clock = clock or Clock()
    wire = Wire(*answers)
    options.setdefault("limiter", TokenBucket(1e6, 1e6, clock=clock, sleep=clock.sleep))
    http = Http(
        options.pop("base_url", "https://shop.test/api"),
        transport=wire,
        breaker=breaker or Breaker(now=clock),
        clock=clock,
        now=clock,
        sleep=clock.sleep,
        **options,
    )
    return http, wire, clock
