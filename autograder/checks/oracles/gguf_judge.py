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
    for word in words:
        expect.that(
            word.lower() in message.lower(),
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
