"""What the checks of the GGUF lessons have in common: results compared, refusals judged."""

from autograder.checks import expect
from autograder.checks.oracles import gguf_valid


def same(got: object, want: object, name: str, hint: str = "") -> None:
    """Equal in value and type, with the first place that differs."""
    found = gguf_valid.difference(got, want)
    if found:
        place, theirs, ours = found
        expect.wrong(
            "values" if type(theirs) is type(ours) else "type",
            f"`{name}{place}` is off.",
            yours=f"{expect.show(theirs)} ({type(theirs).__name__})",
            right=f"{expect.show(ours)} ({type(ours).__name__})",
            hint=hint,
        )


def refused(answer: object, why: str, words: tuple[str, ...] = ()) -> None:
    """A probe's {"raised": name, "message": text}: a ValueError whose message has these words."""
    expect.raised(answer, "ValueError", why)
    message = str(answer.get("message", ""))
    # "big endian" and "16,777,216" say the same as "big-endian" and "16777216".
    said = message.lower().replace("-", " ").replace(",", "").replace("_", "")
    for word in words:
        expect.that(
            word.lower().replace("-", " ") in said,
            f"The message does not say {word!r}: whoever reads it must know what to do.",
            stage="edge",
            yours=message or "an empty message",
            right=f"a sentence with {word!r}",
        )


def returned(answer: object, why: str) -> object:
    """The value in a probe's {"value": ...}; a refusal is a finding."""
    got = expect.mapping(answer, ())
    expect.that(
        "value" in got,
        why,
        stage="error",
        yours=f"raised {got.get('raised')}: {got.get('message')}",
        right="a result",
    )
    return got["value"]


def named(answer: object, fields: tuple[str, ...], what: str) -> None:
    """A refusal that is a GGUFError (a ValueError with `field`) naming one of the fields."""
    got = expect.mapping(answer, ())
    right = f"GGUFError for {' or '.join(map(repr, fields[:3]))}"
    if "raised" not in got:
        expect.wrong("edge", f"{what}: accepted.", yours="no error", right=right)
    said = f"{got['raised']}: {got.get('message')}"
    expect.that(got["raised"] == "ValueError", f"{what}: refused in the wrong way.", stage="edge",
                yours=said, right=right)  # fmt: skip
    expect.that(got.get("field") in fields, f"{what}: the error names another field.", stage="edge",
                yours=str(got.get("field")), right=" or ".join(fields[:4]))  # fmt: skip


def contents(answer: object, want: dict) -> None:
    """What a reader returned for a whole file; a shape may be a list, and more may be told."""
    expect.mapping(answer, tuple(want))
    tensors = answer["tensors"]
    for name in tensors if isinstance(tensors, dict) else ():
        info = tensors[name]
        if isinstance(info, dict) and {"shape", "type", "offset"} <= set(info):
            shape = info["shape"]
            shape = tuple(shape) if isinstance(shape, list) else shape
            tensors[name] = {"shape": shape, "type": info["type"], "offset": info["offset"]}
    for key, content in want.items():
        same(answer[key], content, f"[{key!r}]")
    for key in ("metadata", "tensors"):
        same(list(answer[key]), list(want[key]), f"list({key})")
