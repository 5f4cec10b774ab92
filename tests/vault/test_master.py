"""Where the master key may come from, and what is refused without showing it."""

from __future__ import annotations

import base64
import sys
import threading

import pytest

from hub.errors import ConfigError
from hub.vault import MasterKey, from_command, from_environment, from_file, make_file

TEXT = base64.b64encode(b"K" * 32).decode()
WANTED = MasterKey(b"K" * 32).id


def key_file(folder, text=TEXT, mode=0o600):
    path = folder / "master.key"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_all_three_sources_give_the_same_key(tmp_path):
    printing = f'{sys.executable} -c "print({TEXT!r})"'

    assert from_file(key_file(tmp_path, TEXT + "\n")).id == WANTED
    assert from_environment({"HUB_MASTER_KEY": TEXT}).id == WANTED
    assert from_environment({}) is None
    assert from_command(printing).id == WANTED


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610])
def test_a_key_file_others_can_touch_is_refused(tmp_path, mode):
    with pytest.raises(ConfigError, match=f"mode {mode:04o}; it must be 0600"):
        from_file(key_file(tmp_path, mode=mode))


@pytest.mark.parametrize(
    "text", ["", "too short", base64.b64encode(b"K" * 31).decode(), TEXT + "!", "é" * 44]
)
def test_what_is_no_key_is_refused_and_not_repeated(tmp_path, text):
    for read in (
        lambda: from_file(key_file(tmp_path, text)),
        lambda: from_environment({"HUB_MASTER_KEY": text or " "}),
    ):
        with pytest.raises(ConfigError, match="does not hold a master key") as caught:
            read()
        assert len(text) < 3 or text not in str(caught.value)


def test_a_missing_file_or_failing_command_is_told_in_one_sentence(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        from_file(tmp_path / "none.key")
    with pytest.raises(ConfigError, match="CalledProcessError"):
        from_command(f'{sys.executable} -c "raise SystemExit(3)"')
    with pytest.raises(ConfigError, match="FileNotFoundError"):
        from_command("/no/such/program --key")
    with pytest.raises(ConfigError, match="is empty"):
        from_command("  ")


def test_the_first_start_makes_a_key_for_the_owner_alone_and_the_next_finds_it(tmp_path):
    path = tmp_path / "home" / "master.key"

    first = make_file(path)

    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert make_file(path).id == first.id
    assert [one.name for one in path.parent.iterdir()] == ["master.key"]


def test_many_first_starts_at_once_agree_on_one_key(tmp_path):
    path, found = tmp_path / "master.key", []
    threads = [threading.Thread(target=lambda: found.append(make_file(path).id)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 8
    assert set(found) == {from_file(path).id}


def test_an_existing_file_that_is_no_key_is_never_replaced(tmp_path):
    path = key_file(tmp_path, "precious, but no key")

    with pytest.raises(ConfigError):
        make_file(path)

    assert path.read_text() == "precious, but no key"
