"""Answers to nim-launch."""

import shlex

from autograder.checks.bank import right, wrong


def _refuse(spec):
    gpus = spec["gpus"]
    if gpus is not None and (len(gpus) == 0 or min(gpus) < 0 or len(gpus) != len(set(gpus))):
        raise ValueError("gpus")
    if spec["shm_gb"] < 1 or not 0 < spec["port"] < 65536:
        raise ValueError("numbers")
    if spec["cache"][:1] != "/" or ":" in spec["cache"]:
        raise ValueError("cache")


def _options(spec):
    gpus = "all" if spec["gpus"] is None else '"device=' + ",".join(map(str, spec["gpus"])) + '"'
    return {"--rm": None, "--name": spec["name"], "--gpus": gpus, "--shm-size": f"{spec['shm_gb']}GB",
            "-e": "NGC_API_KEY", "-v": f"{spec['cache']}:/opt/nim/.cache",
            "-p": f"127.0.0.1:{spec['port']}:8000"}  # fmt: skip


def _line(spec, edit=None, check=True, join=shlex.join, start=("docker", "run"), image_first=False):
    if check:
        _refuse(spec)
    options = _options(spec)
    if edit:
        edit(options, spec)
    words = [w for pair in options.items() for w in pair if w is not None]
    tail = [spec["image"], *words] if image_first else [*words, spec["image"]]
    return join([*start, *tail])


@right("words, shlex.join")
def joined(spec):
    return _line(spec)


@right("long forms with =, quoted by hand, continued lines")
def by_hand(spec):
    _refuse(spec)
    devices = (
        "all"
        if spec["gpus"] is None
        else '\\"device=%s\\"' % ",".join(str(g) for g in spec["gpus"])
    )
    volume = shlex.quote(spec["cache"] + ":/opt/nim/.cache")
    lines = ["docker run", f"--publish=127.0.0.1:{spec['port']}:8000", f"--volume={volume}", "--env=NGC_API_KEY",
             f"--shm-size={spec['shm_gb']}g", f'--gpus="{devices}"' if spec["gpus"] else "--gpus=all",
             f"--name={spec['name']}", "--rm", spec["image"]]  # fmt: skip
    return " \\\n  ".join(lines) + "\n"


@right("one device without quotes")
def one_bare(spec):
    def edit(options, spec):
        if spec["gpus"] and len(spec["gpus"]) == 1:
            options["--gpus"] = f"device={spec['gpus'][0]}"

    return _line(spec, edit)


def _wrong(name, sentence, edit=None, **how):
    def answer(spec):
        return _line(spec, edit, **how)

    answer.__name__ = name.replace("-", "_")
    globals()[answer.__name__] = answer
    wrong(name, sentence)(answer)


def _put(key, value):
    return lambda options, spec: options.__setitem__(key, value(spec, options[key]))


def _drop(key):
    return lambda options, spec: options.pop(key)


_wrong("devices-without-inner-quotes", "docker splits --gpus at commas: it must receive the double quotes.",
       _put("--gpus", lambda s, v: v.strip('"')))  # fmt: skip
_wrong(
    "not-quoted",
    "The shell takes the quotes off and splits at spaces: use shlex.join.",
    join=" ".join,
)
_wrong("number-of-gpus", "A number asks for so many GPUs, not for these.",
       _put("--gpus", lambda s, v: "all" if s["gpus"] is None else str(len(s["gpus"]))))  # fmt: skip
_wrong("all-gpus", "Only the chosen devices were asked for.", _put("--gpus", lambda s, v: "all"))
_wrong("key-by-value", "A key on the command line is seen by everyone who lists processes: give its name.",
       _put("-e", lambda s, v: "NGC_API_KEY=secret"))  # fmt: skip
_wrong("key-expanded", "The shell puts the key itself there: give its name.",
       _put("-e", lambda s, v: "NGC_API_KEY=$NGC_API_KEY"))  # fmt: skip
_wrong("no-key", "Without NGC_API_KEY the weights cannot be fetched.", _drop("-e"))
_wrong("no-gpus", "Without --gpus the container sees none.", _drop("--gpus"))
_wrong("no-cache", "Without the cache each start downloads the weights again.", _drop("-v"))
_wrong(
    "no-shared-memory",
    "docker's default of 64 MB of shared memory is too small.",
    _drop("--shm-size"),
)
_wrong(
    "bytes-of-shared-memory",
    "A number without a unit is bytes.",
    _put("--shm-size", lambda s, v: str(s["shm_gb"])),
)
_wrong(
    "megabytes", "The shared memory is in GB.", _put("--shm-size", lambda s, v: f"{s['shm_gb']}m")
)
_wrong("open-to-all", "Without an address the port is open to every machine.",
       _put("-p", lambda s, v: v.removeprefix("127.0.0.1:")))  # fmt: skip
_wrong("ports-swapped", "The host's port first, then the container's.",
       _put("-p", lambda s, v: f"127.0.0.1:8000:{s['port']}"))  # fmt: skip
_wrong("same-port-inside", "Inside the container the port is 8000.",
       _put("-p", lambda s, v: f"127.0.0.1:{s['port']}:{s['port']}"))  # fmt: skip
_wrong("volume-swapped", "The host's folder first, then the container's.",
       _put("-v", lambda s, v: f"/opt/nim/.cache:{s['cache']}"))  # fmt: skip
_wrong("image-first", "What stands behind the image goes to the program in it.", image_first=True)
_wrong("not-checked", "Bad devices, numbers and paths must raise ValueError.", check=False)
_wrong("docker-start", "A new container is made by docker run.", start=("docker", "start"))


@wrong("kept-container", "--rm was asked for.")
def kept(spec):
    return _line(spec, _drop("--rm"))
