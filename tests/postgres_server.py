"""A PostgreSQL server for tests: the distribution's own, in a temporary folder, on a free port."""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import URL

USER, PASSWORD = "teacher", "s3cret:p@ss/word%"
MISSING = "there is no PostgreSQL server here: as root, `make postgresql` installs it"
# CI sets this, so that a missing server is a failure there and no skip.
REQUIRED = "COURSE_REQUIRE_POSTGRESQL"


def programs() -> Path:
    """The folder of initdb and postgres. Skips the test without one; fails it where REQUIRED."""
    # Debian and its kin keep the server's programs off PATH, one folder a version.
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: float(p.parent.name))
    found = shutil.which("initdb")
    folders += [Path(found).resolve().parent] if found else []
    folders = [folder for folder in folders if (folder / "postgres").exists()]
    if not folders:
        (pytest.fail if os.environ.get(REQUIRED) else pytest.skip)(MISSING)
    return folders[-1]


def unprivileged() -> dict:
    """Arguments of Popen: the server refuses root, so root lends it the package's own user."""
    if os.geteuid():
        return {}
    entry = pwd.getpwnam("postgres")
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


class Server:
    """A running server. `url(name)` is a database's address, with the password."""

    def __init__(self, folder: Path):
        self.folder, self.bin, self.process = folder, programs(), None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        (folder / "password").write_text(PASSWORD)
        if os.geteuid() == 0:
            for path in (folder, folder / "password"):
                shutil.chown(path, "postgres")
        secret = f"--pwfile={folder / 'password'}"
        words = ["-U", USER, "-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync"]
        self._run("initdb", "-D", "data", secret, *words)
        self.start()

    def _run(self, name: str, *words: str) -> None:
        command = [self.bin / name, *words]
        done = subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, **unprivileged()
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def start(self) -> None:
        """Start it and wait until it answers."""
        words = ["-D", "data", "-h", "127.0.0.1", "-p", str(self.port), "-k", str(self.folder)]
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen(
                [self.bin / "postgres", *words, "-F"],
                cwd=self.folder,
                stdout=log,
                stderr=log,
                **unprivileged(),
            )
        deadline = time.monotonic() + 60
        while True:
            with contextlib.suppress(psycopg.OperationalError), self.connect("postgres"):
                return
            log = (self.folder / "log").read_text()
            assert self.process.poll() is None and time.monotonic() < deadline, log
            time.sleep(0.05)

    def stop(self) -> None:
        """Fast shutdown: sessions are ended, what was committed stays."""
        self.process.send_signal(signal.SIGINT)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def url(self, name: str, password: str = PASSWORD) -> str:
        """The database's URL for nbgrader and `course`."""
        url = URL.create("postgresql", USER, password, "127.0.0.1", self.port, name)
        return url.render_as_string(hide_password=False)

    def connect(self, name: str) -> psycopg.Connection:
        """A connection on which every statement commits."""
        where = {"host": "127.0.0.1", "port": self.port, "dbname": name}
        return psycopg.connect(**where, user=USER, password=PASSWORD, autocommit=True)

    def create(self, name: str) -> str:
        """A new empty database; its URL."""
        with self.connect("postgres") as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.url(name)


@contextlib.contextmanager
def running() -> Iterator[Server]:
    """A server that lasts as long as the block."""
    programs()
    with tempfile.TemporaryDirectory(prefix="course-pg-", ignore_cleanup_errors=True) as folder:
        server = Server(Path(folder))
        try:
            yield server
        finally:
            server.stop()
