"""accelerators: five accelerators and the narrow types that their matrix units multiply."""

import re
from functools import cache

import yaml

from autograder.checks import case, expect
from lab.paths import repo_root

# Form earns nothing by itself; each accelerator, in the order given, a fifth.
RANKS = ("first", "second", "third", "fourth", "fifth")
PARTS = {"form": 0.0, **dict.fromkeys(RANKS, 0.2)}
HINTS = (
    "Read what the vendor says of the matrix unit; what vector units or storage can do is not asked.",
    "fp8 stands for every 8-bit float, fp4 for MXFP4 and NVFP4 too; tf32 and wider do not count.",
)
SAME_TYPE = {
    "fp16": "fp16 float16 half f16 binary16",
    "bf16": "bf16 bfloat16 brainfloat16",
    "fp8": "fp8 float8 f8 e4m3 e5m2 fp8e4m3 fp8e5m2 float8e4m3fn float8e5m2 mxfp8 cfp8 e4m3fn",
    "fp6": "fp6 float6 e2m3 e3m2 fp6e2m3 fp6e3m2 mxfp6",
    "fp4": "fp4 float4 e2m1 fp4e2m1 mxfp4 nvfp4",
    "int8": "int8 i8 s8 u8 uint8",
    "int4": "int4 i4 s4 u4 uint4",
    "": "tf32 tensorfloat32 fp32 float32 f32 fp64 float64 f64 int32 int16 uint16 int64 int1 binary b1",
}


@cache
def _data() -> list[dict]:
    path = repo_root() / "data" / "accelerators.yml"
    return yaml.safe_load(path.read_text(encoding="utf-8"))["accelerators"]


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _entry(name: str) -> dict | None:
    """The accelerator of this name or alias, whatever its case, spaces, hyphens and maker."""
    for entry in _data():
        names = {_plain(text) for text in (entry["name"], *entry["aliases"])}
        if _plain(name) in names | {_plain(entry["maker"]) + text for text in names}:
            return entry
    return None


def _type(name: str) -> str | None:
    """The type's name in our list, "" for one that does not count, None for an unknown word."""
    words = {word: ours for ours, text in SAME_TYPE.items() for word in text.split()}
    return words.get(_plain(name))


def cases(rng):
    yield case("the dict", part="form")
    for rank in RANKS:
        yield case(f"the {rank} accelerator", part=rank)


def probe(solution):
    answer = solution()
    if not isinstance(answer, dict):
        return answer
    kinds = (set, frozenset, list, tuple)
    return {
        str(name): sorted(map(str, types)) if isinstance(types, kinds) else types
        for name, types in answer.items()
    }


def judge(case, answer):
    if case.part == "form":
        _form(answer)
        return
    rank = RANKS.index(case.part)
    names = list(answer)
    expect.that(
        rank < len(names),
        f"There is no {case.part} accelerator: name five.",
        stage="shape",
        yours=f"{len(names)} names",
        right="5 names",
    )
    name, types = names[rank], answer[names[rank]]
    entry = _entry(name)
    expect.that(
        entry is not None,
        f"{name!r} is not on the list of data/accelerators.yml: take a name from there.",
        yours=name,
        right=", ".join(e["name"] for e in _data()[:5]) + ", ...",
    )
    expect.that(
        entry not in [_entry(other) for other in names[:rank]],
        f"{entry['name']} is there twice: name five different ones.",
        yours=name,
        right="another accelerator",
    )
    _types(name, types, entry)


def _types(name: str, types, entry: dict) -> None:
    """The types given to one accelerator against its entry."""
    if not isinstance(types, list):
        message = f"{name}: give its types as a set of strings."
        expect.wrong("type", message, yours=expect.kind(types), right='a set such as {"fp16"}')
    for word in types:
        expect.that(
            _type(word) is not None,
            f"{name}: {word!r} is not one of the types asked for.",
            yours=word,
            right="fp16, bf16, fp8, fp6, fp4, int8, int4",
        )
    yours = {_type(word) for word in types} - {""}
    right = set(entry["types"])
    extra, missing = sorted(yours - right), sorted(right - yours)
    if not extra and not missing:
        return
    says = []
    if extra:
        says.append(f"its matrix unit does not multiply {', '.join(extra)}")
    if missing:
        says.append(f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing")
    expect.wrong(
        "values",
        f"{name}: {'; '.join(says)}.",
        yours=", ".join(sorted(yours)) or "none",
        right=", ".join(sorted(right)),
        hint=f"{' '.join(entry['says'].split())} ({entry['source']}, {entry['year']})",
    )


def _form(answer) -> None:
    """A dict of five at most, of two makers or more among the names that are known."""
    if not isinstance(answer, dict):
        message = "Return a dict from name to a set of types."
        expect.wrong("type", message, yours=expect.kind(answer), right="a dict")
    if not 1 <= len(answer) <= 5:
        message = "Name five accelerators."
        expect.wrong("shape", message, yours=f"{len(answer)} names", right="5 names")
    known = [entry for entry in map(_entry, answer) if entry]
    makers = {entry["maker"] for entry in known}
    expect.that(
        len(makers) >= 2 or len(known) < 2,
        "Take accelerators of two makers or more.",
        yours=", ".join(sorted(makers)),
        right="two makers",
    )
