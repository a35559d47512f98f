"""What is wrong with the input or the machine is said, with what to do next; never as a bug of ours or as a trace."""

from __future__ import annotations

import os
import re
import signal
import socket
import sqlite3
import stat
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from sqlalchemy.engine import make_url

from tests.integration.conftest import Answer, Installation
from tests.postgres import scratch_database

ROOT = Path(__file__).parents[2]


def told(answer: Answer, *words: str) -> None:
    """That a command failed in words for people, these among them."""
    said = answer.out + answer.err
    assert answer.code == 1, said
    for sign in (" bug", "defect", "Traceback"):
        assert sign not in said, said
    for word in words:
        assert word in said, said


TEAMS = {
    "no members": ("team.yaml", "name: a\nmembers: []\n", "team.yaml"),
    "no mapping": ("team.yaml", "- one\n", "team.yaml"),
    "an unknown field": (
        "team.yaml",
        "name: a\nmembers:\n  - {person: A, email: a@example.com, roles: [ml], colour: red}\n",
        "colour",
    ),
    "not YAML": ("team.yaml", "name: [\n", "team.yaml"),
    "a table without its columns": ("team.csv", "a,b\n1,2\n", "team.csv"),
    "an empty file": ("team.yaml", "", "team.yaml"),
    "an unknown zone": (
        "team.yaml",
        "name: a\nmembers:\n  - {person: A, email: a@example.com, roles: [ml]}\ncalendar: {time_zone: Mars/Base}\n",
        "Mars/Base",
    ),
}


@pytest.mark.parametrize("name", TEAMS)
def test_a_wrong_team_file_is_told_with_its_place(installation: Installation, tmp_path: Path, name: str) -> None:
    file, text, word = TEAMS[name]
    (tmp_path / file).write_text(text)
    told(installation.run("teams", "import", tmp_path / file), "problem", word)


MISTAKES = {
    # what is written, and what is said of it
    "a project that is called otherwise": (("plan", "MLL"), ("There is no project 'MLL'.", 'Did you mean "ML"?')),
    "a project that nobody set up": (("plan", "NONE"), ("There is no project 'NONE'.", "--team team.yaml")),
    "a project in a history": (("history", "mll"), ("There is no project 'mll'.", 'Did you mean "ML"?')),
    "an empty token": (("connections", "add", "two", "--url", "https://a.example.com", "--email", "a@example.com"),
                       ("the API token: must not be empty",)),
    "an empty address and e-mail": (("connections", "add", "two", "--url", "", "--email", ""),
                                    ("--url: must not be empty", "--email: needs 3 characters")),
    "a name that is taken": (("connections", "add", "jira", "--url", "https://a.example.com", "--email", "a@b.c"),
                             ("--replace",)),
}  # fmt: skip


