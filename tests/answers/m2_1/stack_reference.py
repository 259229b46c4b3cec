"""Answers to stack-reference."""

import re

from autograder.checks.bank import right, wrong

PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?"
TAG = r"[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}"
DIGEST = r"sha256:[0-9a-f]{64}"


def _host(first):
    return first == "localhost" or "." in first or ":" in first


def _model(text, *, part=PART, label=LABEL, port="[0-9]+", tag=TAG, digest=DIGEST, host=_host,
           default=None, match=re.fullmatch, registry_default=None):  # fmt: skip
    rest, at, sha = text.partition("@")
    registry = registry_default
    first, slash, after = rest.partition("/")
    if slash and host(first):
        registry, rest = first, after
        if not match(rf"{label}(?:\.{label})*(?::{port})?", registry):
            raise ValueError("registry")
    name, colon, label_of = rest.partition(":")
    if not match(rf"{part}(?:/{part})*", name):
        raise ValueError("repository")
    if colon and not match(tag, label_of):
        raise ValueError("tag")
    if at and not match(digest, sha):
        raise ValueError("digest")
    return {"registry": registry, "repository": name, "tag": label_of if colon else default,
            "digest": sha if at else None}  # fmt: skip


@right("three cuts")
def by_cuts(text):
    return _model(text)


@right("one pattern")
def by_pattern(text):
    host = rf"(?:localhost|(?=[^/]*[.:]){LABEL}(?:\.{LABEL})*)(?::[0-9]+)?"
    found = re.fullmatch(
        rf"(?:(?P<registry>{host})/)?(?P<repository>{PART}(?:/{PART})*)(?::(?P<tag>{TAG}))?(?:@(?P<digest>{DIGEST}))?", text)  # fmt: skip
    if found is None:
        raise ValueError(text)
    return found.groupdict()


@right("characters, no patterns")
def by_characters(text):
    lower = "abcdefghijklmnopqrstuvwxyz"
    digits = "0123456789"
    letters = lower + lower.upper()

    def need(good):
        if not good:
            raise ValueError(f"not a name: {text!r}")

    def only(word, allowed):
        return all(c in allowed for c in word)

    name, *digests = text.split("@")
    need(len(digests) <= 1)
    if digests:
        need(digests[0].startswith("sha256:") and len(digests[0]) == 71)
        need(only(digests[0][7:], digits + "abcdef"))
    parts = name.split("/")
    registry = None
    if len(parts) > 1 and (parts[0] == "localhost" or any(c in ".:" for c in parts[0])):
        registry = parts.pop(0)
        host, *port = registry.split(":")
        need(len(port) <= 1 and all(p and only(p, digits) for p in port))
        for label in host.split("."):
            need(label and only(label, letters + digits + "-"))
            need(label[0] != "-" and label[-1] != "-")
    parts[-1], *tags = parts[-1].split(":")
    need(len(tags) <= 1)
    for tag in tags:
        need(1 <= len(tag) <= 128 and only(tag, letters + digits + "_.-") and tag[0] not in ".-")
    for part in parts:
        need(part and only(part, lower + digits + "._-"))
        runs, gap = [], ""
        for c in part + "\0":
            if c in "._-":
                gap += c
            else:
                runs += [gap] if gap else []
                gap = ""
        need(part[0] not in "._-" and part[-1] not in "._-")
        need(all(g in (".", "_", "__") or set(g) == {"-"} for g in runs))
    return {"registry": registry, "repository": "/".join(parts), "tag": tags[0] if tags else None,
            "digest": digests[0] if digests else None}  # fmt: skip


@wrong("latest-made-up", "A tag that is left out is None: `latest` is a client's habit.")
def latest(text):
    return _model(text, default="latest")


@wrong("registry-made-up", "A registry that is left out is None.")
def registry_default(text):
    return _model(text, registry_default="registry.example")


@wrong(
    "port-taken-for-tag",
    "The first colon may belong to a port: look for the tag behind the last slash.",
)
def first_colon(text):
    name, _, digest = text.partition("@")
    head, colon, tag = name.partition(":")
    found = _model(head + (f"@{digest}" if digest else ""))
    return found | {"tag": tag if colon else None}


@wrong(
    "first-part-is-registry", "The first part is a registry only with '.', ':' or as 'localhost'."
)
def always_registry(text):
    return _model(text, host=lambda first: True)


@wrong("localhost-forgotten", "'localhost' is a registry without a point.")
def no_localhost(text):
    return _model(text, host=lambda first: "." in first or ":" in first)


