"""Is the network there? Asked briefly, once per process, and never when COURSE_OFFLINE=1."""

import os
import threading
from urllib.parse import urlsplit

TIMEOUT_S = 2.0
_answers: dict[str, str | None] = {}


def forced_offline() -> bool:
    """Whether `COURSE_OFFLINE` is set to anything but an empty string or 0."""
    return os.environ.get("COURSE_OFFLINE", "") not in ("", "0")


def why_offline(url: str, timeout_s: float = TIMEOUT_S) -> str | None:
    """Why `url` cannot be asked now, as part of a sentence; None when its host answers.

    One short HEAD request per host and process. After the first host that did not answer, no
    other is tried in this process: a classroom without a network waits once, not at each loader.
    """
    if forced_offline():
        return "COURSE_OFFLINE is set"
    host = urlsplit(url).netloc
    if host not in _answers:
        failed = next((reason for reason in _answers.values() if reason), None)
        _answers[host] = failed or _head(url, timeout_s)
    return _answers[host]


def _head(url: str, timeout_s: float) -> str | None:
    """Ask for the headers in a thread: name resolution has no time limit of its own."""
    outcome: list[str | None] = []

    def ask() -> None:
        import requests

        try:
            requests.head(url, timeout=timeout_s, allow_redirects=False).close()
            outcome.append(None)
        except requests.RequestException as error:
            outcome.append(f"{urlsplit(url).netloc} did not answer ({type(error).__name__})")

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(2 * timeout_s)
    if not outcome:
        return f"{urlsplit(url).netloc} did not answer within {2 * timeout_s:.0f} s"
    return outcome[0]
