"""The local OpenAI-compatible server: it answers, and it is gone afterwards."""

import pytest
import requests

from data.openai_streams.__main__ import MODEL
from lab import llamacpp_server
from lab.errors import CourseError

installed = pytest.mark.skipif(
    bool(llamacpp_server.missing()), reason="llama.cpp's server is not installed: make llamacpp"
)


@installed
def test_it_answers_and_stops_after_an_error():
    with pytest.raises(ZeroDivisionError), llamacpp_server.local_server(MODEL) as url:  # noqa: PT012
        session = requests.Session()
        session.trust_env = False
        assert session.get(f"{url}/v1/models", timeout=60).json()["data"][0]["id"] == "lm"
        body = {"model": "lm", "prompt": "def f(", "max_tokens": 3, "temperature": 0}
        usage = session.post(f"{url}/v1/completions", json=body, timeout=60).json()["usage"]
        assert usage["completion_tokens"] == 3
        raise ZeroDivisionError
    with pytest.raises(requests.ConnectionError):
        session.get(f"{url}/v1/models", timeout=60)


@installed
def test_a_file_that_is_no_model_is_refused(tmp_path):
    bad = tmp_path / "bad.gguf"
    bad.write_bytes(b"GGUF" + bytes(64))
    with pytest.raises(CourseError, match="did not start"), llamacpp_server.local_server(bad):
        pass


def test_what_is_missing_is_named(monkeypatch, tmp_path):
    monkeypatch.setattr(llamacpp_server, "missing", lambda: ["uvicorn"])
    serve = llamacpp_server.local_server(tmp_path / "x.gguf")
    with pytest.raises(CourseError, match=r"uvicorn.*make llamacpp"), serve:
        pass
    monkeypatch.setattr(llamacpp_server, "missing", list)
    serve = llamacpp_server.local_server(tmp_path / "x.gguf")
    with pytest.raises(CourseError, match=r"x.gguf is missing"), serve:
        pass