@wrong("colon-forgotten", "A first part with a port is a registry, also without a point.")
def no_colon(text):
    return _model(text, host=lambda first: first.split(":")[0] == "localhost" or "." in first)


@wrong("digest-as-tag", "A digest is not a tag: cut at '@' first.")
def digest_as_tag(text):
    found = _model(text)
    return found | {"tag": found["digest"] or found["tag"]}


@wrong("digest-without-algorithm", "Keep 'sha256:' in the digest.")
def bare_digest(text):
    found = _model(text)
    return found | {"digest": found["digest"] and found["digest"][7:]}


@wrong("tag-dropped-with-digest", "A tag beside a digest is returned too.")
def tag_dropped(text):
    found = _model(text)
    return found | {"tag": None if found["digest"] else found["tag"]}


@wrong("lower-cased", "Tags and registries keep their capitals.")
def lowered(text):
    found = _model(text)
    return {key: value and value.lower() for key, value in found.items()}


@wrong("last-part-only", "The repository has all its parts.")
def last_part(text):
    found = _model(text)
    return found | {"repository": found["repository"].split("/")[-1]}


@wrong("match-and-dollar", "`$` also matches before a line break at the end: use fullmatch.")
def dollar(text):
    return _model(text, match=lambda p, s: re.match(f"(?:{p})$", s))


@wrong("prefix-match", "The whole text must match, not its beginning.")
def prefix(text):
    return _model(text, match=re.match)


@wrong("stripped", "Blanks around a name are an error.")
def stripped(text):
    return _model(text.strip())


@wrong("capitals-allowed", "Repositories have no capitals.")
def capitals(text):
    return _model(text, part=r"[a-zA-Z0-9]+(?:(?:\.|_|__|-+)[a-zA-Z0-9]+)*")


@wrong("separators-anywhere", "A separator stands between two runs of letters and digits.")
def separators(text):
    return _model(text, part="[a-z0-9._-]+")


@wrong("mixed-separators", "Between two runs stands one separator: '.', '_', '__' or dashes.")
def mixed(text):
    return _model(text, part="[a-z0-9]+(?:[._-]+[a-z0-9]+)*")


@wrong("one-dash-only", "Several dashes in a row are one separator.")
def one_dash(text):
    return _model(text, part=r"[a-z0-9]+(?:(?:\.|_|__|-)[a-z0-9]+)*")


@wrong("one-underscore-only", "Two underscores are a separator as well.")
def one_underscore(text):
    return _model(text, part=r"[a-z0-9]+(?:(?:\.|_|-+)[a-z0-9]+)*")


@wrong("tag-unlimited", "A tag has at most 128 characters.")
def long_tag(text):
    return _model(text, tag="[a-zA-Z0-9_][a-zA-Z0-9_.-]*")


@wrong("tag-127", "A tag may have 128 characters.")
def short_tag(text):
    return _model(text, tag="[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,126}")


@wrong("tag-begins-anyhow", "A tag begins neither with '.' nor with '-'.")
def tag_start(text):
    return _model(text, tag="[a-zA-Z0-9_.-]{1,128}")


@wrong("empty-tag-accepted", "A colon without a tag is an error.")
def empty_tag(text):
    return _model(text, tag="[a-zA-Z0-9_.-]{0,128}")


@wrong(
    "alphabets-of-the-world",
    "Only ASCII: \\d and \\w match the digits and letters of all alphabets.",
)
def unicode_classes(text):
    return _model(text, port=r"\d+", tag=r"\w[\w.-]{0,127}",
                  part=r"[a-z\d]+(?:(?:\.|_|__|-+)[a-z\d]+)*")  # fmt: skip


@wrong("port-anything", "A port is a number.")
def any_port(text):
    return _model(text, port=".*")


@wrong(
    "labels-anyhow", "A label of a registry neither begins nor ends with a dash, and is not empty."
)
def any_label(text):
    return _model(text, label="[a-zA-Z0-9-]*")


@wrong("any-digest", "A digest is sha256 and 64 characters of 0-9 and a-f.")
def any_digest(text):
    return _model(text, digest="[a-z0-9]+:[0-9a-f]+")


@wrong("digest-in-capitals", "A digest has small letters.")
def hex_capitals(text):
    return _model(text, digest="sha256:[0-9a-fA-F]{64}")


@wrong("no-validation", "Text that is no name must raise ValueError.")
def trusting(text):
    return _model(text, match=lambda p, s: True)
