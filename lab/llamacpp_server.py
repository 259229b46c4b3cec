"""llama.cpp's OpenAI-compatible server, in a process of its own on a free local port.

`with local_server(path) as url:` starts it and stops it at the end, also after an error. The process ends by
itself when its standard input closes, so it does not outlive the notebook.
"""

import importlib.util
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.errors import CourseError
from lab.llamacpp import REMEDY
from lab.paths import repo_root

NEEDED = ("llama_cpp", "uvicorn", "fastapi", "sse_starlette", "starlette_context",
          "pydantic_settings")  # fmt: skip
START_S = 60.0


def missing() -> list[str]:
    """Modules that the server needs and that are not installed; imports nothing."""
    return [name for name in NEEDED if importlib.util.find_spec(name) is None]


@contextmanager
def local_server(path: Path | str, alias: str = "lm", context: int = 256) -> Iterator[str]:
    """The base address, such as http://127.0.0.1:40123, of a server of one GGUF model.

    Raises:
        CourseError: no llama.cpp, no such file, or a server that does not start within 60 s.
    """
    if absent := missing():
        raise CourseError(f"The local server needs {', '.join(absent)}: `{REMEDY}`.")
    if not Path(path).is_file():
        raise CourseError(f"{path} is missing: it comes with the course.")
    words = [sys.executable, "-m", "lab.llamacpp_server", str(path), alias, str(context)]
    process = subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        text=True, cwd=repo_root(),
    )  # fmt: skip
    # A process that hangs while it starts is ended, which closes the pipe that is read below.
    timer = threading.Timer(START_S, process.kill)
    timer.start()
    try:
        said = process.stdout.readline() if process.stdout else ""
        timer.cancel()
        if not said.strip():
            raise CourseError(f"llama.cpp's server did not start with {Path(path).name}.")
        yield f"http://127.0.0.1:{json.loads(said)['port']}"
    finally:
        timer.cancel()
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()


def _serve(path: str, alias: str, context: int) -> None:
    """Serve until standard input closes; the port goes to standard output once the server answers."""
    import uvicorn
    from llama_cpp.server.app import create_app
    from llama_cpp.server.settings import ModelSettings, ServerSettings

    model = ModelSettings(
        model=path, model_alias=alias, n_ctx=context, n_threads=1, n_threads_batch=1, verbose=False
    )
    app = create_app(server_settings=ServerSettings(), model_settings=[model])
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical"))

    def watch() -> None:
        while not server.started:
            threading.Event().wait(0.01)
        print(json.dumps({"port": listener.getsockname()[1]}), flush=True)
        sys.stdin.read()
        server.should_exit = True

    threading.Thread(target=watch, daemon=True).start()
    server.run(sockets=[listener])


if __name__ == "__main__":
    _serve(sys.argv[1], sys.argv[2], int(sys.argv[3]))
