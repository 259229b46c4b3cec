"""Opening nbgrader's gradebook: SQLite or PostgreSQL, and in one sentence what is wrong with it.

No sentence of this module carries a password.
"""

import contextlib
import functools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, NullPool, create_engine, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

if TYPE_CHECKING:
    from nbgrader.api import Gradebook

CONNECT_TIMEOUT_S = 10
# What the driver or the server says (a part of it), and what to do about it.
ADVICE = (
    ("password", "put the right password into ~/.pgpass or PGPASSWORD"),
    ('role "', "ask the server's owner for an account"),
    ('database "', "make it with `createdb`, or correct the URL"),
    ("permission denied", "ask the server's owner for the right to write there"),
    ("too many", "close other programs that use the gradebook"),
    ("refused", "start the server, or correct the URL"),
    ("resolve", "correct the host's name in the URL"),
    ("timeout", "see that the server runs and can be reached from here"),
)


class GradebookError(Exception):
    """The gradebook cannot be used; the text is one sentence that says what to do."""


def shown(db_url: str) -> str:
    """A database URL, even a wrong one, without its password."""
    user = r"^([^:/@]*(?:://|//)?[^:/@]*)"
    db_url = re.sub(user + r":(?!//).*@", r"\1:***@", db_url)
    return re.sub(r"(?i)(password=)[^&]*", r"\1***", db_url)


def parse(db_url: str) -> URL:
    """The URL's parts. Raises GradebookError."""
    try:
        url = make_url(db_url)
        url.get_dialect()
    except (ArgumentError, NoSuchModuleError, ValueError):
        raise GradebookError(
            f"{shown(db_url)!r} is no database URL: write sqlite:///PATH or postgresql://HOST/NAME."
        ) from None
    if "@" in (url.host or ""):
        raise GradebookError(
            f"{shown(db_url)!r} has more than one @: write one that is in the password as %40."
        )
    return url


def cause(db_url: str, error: Exception) -> str:
    """An error's own words: the last clause of its first line, without the password."""
    line = (str(getattr(error, "orig", None) or error).strip() or type(error).__name__).splitlines()
    said = line[0].rpartition("FATAL:")[2].strip().rstrip(".")
    url = make_url(db_url)
    for secret in (url.password, url.query.get("password")):
        if secret:
            said = said.replace(str(secret), "***")
    return said


def unusable(db_url: str, error: Exception) -> str:
    """One sentence: which gradebook, what is wrong, what to do."""
    said = cause(db_url, error)
    found = (advice for words, advice in ADVICE if words in said)
    advice = next(found, "check the path or URL")
    return f"The gradebook {shown(db_url)} cannot be read ({said}): {advice}."


def lost(db_url: str, error: Exception) -> str:
    """One sentence: the gradebook went away while submissions were graded."""
    return (
        f"The gradebook {shown(db_url)} was lost on the way ({cause(db_url, error)}): "
        "what is graded is kept, and the same command goes on when it is back."
    )


def examine(db_url: str) -> str:
    """See that there is a gradebook of this nbgrader's schema; changes nothing. Its course's id.

    nbgrader itself would make what is missing: a file, the tables, the course.

    Raises:
        GradebookError: no URL, no server, no database, no gradebook in it, another version.
    """
    url = parse(db_url)
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise GradebookError(
            f"There is no gradebook at {shown(db_url)}: run `nbgrader generate_assignment` "
            "first, or correct the path."
        )
    with _looking(db_url) as connection:
        tables = set(inspect(connection).get_table_names())
        if not tables:
            raise GradebookError(
                f"The database {shown(db_url)} is empty: run `nbgrader generate_assignment` first."
            )
        if not {"course", "student", "grade"} <= tables:
            raise GradebookError(
                f"{shown(db_url)} is not an nbgrader gradebook: name another database."
            )
        _same_version(db_url, connection)
        found = connection.execute(text("SELECT id FROM course ORDER BY id")).first()
    if found is None:
        raise GradebookError("The gradebook has no course: run nbgrader generate_assignment first.")
    return found[0]


def demand_server(db_url: str, words: Sequence[str]) -> None:
    """See that the database server of an nbgrader command answers; a file needs no such look.

    Stock `generate_assignment --force` removes the release before it opens the gradebook.

    Args:
        db_url: the one in nbgrader_config.py.
        words: the command's words; they may name another database.

    Raises:
        GradebookError: no URL, no server, no database, another version (`db upgrade` may go on).
    """
    for word, following in zip(words, [*words[1:], ""], strict=True):
        name, equals, value = word.partition("=")
        if name in ("--db", "--CourseDirectory.db_url"):
            db_url = value if equals else following
    if parse(db_url).get_backend_name() == "sqlite":
        return
    with _looking(db_url) as connection:
        if "upgrade" not in words:
            _same_version(db_url, connection)


@contextlib.contextmanager
def _looking(db_url: str) -> Iterator[Connection]:
    """A connection that ends with the block. Raises GradebookError for the database's errors."""
    url = parse(db_url)
    postgresql = url.get_backend_name() == "postgresql"
    options = {"connect_timeout": CONNECT_TIMEOUT_S} if postgresql else {}
    try:
        with create_engine(url, poolclass=NullPool, connect_args=options).connect() as connection:
            yield connection
    except (SQLAlchemyError, ImportError) as error:
        raise GradebookError(unusable(db_url, error)) from None


def _same_version(db_url: str, connection: Connection) -> None:
    if not inspect(connection).has_table("alembic_version"):
        return
    versions = list(connection.scalars(text("SELECT version_num FROM alembic_version")))
    if versions and versions != [schema_version()]:
        raise GradebookError(
            f"The gradebook {shown(db_url)} has the schema {', '.join(versions)}, and this nbgrader "
            f"works with {schema_version()}: make a copy, then run `nbgrader db upgrade`."
        )


@functools.cache
def schema_version() -> str:
    """The schema's version (alembic's revision) that the installed nbgrader works with."""
    from alembic.script import ScriptDirectory
    from nbgrader.dbutil import ALEMBIC_DIR

    return ScriptDirectory(ALEMBIC_DIR).get_current_head()


def open_gradebook(db_url: str, course_id: str = "") -> "Gradebook":
    """The gradebook, which has to be there already. course_id: default, its own.

    Raises GradebookError.
    """
    from nbgrader.api import Gradebook

    found = examine(db_url)
    try:
        return Gradebook(db_url, course_id or found)
    except SQLAlchemyError as error:
        raise GradebookError(unusable(db_url, error)) from None
