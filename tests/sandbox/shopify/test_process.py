"""The simulator as a process of its own: adopted, killed, started again."""

import json
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[3]
QUERY = {"query": "{ orders(first: 250) { nodes { id updatedAt } } }"}


class Process:
    def __init__(self, folder: Path, *options: str) -> None:
        command = [sys.executable, "-m", "sandbox.shopify", "--dir", str(folder), *options]
        self.child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        self.line = json.loads(self.child.stdout.readline())
        self.http = httpx.Client(base_url=self.line["address"], timeout=5)

    def truth(self):
        return self.http.get("/_sandbox/truth").json()

    def ask(self):
        token = {"X-Shopify-Access-Token": self.line["credentials"]["token"]}
        return self.http.post("/admin/api/2026-10/graphql.json", json=QUERY, headers=token)

    def open(self):
        assert self.http.post("/_sandbox/open").json() == {"open": True}

    def kill(self):
        self.child.kill()
        self.close()

    def close(self):
        self.http.close()
        self.child.terminate()
        self.child.wait(10)
        self.child.stdout.close()


@pytest.fixture
def start(tmp_path):
    running = []

    def build(*options):
        running.append(Process(tmp_path, *options))
        return running[-1]

    yield build
    for process in running:
        process.close()


def wait_for(condition):
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_the_line_is_printed_and_kept_for_whoever_adopts(start, tmp_path):
    shop = start("--orders", "3")
    assert json.loads((tmp_path / "shopify.json").read_text()) == shop.line
    assert shop.line["code"] == "shopify"
    assert shop.line["pid"] == shop.child.pid
    assert set(shop.line["credentials"]) == {
        "shop",
        "address",
        "token",
        "client_id",
        "client_secret",
    }
    assert shop.line["credentials"]["address"] == shop.line["address"]
    assert len(shop.ask().json()["data"]["orders"]["nodes"]) == 3


def test_a_killed_simulator_goes_on_where_it_was(start):
    shop = start("--orders", "5", "--traffic", "60", "--rate", "100")
    shop.open()
    wait_for(lambda: shop.truth()["traffic"]["done"] >= 15)
    seen = shop.truth()
    shop.kill()

    shop = start("--orders", "5", "--traffic", "60", "--rate", "0.001")
    truth = shop.truth()

    assert truth["traffic"]["planned"] == 60
    assert truth["traffic"]["done"] >= seen["traffic"]["done"]
    assert {o["id"] for o in seen["orders"]} <= {o["id"] for o in truth["orders"]}
    assert truth["locations"] == seen["locations"]
    assert not any(level["broken_laws"] for level in truth["stock"])


def test_the_buyers_wait_for_the_doors_and_the_script_ends(start):
    shop = start("--orders", "0", "--traffic", "20", "--rate", "200")
    time.sleep(0.3)
    assert shop.truth()["traffic"] == {"planned": 20, "done": 0, "finished": False}

    shop.open()
    wait_for(lambda: shop.truth()["traffic"]["finished"])
    assert shop.truth()["traffic"] == {"planned": 20, "done": 20, "finished": True}


def test_connections_are_really_cut_until_the_dial_is_quiet(start):
    shop = start(
        "--orders",
        "2",
        "--faults",
        "cut=0.5,commit_then_cut=0.3,timeout=0.2",
        "--timeout-s",
        "0.05",
    )
    for _ in range(5):
        with pytest.raises(httpx.RemoteProtocolError):
            shop.ask()

    assert shop.http.post("/_sandbox/quiet").json() == {"quiet": True}
    assert [shop.ask().status_code for _ in range(5)] == [200] * 5
    assert shop.truth()["counters"]["faults"] == 5
