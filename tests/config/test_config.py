"""Settings: what wins, what is refused and how, what is never shown."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import config
from hub.errors import ConfigError

CANARY = "s3cret-canary"


def refusal(home: Path, env: dict[str, str] | None = None) -> ConfigError:
    with pytest.raises(ConfigError) as caught:
        config.load(home, env or {})
    return caught.value


def test_without_any_setting_everything_lies_in_the_home_folder(tmp_path: Path) -> None:
    settings = config.load(tmp_path, {})

    assert settings.database.url == f"sqlite:///{tmp_path}/hub.db"
    assert settings.vault.master_key_file == f"{tmp_path}/master.key"
    assert not list(tmp_path.iterdir())


def test_home_comes_from_the_argument_then_the_variable_then_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert config.load(Path("a"), {"HUB_HOME": "b"}).home == tmp_path / "a"
    assert config.load(env={"HUB_HOME": "b"}).home == tmp_path / "b"
    assert config.load(env={}).home == tmp_path / ".hub"


def test_the_file_overrides_the_default_and_the_environment_overrides_the_file(
    tmp_path: Path,
) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[log]\nlevel = "warning"\nformat = "json"\n', encoding="utf-8")

    settings = config.load(tmp_path, {"HUB_LOG__LEVEL": "debug"})

    assert (settings.log.level, settings.log.format) == ("debug", "json")
    assert settings.sources["log.level"] == "HUB_LOG__LEVEL"
    assert settings.sources["log.format"] == str(file)
    assert settings.sources["jobs.tick_s"] == "default"


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_bytes(b'\xef\xbb\xbf[log]\nlevel = "error"\n')

    assert config.load(tmp_path, {}).log.level == "error"


@pytest.mark.parametrize(
    ("variable", "text", "key", "value"),
    [
        ("HUB_JOBS__TICK_S", "2", "jobs.tick_s", 2.0),
        ("HUB_JOBS__TICK_S", "0.05", "jobs.tick_s", 0.05),
        ("HUB_JOBS__MAX_FLOWS", "256", "jobs.max_flows", 256),
        ("HUB_HTTP__ALLOW_LOOPBACK", "true", "http.allow_loopback", True),
        ("HUB_HTTP__ALLOW_LOOPBACK", "False", "http.allow_loopback", False),
    ],
)
def test_a_variable_is_read_in_the_type_of_its_key(
    tmp_path: Path, variable: str, text: str, key: str, value: object
) -> None:
    settings = config.load(tmp_path, {variable: text})

    section, name = key.split(".")
    found = getattr(getattr(settings, section), name)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("variable", "text", "allowed"),
    [
        ("HUB_JOBS__TICK_S", "0.04", "0.05 to 60"),
        ("HUB_JOBS__TICK_S", "nan", "0.05 to 60"),
        ("HUB_JOBS__TICK_S", "inf", "0.05 to 60"),
        ("HUB_JOBS__TICK_S", "soon", "0.05 to 60"),
        ("HUB_JOBS__MAX_FLOWS", "0", "1 to 256"),
        ("HUB_JOBS__MAX_FLOWS", "257", "1 to 256"),
        ("HUB_JOBS__MAX_FLOWS", "2.5", "1 to 256"),
        ("HUB_SYNC__ARCHIVE_DAYS", "0", "1 to 3650"),
        ("HUB_LOG__LEVEL", "loud", "debug, info, warning, error"),
        ("HUB_LOG__LEVEL", "", "debug, info, warning, error"),
        ("HUB_HTTP__ALLOW_LOOPBACK", "yes", "true or false"),
    ],
)
def test_a_value_that_is_not_allowed_is_refused_by_key_value_place_and_range(
    tmp_path: Path, variable: str, text: str, allowed: str
) -> None:
    error = refusal(tmp_path, {variable: text})

    key = variable.removeprefix("HUB_").replace("__", ".").lower()
    assert error.key == key
    assert str(error) == f"{key} = {text!r} ({variable}) is not allowed. Allowed: {allowed}."


@pytest.mark.parametrize(
    "line", ["max_flows = true", 'max_flows = "8"', "max_flows = 8.0", "max_flows = [8]"]
)
def test_a_file_value_of_the_wrong_type_is_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "config.toml").write_text(f"[jobs]\n{line}\n", encoding="utf-8")

    assert refusal(tmp_path).key == "jobs.max_flows"


def test_an_unknown_key_is_refused_and_its_neighbours_are_named(tmp_path: Path) -> None:
    error = refusal(tmp_path, {"HUB_LOG__LEVLE": "debug"})

    assert error.key == "log.levle"
    assert error.known == ["log.format", "log.level"]
    assert "HUB_LOG__LEVLE" in str(error)


def test_an_unknown_section_is_refused_and_the_sections_are_named(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[lgo]\nlevel = 1\n", encoding="utf-8")

    error = refusal(tmp_path)

    assert error.key == "lgo.level"
    assert "[log]" in error.known


def test_a_key_outside_any_section_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('level = "debug"\n', encoding="utf-8")

    assert refusal(tmp_path).key == "level"


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    error = refusal(tmp_path, {"HUB_LOG__LEVLE": "debug", "HUB_JOBS__MAX_FLOWS": "0"})

    assert str(error).startswith("2 settings are wrong. ")
    assert "log.levle" in str(error)
    assert "jobs.max_flows" in str(error)


def test_a_file_that_is_not_toml_is_refused_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[log\n", encoding="utf-8")

    assert str(tmp_path / "config.toml") in str(refusal(tmp_path))


def test_a_file_that_is_not_utf8_is_refused_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_bytes("[log]\nlevel = '信息'\n".encode("gb18030"))

    assert str(tmp_path / "config.toml") in str(refusal(tmp_path))


def test_variables_of_other_programs_are_left_alone(tmp_path: Path) -> None:
    assert config.load(tmp_path, {"HUB_TEST_POSTGRES_DSN": "x", "MY_HUB_LOG__LEVEL": "x"})


def test_explain_names_every_key_once_with_its_place(tmp_path: Path) -> None:
    shown = config.explain(config.load(tmp_path, {"HUB_DEMO__SEED": "3"}))

    assert [line.key for line in shown] == ["home", *config.RULES]
    seed = next(line for line in shown if line.key == "demo.seed")
    assert (seed.value, seed.source) == ("3", "HUB_DEMO__SEED")


@pytest.mark.parametrize(
    "address",
    [
        f"postgresql+psycopg://hub:{CANARY}@db.example:5432/hub",
        f"postgresql+psycopg://hub:{CANARY}@x@db.example/hub",
        f"postgresql+psycopg://db.example/hub?password={CANARY}",
        f"{CANARY}",
    ],
)
def test_a_password_in_an_address_is_never_shown(tmp_path: Path, address: str) -> None:
    settings = config.load(tmp_path, {"HUB_DATABASE__URL": address})

    assert settings.database.url == address
    assert CANARY not in repr(settings)
    assert CANARY not in repr(config.explain(settings))


def test_what_helps_to_find_a_wrong_address_is_shown(tmp_path: Path) -> None:
    env = {"HUB_DATABASE__URL": f"postgresql+psycopg://hub:{CANARY}@db.example:5432/hub"}

    shown = {line.key: line.value for line in config.explain(config.load(tmp_path, env))}

    assert shown["database.url"] == "'postgresql+psycopg://…@db.example:5432/hub'"


def test_a_secret_of_the_wrong_type_is_masked_in_the_refusal(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text(f'[database]\nurl = ["{CANARY}"]\n', encoding="utf-8")

    error = refusal(tmp_path)

    assert error.key == "database.url"
    assert CANARY not in str(error)


@given(st.text(alphabet=st.characters(exclude_characters="\0"), max_size=200))
def test_no_text_in_a_variable_breaks_more_than_its_own_key(text: str) -> None:
    try:
        settings = config.load(Path("home"), {"HUB_JOBS__MAX_FLOWS": text})
    except ConfigError as error:
        assert error.key == "jobs.max_flows"
        assert str(error).isprintable()
    else:
        assert 1 <= settings.jobs.max_flows <= 256


def test_the_default_file_and_the_code_name_the_same_keys() -> None:
    tables = tomllib.loads(config.default_text())

    assert {f"{s}.{k}" for s, table in tables.items() for k in table} == set(config.RULES)


def test_every_key_of_the_default_file_has_a_comment_that_names_what_is_allowed() -> None:
    comment = ""
    documented = {}
    section = ""
    for line in config.default_text().splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line.startswith("#"):
            comment += f" {line[2:]}"
            continue
        elif "=" in line:
            documented[f"{section}.{line.partition(' =')[0]}"] = comment
        comment = ""

    for key, rule in config.RULES.items():
        words = [word for word in str(rule).replace(", ", " ").split() if word != "text"]
        missing = [word for word in words if word not in documented[key]]
        assert not missing, f"the comment of {key} does not say {missing}"