@pytest.fixture(scope="module")
def set_up(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """An installation with a project ML, whose tracker is not to be reached."""
    home = tmp_path_factory.mktemp("mistakes")
    installation = Installation(home / "home")
    _connected(installation, "jira")
    installation.has_project("ML", "jira")
    installation.ok("projects", "show", "ML")
    return installation


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_told_with_what_to_write_instead(set_up: Installation, name: str) -> None:
    command, words = MISTAKES[name]
    told(set_up.run(*command, stdin="secret\n" if "taken" in name else "\n"), *words)


OPTIONS = [
    (("plan", "ML", "--time-zoen", "UTC"), "'--time-zone'"),
    (("teams", "import", "t.csv", "--timezon", "UTC"), "'--timezone'"),
    (("plan", "ML", "--tem", "a"), "'--team'"),
    (("plann", "ML"), "'plan'"),
]


@pytest.mark.parametrize(("command", "meant"), OPTIONS)
def test_what_is_misspelt_on_the_command_line_is_proposed(
    set_up: Installation, command: tuple[str, ...], meant: str
) -> None:
    answer = set_up.run(*command)
    assert answer.code == 64
    assert "Did you mean " in answer.err
    assert meant in answer.err


@pytest.mark.parametrize("command", [("plan", "\udcff"), ("runs", "show", "\udcff\udcfe"), ("status", "a\udce9")])
def test_an_argument_in_another_encoding_is_told_as_such(installation: Installation, command: tuple[str, ...]) -> None:
    answer = installation.run(*command)
    assert answer.code == 64
    assert f"Argument {len(command)} is not UTF-8 text: {command[-1]!a}." in answer.err


SETTINGS = {
    ("PHASELOOP_PLAN_HOURS", "x"): "PHASELOOP_PLAN_HOURS: must be a number",
    ("PHASELOOP_PLAN_HOURS", "0"): "PHASELOOP_PLAN_HOURS: must be more than 0",
    ("PHASELOOP_PORT", "many"): "PHASELOOP_PORT: must be a whole number",
    ("PHASELOOP_PORT", "70000"): "PHASELOOP_PORT: must be at most 65535",
    ("PHASELOOP_DATABASE_URL", "mysql://x/y"): "PHASELOOP_DATABASE_URL: must be like postgresql://",
    ("PHASELOOP_DATABASE_URL", "postgresql://a:port/b"): "PHASELOOP_DATABASE_URL: must be like postgresql://",
    (
        "PHASELOOP_DATABASE_URL",
        "postgresql://a@127.0.0.1/b?sslmod=require",
    ): '"sslmod" is not an option of PostgreSQL; did you mean "sslmode"?',
    (
        "PHASELOOP_DATABASE_URL",
        "postgresql://a@127.0.0.1/b?row_factory=x",
    ): '"row_factory" is not an option of PostgreSQL',
    ("PHASELOOP_DATABASE_URL", "postgresql://a@127.0.0.1/b?sslmode=require&sslmode=prefer"): '"sslmode" is given twice',
    ("PHASELOOP_LOG_LEVEL", "loud"): "PHASELOOP_LOG_LEVEL: must be debug, info, warning or error",
    ("PHASELOOP_MLFLOW_URL", "here"): "PHASELOOP_MLFLOW_URL: must be a web address",
    ("PHASELOOP_MLFLOW_ALLOW_HTTP", "perhaps"): "PHASELOOP_MLFLOW_ALLOW_HTTP: must be true or false",
}


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_variable_that_is_set_wrong_is_told_in_plain_words(tmp_path: Path, setting: tuple[str, str]) -> None:
    told(Installation(tmp_path / "home", dict([setting])).run("teams", "list"), SETTINGS[setting])


def test_a_file_that_is_not_there_is_told(installation: Installation, tmp_path: Path) -> None:
    told(installation.run("teams", "import", tmp_path / "none.yaml"), "none.yaml", "No such file")


def test_output_that_is_not_utf_8_holds_escapes(installation: Installation, tmp_path: Path) -> None:
    (tmp_path / "team.yaml").write_text(
        "name: Größe ✓\nmembers:\n  - {person: Zoë, email: a@example.com, roles: [ml]}\n", encoding="utf-8"
    )
    ascii_only = Installation(installation.home, {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"})
    done = _process(ascii_only, "teams", "import", str(tmp_path / "team.yaml"))
    assert (done.returncode, done.stderr) == (0, "")
    assert "Gr\\xf6\\xdfe \\u2713" in done.stdout
    shown = _process(ascii_only, "teams", "list", "--json")
    assert '"Gr\\u00f6\\u00dfe \\u2713"' in shown.stdout, "JSON stays JSON"


def _process(installation: Installation, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A process of its own: the encoding of its output is chosen when it starts."""
    return subprocess.run(
        installation.command(*arguments),
        env=installation.environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize("kind", ["jira", "trello"])
@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_bundle_of_certificates_that_is_not_there_is_named(
    installation: Installation, tmp_path: Path, kind: str, name: str
) -> None:
    _connected(installation, kind)
    broken = Installation(installation.home, {name: str(tmp_path / "none.pem")})
    answer = broken.run("connections", "check", kind)
    if name not in answer.out + answer.err:
        pytest.skip(f"{kind} does not go by {name}")
    told(answer, name, "none.pem", "Correct the variable")


@pytest.mark.parametrize("kind", ["jira", "trello"])
def test_a_socks_proxy_is_named(installation: Installation, kind: str) -> None:
    _connected(installation, kind)
    proxied = {"HTTPS_PROXY": "socks5://127.0.0.1:9", "HTTP_PROXY": "socks5://127.0.0.1:9", "NO_PROXY": ""}
    answer = Installation(installation.home, proxied).run("connections", "check", kind)
    assert " bug" not in answer.out + answer.err, answer
    assert answer.code == 1


def _connected(installation: Installation, kind: str) -> None:
    more = ["--email", "a@example.com"] if kind == "jira" else ["--kind", "trello", "--key", "sandbox-key"]
    answer = installation.run("connections", "add", kind, "--url", "https://tracker.invalid", *more, stdin="secret\n")
    assert answer.code == 0, answer.err


def test_a_database_of_a_newer_version_says_which(installation: Installation) -> None:
    installation.ok("db", "upgrade")
    with closing(sqlite3.connect(installation.home / "phaseloop.db")) as store, store:
        store.execute("UPDATE alembic_version SET version_num = '9999'")
    told(installation.run("teams", "list"), "9999", "newer")


def test_a_damaged_database_is_told_from_a_damaged_journal(installation: Installation) -> None:
    installation.ok("db", "upgrade")
    (installation.home / "engine.db").write_bytes(b"no database at all" * 100)
    told(installation.run("serve", "--port", "0"), "engine.db", "move it away")
    (installation.home / "phaseloop.db").write_bytes(b"no database at all" * 100)
    told(installation.run("teams", "list"), "phaseloop.db", "backup")


def test_a_lost_key_is_not_replaced_while_credentials_need_it(installation: Installation) -> None:
    _connected(installation, "jira")
    key = installation.home / "key"
    kept = key.read_text()
    key.unlink()
    told(installation.run("teams", "list"), str(key), "backup", "keys new", "connections add NAME --replace")
    assert not key.exists()
    key.write_text(kept)
    installation.ok("teams", "list")


def test_the_service_does_not_start_with_a_key_that_opens_nothing(installation: Installation) -> None:
    _connected(installation, "jira")
    (installation.home / "key").write_text(Fernet.generate_key().decode() + "\n")
    answer = installation.run("serve", "--port", "0")
    told(answer, "cannot be decrypted with the present key", "Put the old key back")
    assert "listens" not in answer.out


def test_without_credentials_a_new_key_is_as_good(installation: Installation) -> None:
    installation.ok("db", "upgrade")
    _connected(installation, "jira")
    with closing(sqlite3.connect(installation.home / "phaseloop.db")) as store, store:
        store.execute("DELETE FROM connections")
    (installation.home / "key").unlink()
    installation.ok("teams", "list")
    _connected(installation, "jira")


def test_a_home_folder_that_cannot_be_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    told(Installation(tmp_path / "file" / "home").run("teams", "list"), "PHASELOOP_HOME", str(tmp_path / "file"))


def test_a_database_file_that_is_a_folder_is_told(installation: Installation) -> None:
    (installation.home / "phaseloop.db").mkdir(parents=True)
    told(installation.run("teams", "list"), "phaseloop.db", "PHASELOOP_HOME")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full disk here")
def test_a_full_disk_is_told(installation: Installation) -> None:
    installation.ok("teams", "list")
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            installation.command("teams", "list", "--json"),
            env=installation.environment,
            cwd=ROOT,
            stdout=full,
            stderr=-1,
            timeout=300,
            check=False,
        )
    assert done.returncode == 1
    said = done.stderr.decode()
    assert "disk is full" in said
    assert " bug" not in said


def test_a_store_on_a_full_disk_is_told(installation: Installation, tmp_path: Path) -> None:
    installation.ok("db", "upgrade")
    (installation.home / "phaseloop.db.full").touch()
    people = [f"  - {{person: P{n}, email: p{n}@example.com, roles: [ml]}}\n" for n in range(500)]
    (tmp_path / "team.yaml").write_text("name: large\nmembers:\n" + "".join(people))
    command = installation.command("teams", "import", str(tmp_path / "team.yaml"))
    command[1:3] = ["-m", "tests.integration.launchers", "small_disk"]
    done = subprocess.run(
        command,
        env=installation.environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    told(Answer(done.returncode, done.stdout, done.stderr), "disk is full", "Free some space")


def test_a_port_in_use_is_told(installation: Installation) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        told(installation.run("serve", "--port", port), str(port), "--port")


def test_postgresql_that_is_not_reached_or_refuses_us_is_told(tmp_path: Path) -> None:
    def ask(url: str) -> Answer:
        return Installation(tmp_path / "home", {"PHASELOOP_DATABASE_URL": url}).run("db", "upgrade")

    told(ask("postgresql://postgres@127.0.0.1:1/test"), "cannot be reached", "PHASELOOP_DATABASE_URL")
    told(ask("postgresql://postgres@nowhere.invalid/test"), "PHASELOOP_DATABASE_URL")
    with scratch_database() as url:
        there = make_url(url)
        plain = f"postgresql://{there.username}@{there.host}:{there.port or 5432}"
        told(ask(f"{plain}/no_such_database"), "no such database", "createdb")
        stranger = ask(f"postgresql://no_such_user:wrong@{there.host}:{there.port or 5432}/{there.database}")
        told(stranger, "PostgreSQL", "no_such_user")
        assert "wrong" not in stranger.out + stranger.err


@pytest.mark.parametrize(
    "option", ["sslmode=bogus", "connect_timeout=soon", "port=many", "hostaddr=here", "target_session_attrs=x"]
)
def test_an_option_of_the_databases_address_that_has_a_wrong_value_is_told(tmp_path: Path, option: str) -> None:
    url = f"postgresql://postgres@127.0.0.1/postgres?{option}"
    answer = Installation(tmp_path / "home", {"PHASELOOP_DATABASE_URL": url}).run("status")
    told(answer, "PHASELOOP_DATABASE_URL")
    assert "Start it" not in answer.err


def test_a_reader_that_leaves_ends_the_command_quietly(installation: Installation) -> None:
    line = f"{' '.join(installation.command('--help'))} | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", line],
        env=installation.environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.strip() in ("0", "141")


def test_a_reader_that_is_gone_before_the_output_ends_it_quietly(installation: Installation) -> None:
    installation.ok("teams", "list")
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        installation.command("templates", "show", "iterative-ml"),
        check=False,
        env=installation.environment,
        cwd=ROOT,
        stdout=writing,
        stderr=-1,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


def test_ctrl_c_ends_a_command_in_words_or_silence(installation: Installation) -> None:
    process = subprocess.Popen(
        installation.command("sandbox", "--port", "0"),
        env=installation.environment,
        cwd=ROOT,
        stdout=-1,
        stderr=-1,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=300)
    assert process.returncode in (0, 130)
    assert "Traceback" not in err


def test_only_what_nobody_foresaw_is_called_a_bug(installation: Installation, tmp_path: Path) -> None:
    installation.ok("db", "upgrade")
    with closing(sqlite3.connect(installation.home / "phaseloop.db")) as store, store:
        store.execute(
            "INSERT INTO teams (id, name, body, version, updated_at) VALUES ('t', 't', '{}', 1, '2026-01-01')"
        )
    answer = installation.run("teams", "list")
    assert answer.code == 1
    assert re.search(r"This is a bug in phaseloop\.\s+Run it again with PHASELOOP_DEBUG=1", answer.err), answer.err
    assert "Traceback" not in answer.err
    again = Installation(installation.home, {"PHASELOOP_DEBUG": "1"}).run("teams", "list")
    assert (again.code, "Traceback" in again.err) == (1, True)
    assert "Report it" in again.err


def test_what_is_in_the_home_folder_is_for_its_owner(installation: Installation) -> None:
    _connected(installation, "jira")
    assert stat.S_IMODE(installation.home.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in installation.home.iterdir()} == {0o600}


def test_a_home_folder_of_a_former_version_is_closed(installation: Installation) -> None:
    installation.ok("db", "upgrade")
    installation.home.chmod(0o755)
    (installation.home / "phaseloop.db").chmod(0o644)
    installation.ok("teams", "list")
    assert stat.S_IMODE(installation.home.stat().st_mode) == 0o700
    assert stat.S_IMODE((installation.home / "phaseloop.db").stat().st_mode) == 0o600


def test_a_folder_that_holds_other_things_as_well_stays_as_open_as_it_is(installation: Installation) -> None:
    installation.home.mkdir(mode=0o755)
    (installation.home / "notes.txt").write_text("mine")
    installation.ok("db", "upgrade")
    assert stat.S_IMODE(installation.home.stat().st_mode) == 0o755
    assert stat.S_IMODE((installation.home / "phaseloop.db").stat().st_mode) == 0o600
