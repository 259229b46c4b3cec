"""nim-stream: recorded streams of a real server and built ones, against a reader of single bytes."""

import json

from autograder.checks import case, expect
from lab.paths import repo_root

PARTS = {"streams": 0.45, "cut": 0.3, "errors": 0.25}
HINTS = (
    "A chunk's border means nothing: join, then take whole lines.",
    "Decode a line when it is whole, or a character is cut in two.",
    "Choices may be empty, content missing or null, [DONE] never come.",
)
RECORDED = ("completion", "stopped", "chat")


def event(**fields):
    return b"data: " + json.dumps(fields, ensure_ascii=False).encode() + b"\n\n"


def text_event(text, finish=None, **more):
    return event(choices=[{"index": 0, "text": text, "finish_reason": finish} | more])


def chat_event(finish=None, **delta):
    return event(choices=[{"index": 0, "delta": delta, "finish_reason": finish}])


DONE = b"data: [DONE]\n\n"
USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


def recorded(name):
    """The body of an answer, as the server sent it."""
    return (repo_root() / "data" / "openai_streams" / f"{name}.sse").read_bytes()


def built():
    """Label and bytes of the streams that no server was recorded with."""
    a, b = text_event("Grüße, "), text_event("日本 🙂", "length")
    yield "usage in a chunk without choices", a + b + event(choices=[], usage=USAGE) + DONE
    yield "usage null before", event(choices=[{"index": 0, "text": "x"}], usage=None) + event(
        choices=[], usage=USAGE) + event(choices=[], usage=None) + DONE  # fmt: skip
    yield "CRLF", (a + b + DONE).replace(b"\n", b"\r\n")
    yield "comments", b": ping\n\n" + a + b": data: no\n" + b + DONE
    yield "other fields", b"event: message\nid: 7\n" + a + b"retry: 10\n\n" + b + DONE
    yield "no space behind the colon", (a + b + DONE).replace(b"data: ", b"data:")
    yield (
        "two data lines of one event",
        b'data: {"choices": [{"index": 0,\ndata: "text": "x"}]}\n\n' + DONE,
    )
    yield "no [DONE]", a + b
    yield "an event that is not ended", a + b[:-1]
    yield "a line that is not ended", a + b[:-9]
    yield "something behind [DONE]", a + DONE + b + b"data: {oops\n\n"
    yield "nothing", b""
    both = [{"index": 1, "text": "no", "finish_reason": "stop"}, {"index": 0, "text": "yes"}]
    yield "two choices", event(choices=both) + DONE
    yield "null content, with a finish", chat_event(role="assistant", content=None) + chat_event(
        content="x") + chat_event(finish="stop") + DONE  # fmt: skip
    yield "an error that is null", event(choices=[{"index": 0, "text": "x"}], error=None) + DONE
    yield (
        "a line end and data: in the text",
        text_event("data: [DONE]\n\ndata: {}") + text_event(" \u2028 \x85") + DONE,
    )
    yield (
        "finish, then usage with null finish",
        text_event("x", "stop") + text_event("", None) + DONE,
    )


def cut(data, rng, count):
    at = sorted(int(x) for x in rng.integers(0, len(data) + 1, count))
    return [data[i:j] for i, j in zip([0, *at], [*at, len(data)], strict=True)]


def cases(rng):
    part = "streams"
    for name in RECORDED:
        yield case(f"recorded: {name}", part, chunks=[recorded(name)])
    yield case("recorded: a prompt too long, streamed", part, chunks=[recorded("too_long")])
    for label, data in built():
        yield case(label, part, chunks=[data])
    part = "cut"
    for name in RECORDED:
        yield case(f"recorded, cut: {name}", part, chunks=cut(recorded(name), rng, 60))
    for label, data in built():
        yield case(f"{label}, byte by byte", part, chunks=[bytes([x]) for x in data])
    yield case("no chunks", part, chunks=[])
    part = "errors"
    start, failure = text_event("x"), event(error={"message": "out of memory", "code": 500})
    for label, data, name, words in (
        ("an error event", start + failure, "RuntimeError", "out of memory"),
        ("an error before any text", failure + DONE, "RuntimeError", "out of memory"),
        ("no JSON", start + b"data: {oops}\n\n" + DONE, "ValueError", ""),
        ("half an object", start + b'data: {"choices": [\n\n', "ValueError", ""),
        ("a word", b"data: done\n\n" + DONE, "ValueError", ""),
    ):  # fmt: skip
        yield case(label, part, chunks=cut(data, rng, 5), name=name, words=words)


def probe(solution, chunks, name=None, words=None):
    return outcome(lambda: solution(chunks))  # noqa: F821


def read(data):
    """text, finish, usage, done of a stream, byte after byte."""
    text, finish, usage, done = "", None, None, False
    line, held = bytearray(), []
    for byte in data:
        if byte != 10:
            line.append(byte)
            continue
        if line.endswith(b"\r"):
            del line[-1]
        if line[:5] == b"data:":
            value = line[5:]
            held.append(bytes(value[1:] if value[:1] == b" " else value))
        elif not line and held:
            whole, held = b"\n".join(held), []
            if whole == b"[DONE]":
                done = True
                break
            parsed = json.loads(whole)
            usage = parsed["usage"] if parsed.get("usage") is not None else usage
            for choice in parsed["choices"]:
                if choice["index"] == 0:
                    text += choice.get("text") or (choice.get("delta") or {}).get("content") or ""
                    finish = choice.get("finish_reason") or finish
        line.clear()
    return {"text": text, "finish": finish, "usage": usage, "done": done}


def judge(case, answer):
    if case.part == "errors":
        expect.raised(answer, case.name, f"{case.label}: raise {case.name}.")
        expect.that(case.words in answer["message"], "The error's text lacks the server's message.",
                    yours=answer["message"], right=case.words)  # fmt: skip
        return
    if "value" not in answer:
        expect.wrong(
            "error", "This stream is in order.", yours=f"{answer['raised']}: {answer['message']}"
        )
    right = read(b"".join(case.chunks))
    found = expect.mapping(answer["value"], tuple(right))
    for key in ("done", "text", "finish", "usage"):
        same = found[key] == right[key] and type(found[key]) is type(right[key])
        expect.that(same, f"`{key}` is off.", yours=found[key], right=right[key])
    return
