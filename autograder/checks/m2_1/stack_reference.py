"""stack-reference: parts of image names, and names that are none."""

from autograder.checks import case, expect

PARTS = {"read": 0.55, "refuse": 0.45}
BANK_SEEDS = 1
HINTS = (
    "Three cuts: at '@', at the first '/', at ':'.",
    "The part before the first '/' is a registry only with '.', ':' or as 'localhost'.",
    "re.fullmatch with explicit classes: [0-9], [a-z0-9].",
)
HEX = "0123456789abcdef" * 4
GOOD = (
    "app",
    "app:24.05-py3",
    "team/app",
    "team/app:1",
    "app:5000",
    "host.example/app",
    "host.example:5000/app",
    "host.example:5000/team/app:5000",
    "localhost/app",
    "localhost:80/app:v1",
    "localhost:5000",
    "localhost",
    "team/localhost/app",
    "registry/app",
    "HOST.Example/app",
    "a-b.c--d.example/x",
    "10.0.0.7:8080/x/y/z",
    "registry.example/a.b/c_d/e__f/g-h/i---j",
    "9/0:_",
    "app:" + "x" * 128,
    "app:Latest",
    "app:A_b.C-d.",
    f"app@sha256:{HEX}",
    f"app:1.0@sha256:{HEX}",
    f"host.example:443/team/app:1.0@sha256:{HEX}",
    "host:1/a",
    "app:1/2:3",
    "a1.b2/c3",
    "x.example/app.io:3",
    "app.example",
    "app.example:8080",
)
BAD = (
    ("an empty text", ""),
    ("capitals in a repository", "team/App"),
    ("a capital first part that is no registry", "Team/app"),
    ("an empty tag", "app:"),
    ("a tag that begins with a point", "app:.1"),
    ("a tag that begins with a dash", "app:-1"),
    ("a tag of 129 characters", "app:" + "x" * 129),
    ("two tags", "app:1:2"),
    ("an empty part", "team//app"),
    ("a slash at the end", "team/app/"),
    ("a slash at the beginning", "/app"),
    ("a registry alone", "host.example:5000/"),
    ("a port that is no number", "host.example:port/app"),
    ("no port", "host.example:/app"),
    ("a label that begins with a dash", "-host.example/app"),
    ("a label that ends with a dash", "host-.example/app"),
    ("an empty label", "host..example/app"),
    ("three underscores", "a___b"),
    ("two points", "a..b"),
    ("a separator at the end", "app-"),
    ("a separator at the beginning", "_app"),
    ("two kinds of separators", "a-_b"),
    ("a short digest", "app@sha256:" + HEX[:-1]),
    ("a long digest", f"app@sha256:{HEX}0"),
    ("capitals in a digest", "app@sha256:" + HEX.upper()),
    ("no digest", "app@"),
    ("another algorithm", "app@md5:" + HEX[:32]),
    ("a digest alone", f"@sha256:{HEX}"),
    ("two digests", f"app@sha256:{HEX}@sha256:{HEX}"),
    ("a tag behind the digest", f"app@sha256:{HEX}:1"),
    ("a blank before", " app"),
    ("a blank inside", "my app"),
    ("a line break at the end", "app:1\n"),
    ("a line break behind the repository", "app\n"),
    ("a line break behind the digest", f"app@sha256:{HEX}\n"),
    ("digits of another alphabet in a repository", "app\u0663"),
    ("digits of another alphabet in a port", "host.example:\u0663/app"),
    ("letters of another alphabet in a tag", "app:\u00e9t\u00e9"),
    ("letters of another alphabet in a registry", "h\u00f4te.example/app"),
    ("a protocol", "https://host.example/app"),
)
KEYS = ("registry", "repository", "tag", "digest")


def cases(rng):
    for text in GOOD:
        yield case(text[:40], "read", text=text)
    for label, text in BAD:
        yield case(label, "refuse", text=text, refuse=True)


def probe(solution, text, refuse=False):
    if refuse:
        return refusal(lambda: solution(text))  # noqa: F821
    return solution(text)


def read(text):
    """The parts of a name that is known to be good: cuts from the right."""
    head, _, digest = text.partition("@")
    parts = head.split("/")
    last, colon, tag = parts[-1].partition(":")
    parts[-1] = last
    with_registry = len(parts) > 1 and (parts[0] == "localhost" or set(".:") & set(parts[0]))
    registry = parts.pop(0) if with_registry else None
    return {"registry": registry, "repository": "/".join(parts), "tag": tag if colon else None,
            "digest": digest or None}  # fmt: skip


def judge(case, answer):
    if case.part == "refuse":
        return expect.raised(answer, "ValueError", f"Raise ValueError for {case.label}.")
    answer = expect.mapping(answer, KEYS)
    want = read(case.text)
    for key in KEYS:
        value = answer[key]
        expect.that(value is None or isinstance(value, str), f"`{key}` is a text or None.",
                    stage="type", yours=expect.kind(value))  # fmt: skip
        expect.that(value == want[key], f"`{key}` of {case.text[:60]!r} is off.", yours=value,
                    right=want[key])  # fmt: skip
    return None
