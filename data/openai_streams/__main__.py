"""Record streams of llama.cpp's server with the shipped model: `python -m data.openai_streams`.

Each file holds the body of one answer, byte for byte; only ids and times are the server's own of that day.
"""

from pathlib import Path

import requests

from lab.llamacpp_server import local_server
from lab.paths import repo_root

HERE = Path(__file__).parent
MODEL = repo_root() / "data" / "models" / "lm_gguf" / "lm-Q4_K_M.gguf"
COMMON = {"model": "lm", "temperature": 0, "stream": True}
REQUESTS = {
    "completion": ("/v1/completions", {"prompt": "def read_file(", "max_tokens": 12}),
    "stopped": ("/v1/completions", {"prompt": "one, two, three,", "max_tokens": 40, "stop": ["\n"]}),
    "chat": ("/v1/chat/completions", {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 8}),
    # The answer's status is 200, as for the others.
    "too_long": ("/v1/completions", {"prompt": "one two three " * 300, "max_tokens": 3}),
}  # fmt: skip


def main() -> None:
    """Write one file a request."""
    with local_server(MODEL) as url, requests.Session() as session:
        session.trust_env = False  # no proxy for this machine itself
        for name, (path, body) in REQUESTS.items():
            answer = session.post(url + path, json=COMMON | body, timeout=60)
            (HERE / f"{name}.sse").write_bytes(answer.content)
            print(f"{name}: status {answer.status_code}, {len(answer.content):,} bytes")


if __name__ == "__main__":
    main()
