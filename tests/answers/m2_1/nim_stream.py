"""Answers to nim-stream."""

import codecs
import json

from autograder.checks.bank import right, wrong


def _model(chunks, *, decode="whole", done=True, stop=True, error=True, comments=True, crlf=True, joined="\n",
           tail=False, space=True, index=True, usage="last", finish="last", null=True, splitlines=False,
           per_chunk=False, quiet=False, chat=True, kind=RuntimeError, words=True):  # fmt: skip
    found = {"text": "", "finish": None, "usage": None, "done": False}
    if per_chunk:
        lines = [line for chunk in chunks for line in chunk.split(b"\n")]
    else:
        lines = b"".join(chunks).split(b"\n")
        lines = lines if tail else lines[:-1]
    if splitlines:
        lines = [x.encode() for x in b"\n".join(lines).decode().splitlines()]
    if tail:
        lines = [*lines, b""]
    held = []
    for raw in lines:
        line = raw.decode("utf-8", "replace" if per_chunk else "strict")
        if crlf:
            line = line.removesuffix("\r")
        start = line.find("data:") if not comments else (0 if line.startswith("data:") else -1)
        if start >= 0:
            body = line[start + 5 :]
            held.append(body.removeprefix(" ") if space else body)
            continue
        if line or not held:
            continue
        data, held = joined.join(held), []
        if data == "[DONE]":
            found["done"] = done
            if stop:
                break
            continue
        try:
            event = json.loads(data)
        except ValueError:
            if quiet:
                continue
            raise
        if error and (said := event.get("error")) is not None:
            raise kind(said.get("message") if words else "the server failed")
        if null:
            found["usage"] = event.get("usage") or found["usage"]
        else:
            found["usage"] = event.get("usage")
        for choice in event.get("choices", []):
            if index and choice.get("index") != 0:
                continue
            found["text"] += (
                choice.get("text") or (chat and (choice.get("delta") or {}).get("content")) or ""
            )
            if finish == "last":
                found["finish"] = choice.get("finish_reason") or found["finish"]
            else:
                found["finish"] = choice.get("finish_reason")
    return found


@right("joined, then lines")
def whole(chunks):
    return _model(chunks)


@right("chunk by chunk with a buffer")
def buffered(chunks):
    text, finish, usage, buffer, data = [], None, None, b"", []
    for chunk in chunks:
        buffer += chunk
        while b"\n" in buffer:
            line, _, buffer = buffer.partition(b"\n")
            line = line[:-1] if line[-1:] == b"\r" else line
            if line[:1] != b"" and not line.startswith(b"data:"):
                continue
            if line:
                data.append(line[6:] if line[5:6] == b" " else line[5:])
                continue
            body, data = b"\n".join(data), []
            if not body:
                continue
            if body == b"[DONE]":
                return {"text": "".join(text), "finish": finish, "usage": usage, "done": True}
            message = json.loads(body.decode("utf-8"))
            if message.get("error"):
                raise RuntimeError(f"the server said: {message['error']['message']}")
            usage = message.get("usage") or usage
            for choice in message.get("choices") or []:
                if choice["index"]:
                    continue
                delta = choice.get("delta") or {}
                text.append(choice.get("text") or delta.get("content") or "")
                finish = choice.get("finish_reason") or finish
    return {"text": "".join(text), "finish": finish, "usage": usage, "done": False}


@right("an incremental decoder")
def incremental(chunks):
    decoder = codecs.getincrementaldecoder("utf-8")()
    text = "".join(decoder.decode(chunk) for chunk in chunks)
    return _model([text.encode()])


def _wrong(name, sentence, **how):
    def answer(chunks):
        return _model(chunks, **how)

    answer.__name__ = name.replace("-", "_")
    globals()[answer.__name__] = answer
    wrong(name, sentence)(answer)


_wrong(
    "a-chunk-is-lines",
    "A chunk may end inside a line: join before you split.",
    per_chunk=True,
    quiet=True,
)
_wrong("done-not-told", "`done` says whether [DONE] came.", done=False)
_wrong("read-behind-done", "Nothing behind [DONE] is looked at.", stop=False)
_wrong("errors-passed-over", "An error event ends everything with RuntimeError.", error=False)
_wrong(
    "comments-read",
    "A line that begins with a colon is a comment, whatever stands in it.",
    comments=False,
)
_wrong("crlf-forgotten", "Lines may end with CRLF.", crlf=False)
_wrong("data-lines-apart", "The data lines of one event are joined with a line end.", joined="}")
_wrong("unfinished-event-read", "An event without its empty line is not read.", tail=True)
_wrong("all-choices", "Only choice 0 counts.", index=False)
_wrong("usage-of-the-last-chunk", "A null usage behind does not delete it.", null=False)
_wrong("finish-of-the-last-chunk", "A null finish_reason behind does not delete it.", finish="any")
_wrong("bad-json-passed-over", "Data that is no JSON must raise ValueError.", quiet=True)
_wrong("completions-alone", "A chat's text is in delta's content.", chat=False)
_wrong("value-error-for-errors", "An error event is a RuntimeError.", kind=ValueError)
_wrong("message-lost", "The error's text holds the server's message.", words=False)
_wrong(
    "split-at-every-line-separator",
    "Only \\n and \\r\\n end a line; str.splitlines knows more.",
    splitlines=True,
)


@wrong("decoded-by-chunk", "A character of several bytes may be cut: decode whole lines.")
def decoded(chunks):
    return _model([chunk.decode("utf-8", "replace").encode() for chunk in chunks])


@wrong("space-needed", "The space behind the colon may be missing.")
def space_needed(chunks):
    return _model([b"".join(chunks).replace(b"data:{", b"x:{").replace(b"data:[", b"x:[")])


@wrong("stripped-text", "Spaces of the text belong to it.")
def stripped(chunks):
    found = _model(chunks)
    return found | {"text": found["text"].strip()}


@wrong("done-anywhere", "[DONE] inside a text is text.")
def anywhere(chunks):
    head, mark, _ = b"".join(chunks).partition(b"data: [DONE]")
    return _model([head]) | {"done": bool(mark)}


@wrong("usage-counted-in-pieces", "Usage is what the server says, not the number of pieces.")
def counted(chunks):
    found = _model(chunks)
    return found | {
        "usage": found["usage"] or {"completion_tokens": b"".join(chunks).count(b"data:")}
    }
