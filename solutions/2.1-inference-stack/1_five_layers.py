# ---
# jupyter:
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---
# %% [markdown]
# # Lay out a serving stack
#
# **You end with:** a stack of five layers as checked data, drawn by your own code; image names, build caches and driver versions decided by rules
# and not by hope; and ways to deploy compared by what they cost at your load.
#
# About 150 minutes. 45 points: 42 graded by machine, 3 by a person. Runs on a laptop, no GPU, no network, no container engine. You need plain Python.
#
# All prices are made up, and stand in one place: put your own there. All names of hosts end in `.example`.
# %% role="parameters" id="parameters"
PROFILE = "cpu"  # "gpu" on a CUDA machine: nothing in this lesson computes on it
# %% role="given" id="setup"
import gzip
import hashlib
import io
import itertools
import json
import math
import re
import tarfile
from fractions import Fraction

from autograder import check
from lab.plots import COLOURS, curves, explore, figure, show
from lab.predict import reveal
from lab.profile import use_profile
from lab.stack import CATALOGUE, LAYERS, Component

profile = use_profile(PROFILE)
profile
# %% [markdown]
# ## The same files, another image
#
# An image of a container is a list of archives, each known by the SHA-256 of its bytes: 64 hexadecimal characters. Below, the same two files are packed
# twice, as a build does it, at two times one second apart. How many of the 64 characters agree, place by place?
# %% role="predict" id="predict-digest"
my_equal_characters = ...  # of 64
# %% role="given" id="opening"
packed_files = {"app/serve.py": b"print('ready')\n", "app/config.json": b'{"batch": 8}\n'}


def pack_layer(files, built_at_s) -> bytes:
    """A layer as a build writes it: a gzipped tar, with the time of the build in it."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for name, data in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mtime = len(data), built_at_s
            archive.addfile(entry, io.BytesIO(data))
    return gzip.compress(raw.getvalue(), mtime=built_at_s)


def digest_of(data: bytes) -> str:
    """As a registry writes it."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def show_digests() -> None:
    """Two builds a second apart, and two with the time fixed."""
    first, second = (digest_of(pack_layer(packed_files, 1_700_000_000 + s)) for s in (0, 1))
    fixed = {digest_of(pack_layer(packed_files, 0)) for _ in range(2)}
    print(f"{first[:30]}...\n{second[:30]}...\nwith the time fixed: {len(fixed)} digest")
    same = sum(a == b for a, b in zip(first[7:], second[7:], strict=True))
    reveal(my_equal_characters, same, "of 64 characters")


show_digests()
# %% [markdown] items="2.1.C4"
# **What happened.** About as many agree as chance gives: 4 of 64. The files are the same, the *bytes* are not: a time stamp went in. To every cache, registry and auditor
# this is another image.
#
# A stack that worked on Monday works on Friday only if each part is **named exactly**. This lesson names the parts, says what each needs from which,
# and then asks what it costs.
# %% [markdown] items="2.1.C1 2.1.K1"
# ## Five layers
#
# 1. **Hardware**: GPUs, memory, NVLink, network cards.
# 2. **Infrastructure management**: driver, container runtime and toolkit, Kubernetes or Slurm. Gives processes a machine.
# 3. **Inference engine**: CUDA libraries, NCCL, vLLM, TensorRT-LLM, Triton, NIM. Turns tokens into tokens.
# 4. **KV cache**: blocks, prefix reuse, offloading, transfer. Keeps what was computed.
# 5. **Orchestration and routing**: gateway, router, autoscaler. Decides who serves which request, and how many serve.
# %% [markdown] items="2.1.C1 2.1.K1"
# ## By job, not by package
#
# A layer is a *job*. vLLM's process also holds its block manager: engine (3) and cache (4) in one package. NIM, an image with an engine and an API: 3. Triton serves
# models that a backend such as TensorRT-LLM runs: 3. NCCL ships in the image: 3, though it drives NVLink (1). The driver, on the host: 2.
#
# Rule of the model: **what a component needs is offered in its own layer or below.**
# %% [markdown] items="2.1.C1 2.1.K1"
# ## Where does a symptom belong?
#
# | you see | look first at |
# |---|---|
# | no device in container | 2: toolkit, driver |
# | all-reduce at PCIe's speed | 1: link; 3: NCCL |
# | TPOT grows with batch | 3: bytes |
# | preemptions | 4: blocks |
# | one replica's TTFT bad | 5: routing |
# | more replicas, fewer hits | 5, not 4 |
# | pods pending, GPUs idle | 2: quotas |
# %% role="given" id="catalogue"


def show_catalogue() -> None:
    """The components of `lab.stack` by layer, with what each needs and offers."""
    for layer, title in LAYERS.items():
        print(f"{layer} {title}")
        for c in CATALOGUE.values():
            if c.layer == layer:
                needs = ", ".join(c.needs) or "nothing"
                print(f"    {c.name:20s} needs {needs}; offers {', '.join(c.offers)}")


show_catalogue()


# %% [markdown] items="2.1.C1 2.1.K1"
# ### Exercise: check a stack
#
# <details><summary>Hint 1</summary>Inner function: the names of the components that meet one need of one component. Everything else is built from it.</details>
# <details><summary>Hint 2</summary>A set drops pairs that come twice; sort it at the end.</details>
# <details><summary>Hint 3</summary>From one component, follow the dependencies and collect all that you reach. If it reaches itself, it is on a circle. Keep what was visited, or you never stop.</details>
# %% role="exercise" id="stack-check" items="2.1.C1 2.1.K1" minutes=16
def check_stack(components: list[Component]) -> dict[str, list]:
    """What is wrong with a stack.

    A component depends on each *other* component of its own layer or of a lower one that offers something it needs.

    Args:
        components: in any order; each has name, layer (1 to 5), offers and needs, tuples of names. May be empty.

    Returns:
        "empty": numbers of the layers 1 to 5 that have no component, rising;
        "unmet": pairs (component's name, need) for which there is no component to depend on, each pair once, sorted;
        "circular": names of the components that depend on themselves through others, sorted.
        All three are lists; the pairs are tuples.

    Raises:
        ValueError: two components of one name; a layer outside 1 to 5.

    >>> parts = [Component("card", 1, ("GPU",)), Component("engine", 3, ("API",), ("GPU", "CUDA")),
    ...          Component("router", 5, ("CUDA",), ("API",))]
    >>> check_stack(parts)
    {'empty': [2, 4], 'unmet': [('engine', 'CUDA')], 'circular': []}
    """
    ### BEGIN SOLUTION
    names = [c.name for c in components]
    if len(set(names)) < len(names) or any(c.layer not in range(1, 6) for c in components):
        raise ValueError("Names must differ, and layers lie between 1 and 5.")

    def providers(c, need):
        return {d.name for d in components
                if d.name != c.name and d.layer <= c.layer and need in d.offers}  # fmt: skip

    depends = {c.name: set().union(*(providers(c, n) for n in c.needs)) for c in components}

    def reached(start):
        found, ahead = set(), [start]
        while ahead:
            new = depends[ahead.pop()] - found
            found |= new
            ahead += new
        return found

    return {
        "empty": [n for n in range(1, 6) if all(c.layer != n for c in components)],
        "unmet": sorted({(c.name, n) for c in components for n in c.needs if not providers(c, n)}),
        "circular": sorted(name for name in names if name in reached(name)),
    }
    ### END SOLUTION


# %% role="check" id="stack-check" points=6
check("stack-check", check_stack)
# %% [markdown] items="2.1.K1"
# ## Complete a stack
#
# A colleague's plan lacks parts. Add names of the catalogue to `added_names` until nothing is reported; take as few as you can.
# %% role="given" id="complete"
planned_names = ["GPU", "network card", "CUDA driver", "Kubernetes", "vLLM", "gateway"]
added_names = []  # yours


def show_findings() -> None:
    """What your check says about the plan and what you added; then how few parts are enough."""
    parts = [CATALOGUE[name] for name in planned_names]
    print("plan:", check_stack(parts))
    print("with yours:", check_stack(parts + [CATALOGUE[name] for name in added_names]))
    rest = [c for c in CATALOGUE.values() if c.name not in planned_names]
    for count in range(len(rest) + 1):
        for more in itertools.combinations(rest, count):
            if not any(check_stack([*parts, *more]).values()):
                print(f"{count} more are enough; yours are {len(added_names)}")
                return


show_findings()


# %% [markdown] items="2.1.K1"
# ## A diagram from data
#
# A drawing that nobody can generate is out of date in a month. From the data come nodes (name, place) and edges (who depends on whom).
#
# Every dependency as an arrow is a thicket. Leave out an arrow that a longer way already tells: the engine needs CUDA, CUDA needs the driver; an arrow from engine to driver adds nothing.
# This is the **transitive reduction**; without circles there is exactly one.
# %% [markdown] items="2.1.K1"
# ### Exercise: places and arrows
#
# Your `check_stack` may help.
#
# <details><summary>Hint 1</summary>Places: for each layer, the sorted names, then x = i - (n - 1) / 2.</details>
# <details><summary>Hint 2</summary>First all dependencies, as sets by name. An edge (a, b) goes if b can be reached from another one that a depends on.</details>
# %% role="exercise" id="stack-diagram" items="2.1.K1" minutes=14
def lay_out(components: list[Component]) -> dict:
    """Nodes and edges of a stack's diagram. Dependencies are those of `check_stack`; unmet needs give no edge.

    Args:
        components: in any order, as in `check_stack`.

    Returns:
        "places": for each name (x, y). y is its layer, an int. The n components of a layer stand in the order of their names
            (Python's order of strings), one unit apart, centred on 0: x = -(n - 1) / 2, ..., (n - 1) / 2, floats.
        "edges": sorted list of pairs (name, name of what it depends on), without those that follow from two or more
            other dependencies in a row.

    Raises:
        ValueError: as in `check_stack`; components that depend on themselves through others.

    >>> parts = [Component("card", 1, ("GPU",)), Component("driver", 2, ("API",), ("GPU",)),
    ...          Component("agent", 2), Component("engine", 3, (), ("API", "GPU"))]
    >>> drawn = lay_out(parts)
    >>> drawn["places"]["driver"], drawn["places"]["agent"], drawn["edges"]
    ((0.5, 2), (-0.5, 2), [('driver', 'card'), ('engine', 'driver')])
    """
    ### BEGIN SOLUTION
    if check_stack(components)["circular"]:
        raise ValueError("Components depend on themselves through others.")
    places = {}
    for layer in range(1, 6):
        names = sorted(c.name for c in components if c.layer == layer)
        for i, name in enumerate(names):
            places[name] = (i - (len(names) - 1) / 2, layer)
    depends = {
        c.name: {d.name for d in components
                 if d.name != c.name and d.layer <= c.layer and set(d.offers) & set(c.needs)}
        for c in components
    }  # fmt: skip

    def reaches(a, b):
        return b in depends[a] or any(reaches(c, b) for c in depends[a])

    edges = [(a, b) for a in depends for b in depends[a]
             if not any(reaches(c, b) for c in depends[a] - {b})]  # fmt: skip
    return {"places": places, "edges": sorted(edges)}
    ### END SOLUTION


# %% role="check" id="stack-diagram" points=5
check("stack-diagram", lay_out)
# %% role="given" id="diagram"


def draw_stack() -> None:
    """The catalogue's components that make one vLLM stack, drawn from your places and edges."""
    left_out = ("Slurm", "TensorRT-LLM", "Triton", "NIM")
    parts = [c for c in CATALOGUE.values() if c.name not in left_out]
    drawn = lay_out(parts)
    fig, axes = figure(height_inch=5.2)
    ax = axes[0, 0]
    spot = {name: (2.1 * x, y) for name, (x, y) in drawn["places"].items()}
    for layer, title in LAYERS.items():
        ax.axhspan(layer - 0.42, layer + 0.42, color=COLOURS[layer - 1], alpha=0.1, linewidth=0)
        ax.text(-6.8, layer + 0.25, f"{layer} {title}", fontsize=8, color="#444444")
    for a, b in drawn["edges"]:
        (xa, ya), (xb, yb) = spot[a], spot[b]
        bend = "arc3,rad=-0.35" if ya == yb else "arc3,rad=0"
        ax.annotate("", (xb, yb), (xa, ya), arrowprops={
            "arrowstyle": "-|>", "color": "#555555", "shrinkA": 11, "shrinkB": 11, "connectionstyle": bend})  # fmt: skip
    for name, (x, y) in spot.items():
        ax.text(x, y, name, ha="center", va="center", fontsize=8,
                bbox={"boxstyle": "round,pad=0.35", "facecolor": "white", "edgecolor": COLOURS[y - 1]})  # fmt: skip
    ax.set_xlim(-6.9, 4.4)
    ax.set_ylim(0.5, 5.5)
    ax.set_axis_off()
    show(fig, f"{len(parts)} components in five horizontal bands, hardware at the bottom, routing on top; {len(drawn['edges'])} arrows lead from each component down or aside to what it depends on.")  # fmt: skip


draw_stack()
# %% [markdown] items="2.1.K1 2.1.C1"
# **What you should see.** All arrows lead down or aside. What many arrows meet is what you upgrade with most care: driver, CUDA, containers. A component without arrows towards it is either the stack's purpose (the gateway) or idle.
#
# Change one component and draw again: the diagram cannot lie about the data.
# %% [markdown] items="2.1.C4 2.1.K4"
# ## What an image is
#
# A **manifest** (JSON) names a config and a list of layers by digest and size. Its own digest is the SHA-256 of its bytes. So one digest pins everything below it: a tree of hashes.
#
# A **tag** is a movable label of a manifest. `latest` is only the tag that clients add when there is none. NGC images carry a release's year and month, `YY.MM`, and a suffix such as `-py3`: better, and still movable.
# %% role="given" id="manifest"


def show_manifest() -> None:
    """An OCI manifest for a layer, and what one changed byte does to it."""

    def manifest(files):
        layer = pack_layer(files, 0)
        settings = json.dumps({"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": [digest_of(gzip.decompress(layer))]}}).encode()  # fmt: skip
        kind = "application/vnd.oci.image"
        return json.dumps({
            "schemaVersion": 2, "mediaType": f"{kind}.manifest.v1+json",
            "config": {"mediaType": f"{kind}.config.v1+json", "digest": digest_of(settings), "size": len(settings)},
            "layers": [{"mediaType": f"{kind}.layer.v1.tar+gzip", "digest": digest_of(layer), "size": len(layer)}],
        }, indent=1)  # fmt: skip

    text = manifest(packed_files)
    print(text)
    other = manifest(packed_files | {"app/config.json": b'{"batch": 9}\n'})
    print("manifest", digest_of(text.encode())[:20], "... one byte changed", digest_of(other.encode())[:20], "...")  # fmt: skip


show_manifest()


# %% [markdown] items="2.1.C4 2.1.K4"
# ## How images are named
#
# `registry.example:5000/team/engine:24.05-py3@sha256:9f86...`
#
# - **registry**: host, perhaps with a port; may be left out;
# - **repository**: path of parts;
# - **tag**, **digest**: both may be left out. With a digest the tag is for readers only: the digest decides.
#
# The colon has two meanings. `host.example:5000/app` has a port and no tag; `app:5000` has a tag and no port.
# %% [markdown] items="2.1.C4"
# ### Exercise: read an image's name
#
# <details><summary>Hint 1</summary>Cut at "@" first, then decide about the part before the first "/", then cut the rest at ":".</details>
# <details><summary>Hint 2</summary>re.fullmatch, not re.match with "$": "$" also matches before a final line break. [0-9], not \d: that takes the digits of all alphabets.</details>
# %% role="exercise" id="stack-reference" items="2.1.C4 2.1.K4" minutes=14
def parse_reference(text: str) -> dict[str, str | None]:
    """The parts of an image's name: [registry "/"] repository [":" tag] ["@" digest].

    - registry: what stands before the first "/", if it is "localhost" or has a "." or a ":" in it; else there is none. Labels joined by
      "."; a label has ASCII letters, digits and "-", and neither begins nor ends with "-"; then perhaps ":" and a port of ASCII digits.
    - repository: one or more parts joined by "/". A part: runs of a-z and 0-9, between two runs one separator: ".", "_", "__", or one or more "-".
    - tag: 1 to 128 ASCII letters, digits, "_", "." and "-"; the first is neither "." nor "-".
    - digest: "sha256:" and 64 characters of 0-9 and a-f.

    Returns:
        "registry", "repository", "tag", "digest"; None for a part that is left out (a tag is not made up).

    Raises:
        ValueError: text that these rules do not allow.

    >>> parse_reference("registry.example:5000/team/engine:24.05-py3")
    {'registry': 'registry.example:5000', 'repository': 'team/engine', 'tag': '24.05-py3', 'digest': None}
    """
    ### BEGIN SOLUTION
    label = "[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?"
    part = r"[a-z0-9]+((\.|__?|-+)[a-z0-9]+)*"
    rest, at, digest = text.partition("@")
    first, slash, after = rest.partition("/")
    registry = None
    if slash and (first == "localhost" or "." in first or ":" in first):
        registry, rest = first, after
    repository, colon, tag = rest.partition(":")
    good = (
        (registry is None or re.fullmatch(rf"{label}(\.{label})*(:[0-9]+)?", registry))
        and re.fullmatch(rf"{part}(/{part})*", repository)
        and (not colon or re.fullmatch("[a-zA-Z0-9_][a-zA-Z0-9_.-]{0,127}", tag))
        and (not at or re.fullmatch("sha256:[0-9a-f]{64}", digest))
    )
    if not good:
        raise ValueError(f"{text!r} names no image.")
    return {"registry": registry, "repository": repository,
            "tag": tag if colon else None, "digest": digest if at else None}  # fmt: skip
    ### END SOLUTION


# %% role="check" id="stack-reference" points=5
check("stack-reference", parse_reference)


# %% [markdown] items="2.1.C4"
# ## Stages and the cache
#
# Each step of a Dockerfile makes a layer (or a setting) on top of the one before. A step is taken from the cache if the layer below and what it copies are as they were. So **order** decides: copy the list of requirements and install, *then* copy the code.
#
# A **multi-stage** build compiles in one stage (compilers, headers) and copies results into a small last one.
# %% [markdown] items="2.1.C4"
# ## A build in two stages
#
# ```dockerfile
# FROM registry.example/cuda:12.4.1-devel AS build
# COPY requirements.txt .
# RUN pip wheel -w /wheels -r requirements.txt
# FROM registry.example/cuda:12.4.1-runtime AS serve
# COPY --from=build /wheels /wheels
# RUN pip install /wheels/*.whl
# COPY src app/
# CMD ["python", "app/serve.py"]
# ```
#
# For a build that can be repeated: images by digest, packages by exact version and hash, a fixed time (`SOURCE_DATE_EPOCH`). Weights stay outside: mount them.
# %% [markdown] items="2.1.C4"
# ### Exercise: which steps run again
#
# We suppose that a step that runs again gives a new result.
#
# <details><summary>Hint 1</summary>Walk the stages in the order of the file. Keep a set of the stages whose result is new.</details>
# <details><summary>Hint 2</summary>Which stages are needed? Begin with the target, go backwards, add bases and what is copied from.</details>
# <details><summary>Hint 3</summary>"src" is touched by "src" and by "src/a.py", not by "src2/a.py".</details>
# %% role="exercise" id="stack-cache" items="2.1.C4" minutes=16
def rerun_steps(stages: list[dict], target: str, changed: list[str], new_images: list[str]) -> list[tuple[str, int]]:  # fmt: skip
    """The steps that a build with a warm cache runs again.

    Only stages that the target needs are built: itself, a needed stage's base, and stages that a needed stage copies from.
    A step runs again if its stage's base has a new result, an earlier step of its stage runs again, it reads a changed file,
    or it copies from a stage with a new result. A stage's result is new if its base's is or one of its steps runs again.
    An image's result is new if it is in new_images.

    Args:
        stages: in the order of the file. Each: "name"; "base", the name of an earlier stage or else of an image; "steps", a list
            of dicts: "from", None or a stage's name; "reads", paths of files or folders without "/" at the end. With from None
            they lie in the build's context; else in that stage, so that changed files of the context do not touch them.
        target: name of the stage to build.
        changed: paths of changed files of the context. A path is touched if it is "." or that file or a folder above it.
        new_images: names of images that are not what they were.

    Returns:
        (stage's name, number of the step from 0), in the order of the file.

    Raises:
        ValueError: no stage of the target's name; two stages of one name; a "from" that is no earlier stage's name (in any stage).

    >>> stages = [{"name": "build", "base": "cuda-devel", "steps": [{"from": None, "reads": ["requirements.txt"]}, {"from": None, "reads": []}]},
    ...           {"name": "serve", "base": "cuda", "steps": [{"from": "build", "reads": ["wheels"]}, {"from": None, "reads": ["src"]}]}]
    >>> rerun_steps(stages, "serve", ["src/serve.py"], [])
    [('serve', 1)]
    """
    ### BEGIN SOLUTION
    names = [s["name"] for s in stages]
    if target not in names or len(set(names)) < len(names):
        raise ValueError("The target must be a stage, and names of stages differ.")
    sources = {}
    for i, stage in enumerate(stages):
        copied = {step["from"] for step in stage["steps"]} - {None}
        if not copied <= set(names[:i]):
            raise ValueError(f"{stage['name']} copies from what is no earlier stage.")
        sources[stage["name"]] = copied | ({stage["base"]} & set(names[:i]))
    needed = {target}
    for name in reversed(names):
        needed |= sources[name] if name in needed else set()

    def touched(path):
        return any(path == "." or c == path or c.startswith(path + "/") for c in changed)

    again, new = [], set()
    for i, stage in enumerate(stages):
        name, base = stage["name"], stage["base"]
        if name not in needed:
            continue
        dirty = base in new if base in names[:i] else base in new_images
        for k, step in enumerate(stage["steps"]):
            if step["from"] is None:
                dirty = dirty or (bool(changed) and any(touched(p) for p in step["reads"]))
            dirty = dirty or step["from"] in new
            again += [(name, k)] if dirty else []
        new |= {name} if dirty else set()
    return again
    ### END SOLUTION


# %% role="check" id="stack-cache" points=5
check("stack-cache", rerun_steps)


# %% [markdown] items="2.1.C4 2.1.K4"
# ## GPU in a container
#
# An image holds the CUDA *runtime* and libraries. The kernel module and `libcuda.so`, the *user-mode driver*, belong to the host and must match each other. So the **NVIDIA container toolkit** mounts them
# when the container starts: device files (`/dev/nvidia0`, ...), `libcuda.so`, `nvidia-smi`. `NVIDIA_VISIBLE_DEVICES` and `NVIDIA_DRIVER_CAPABILITIES` choose which.
#
# What remains to match is two versions: **host's driver, image's CUDA**.
# %% [markdown] items="2.1.C4 2.1.K4"
# ## Driver and CUDA
#
# - **Full**: a driver runs all CUDA versions up to the one it shipped with. Old images run on new drivers.
# - **Minor-version compatibility**: within a major version, any driver from the family's first on (11: 450, 12: 525, 13: 580). Not for code in PTX, which the driver must compile.
# - **Forward compatibility**: the package `cuda-compat` in the image brings a newer user-mode driver; data-centre GPUs, chosen driver branches only.
#
# Source: NVIDIA, *CUDA Compatibility*.
# %% [markdown] items="2.1.C4"
# ### Exercise: does the driver fit?
#
# <details><summary>Hint 1</summary>Versions are lists of numbers: 525.105.17 is newer than 525.60.13, and 12.10 newer than 12.9. Neither text nor float knows that.</details>
# <details><summary>Hint 2</summary>"570" and "570.0" are equal: drop zeros at the end before you compare.</details>
# %% role="exercise" id="stack-driver" items="2.1.C4 2.1.K4" minutes=12
def driver_fit(driver: str, image: dict, shipped: dict[str, str], least: dict[int, str]) -> str:
    """How an image's CUDA runs on a host's driver: the first of these that holds.

    - "full": the driver is at least the one that shipped with the image's CUDA.
    - "minor": it is at least the family's least, and the image has no PTX to compile.
    - "forward": the driver's branch (its first number) is among those of the image's compat package. PTX is no obstacle.
    - "none".

    Versions are whole numbers (ASCII digits) joined by "."; a number that is left out at the end counts as 0.

    Args:
        driver: such as "535.104.05".
        image: "cuda", a key of shipped, such as "12.4"; "ptx", True if there is code that the driver must compile;
            "compat_branches", list of ints, empty without a package or on other than data-centre GPUs.
        shipped: by CUDA version, the driver that came with it. least: by CUDA's major version, the least driver of the family.

    Raises:
        ValueError: a driver that is no version; an image's cuda that shipped does not have.

    >>> shipped, least = {"12.2": "535.54.03", "12.4": "550.54.14"}, {12: "525.60.13"}
    >>> [driver_fit("535.104.05", {"cuda": cuda, "ptx": False, "compat_branches": []}, shipped, least) for cuda in shipped]
    ['full', 'minor']
    """

    ### BEGIN SOLUTION
    def version(text):
        if not re.fullmatch(r"[0-9]+(\.[0-9]+)*", text):
            raise ValueError(f"{text!r} is no version.")
        fields = [int(field) for field in text.split(".")]
        while fields and fields[-1] == 0:
            fields.pop()
        return fields

    have = version(driver)
    if image["cuda"] not in shipped:
        raise ValueError(f"No driver is known for CUDA {image['cuda']}.")
    if have >= version(shipped[image["cuda"]]):
        return "full"
    if not image["ptx"] and have >= version(least[int(image["cuda"].split(".")[0])]):
        return "minor"
    return "forward" if int(driver.split(".")[0]) in image["compat_branches"] else "none"
    ### END SOLUTION


# %% role="check" id="stack-driver" points=5
check("stack-driver", driver_fit)
# %% [markdown] items="2.1.C3 2.1.K5"
# ## Ways to deploy
#
# way | you pay | risk
# ---|---|---
# API | tokens | data leaves
# serverless | seconds used | cold start
# on demand | replica-hours | idle hours
# reserved | all hours | wrong forecast
# spot | cheap replica-hours | taken away
# own machines | purchase, people | fixed size
# edge | devices | small models
#
# Costs differ in *form*: per request, steps, fixed. The answer is a load.
# %% [markdown] items="2.1.C3 2.1.K5"
# ## Cost over load
#
# $$\text{cost}(\lambda) = F + p_r\,\max(n_0, \lceil \lambda / c \rceil) + p_q\,\lambda$$
#
# an hour, with load $\lambda$ (requests an hour), fixed cost $F$, price of a replica $p_r$, at least $n_0$ of them, capacity $c$ of one, price of a request $p_q$.
#
# **Utilisation**: $\lambda / (n c)$. At 5 % each request is twenty times as dear. Stairs may cross a line several times. Floats miss ties; `Fraction` is exact.
# %% role="predict" id="predict-break-even"
my_break_even = ...  # requests an hour from which one replica on demand (4 an hour) first beats an API (0.002 a request), with other ways left out


# %% [markdown] items="2.1.C3 2.1.K5"
# ### Exercise: the cheapest way at each load
#
# <details><summary>Hint 1</summary>Inner function: the cost of one way at one load, or None. -(-load // capacity) rounds up in whole numbers.</details>
# <details><summary>Hint 2</summary>min(..., key=...) takes the first of equals. Append only when the name differs from the last one.</details>
# %% role="exercise" id="stack-cost" items="2.1.C3 2.1.K5" minutes=16
def cheapest_over(ways: dict[str, dict], most_load: int) -> list[tuple[int, str | None]]:
    """The cheapest way to deploy for each load from 0 to most_load, as stretches.

    A way at a load of whole requests an hour: replicas = max(least, load / capacity rounded up), least where capacity is None.
    Cost an hour: fixed + replica_price * replicas + request_price * load, exact. With replicas above `most` the way cannot serve
    the load.

    Args:
        ways: by name: fixed, replica_price, request_price (ints or Fractions, 0 or more); capacity (int from 1 on, or None);
            least (int, 0 or more); most (int, or None for no limit).
        most_load: the last load, included.

    Returns:
        (first load, name) of each stretch of loads with one cheapest way, rising; neighbours have different names. Of equal
        costs the way that stands first in `ways` counts. The name is None where no way can serve.

    Raises:
        ValueError: no way; most_load below 0; a capacity below 1.

    >>> api = {"fixed": 0, "replica_price": 0, "request_price": Fraction(1, 10), "capacity": None, "least": 0, "most": None}
    >>> rent = {"fixed": 0, "replica_price": 3, "request_price": 0, "capacity": 50, "least": 1, "most": None}
    >>> cheapest_over({"api": api, "rent": rent}, 200)
    [(0, 'api'), (31, 'rent'), (51, 'api'), (61, 'rent')]
    """
    ### BEGIN SOLUTION
    capacities = [way["capacity"] for way in ways.values()]
    if not ways or most_load < 0 or any(c is not None and c < 1 for c in capacities):
        raise ValueError("Give a way, a load of 0 or more and capacities of 1 or more.")

    def cost(name, load):
        way = ways[name]
        replicas = way["least"]
        if way["capacity"] is not None:
            replicas = max(replicas, -(-load // way["capacity"]))
        if way["most"] is not None and replicas > way["most"]:
            return None
        return way["fixed"] + way["replica_price"] * replicas + way["request_price"] * load

    stretches = []
    for load in range(most_load + 1):
        costs = {name: cost(name, load) for name in ways}
        able = [name for name in ways if costs[name] is not None]
        best = min(able, key=costs.get, default=None)
        if not stretches or stretches[-1][1] != best:
            stretches.append((load, best))
    return stretches
    ### END SOLUTION


# %% role="check" id="stack-cost" points=6
check("stack-cost", cheapest_over)
# %% role="given" id="cost-curves"
# Made-up prices, in one currency, an hour. Replicas are of one size: 6,000 requests an hour.
PRICES = {"api": Fraction(2, 1000), "on demand": 4, "reserved": Fraction(5, 2), "own fixed": 7, "own each": Fraction(1, 2)}  # fmt: skip


def priced_ways(utilisation=1.0) -> dict:
    """Four ways at these prices; a replica is loaded up to this share of its capacity."""
    capacity = int(6000 * utilisation)
    way = {"fixed": 0, "replica_price": 0, "request_price": 0, "capacity": capacity, "least": 1, "most": None}  # fmt: skip
    return {
        "API": way | {"request_price": PRICES["api"], "capacity": None, "least": 0},
        "on demand": way | {"replica_price": PRICES["on demand"]},
        "reserved, 3": way | {"replica_price": PRICES["reserved"], "least": 3, "most": 3},
        "own, 8": way | {"fixed": PRICES["own fixed"], "replica_price": PRICES["own each"], "least": 8, "most": 8},
    }  # fmt: skip


def way_cost(way, load) -> float:
    """Cost an hour; NaN where the way cannot serve."""
    replicas = max(way["least"], math.ceil(load / way["capacity"]) if way["capacity"] else 0)
    if way["most"] is not None and replicas > way["most"]:
        return math.nan
    return float(way["fixed"] + way["replica_price"] * replicas + way["request_price"] * load)


def draw_costs(utilisation=0.7):
    """Cost an hour of four ways over load, and the cheapest of each stretch."""
    ways = priced_ways(utilisation)
    loads = list(range(0, 24_001, 500))
    fig = curves(loads, {name: [way_cost(w, x) for x in loads] for name, w in ways.items()},
                 xlabel="requests an hour", ylabel="cost an hour", title=f"replicas loaded to {utilisation:.0%}")  # fmt: skip
    fig.axes[0].set_ylim(0, 26)
    told = ", ".join(f"from {a:,} {name}" for a, name in cheapest_over(ways, 24_000))
    return (
        fig,
        f"Cost over load of four ways: a rising line, stairs, two flat lines that end. Cheapest: {told}.",
    )


def show_break_even() -> None:
    """Two ways alone, then all four."""
    ways = priced_ways()
    two = cheapest_over({name: ways[name] for name in ("API", "on demand")}, 12_000)
    print("two ways:", two)
    print("four ways:", cheapest_over(ways, 24_000))
    reveal(my_break_even, two[1][0], "requests an hour")


show_break_even()
explore(draw_costs, utilisation=[0.3, 0.5, 0.7, 1.0])


# %% [markdown] items="2.1.C3 2.1.K5"
# **What you should see.** Small loads: the API. Fully used, one rented replica wins from 2,001 requests, your own eight from 18,001. At 30 % utilisation (interactive loads keep spare capacity for their tails) renting by the hour never wins, and the API holds up to 3,750.
#
# A flat line that ends is a promise: beyond it, requests wait or go elsewhere. Hence mixtures: own or reserved machines for the floor of the load, on demand for its peaks.
# %% [markdown] items="2.1.C3 2.1.K5"
# ## Spot
#
# A spot machine costs a third, and may be taken at any time. A server with replicas elsewhere shrugs; a long job loses what it did since its last **checkpoint**.
#
# Take hours as steps: each hour of work is lost with probability $p$, with all work since the last checkpoint; then a restart is paid. Between two checkpoints lie $m$ hours that must succeed **in a row**: expected hours
#
# $$\frac{(1-p)^{-m} - 1}{p}$$
# %% [markdown] items="2.1.C3"
# ### Exercise: expected hours on spot
#
# <details><summary>Hint 1</summary>To get m hours in a row, (1 - p)**-m - 1 interruptions are expected: hours times p.</details>
# <details><summary>Hint 2</summary>Pieces of every_h hours, the last perhaps shorter. No checkpoint after the last piece. p = 0 needs its own line; and 1 ** -3 of ints is a float.</details>
# %% role="exercise" id="stack-spot" items="2.1.C3 2.1.K5" minutes=12
def spot_hours(work_h: int, every_h: int, interrupted: Fraction, restart_h: Fraction, save_h: Fraction) -> Fraction:  # fmt: skip
    """Expected hours that are paid for a job on a spot machine, exact.

    The job needs work_h hours of work. After each every_h hours of finished work, but not at the job's end, a checkpoint is written for
    save_h hours. Each hour of work is interrupted with probability `interrupted`, independently of others: that hour is paid in full, it and all
    work since the last checkpoint (or the start) are lost, and restart_h hours are paid before work goes on. Writing and restarting are never
    interrupted. The first start is free.

    Args:
        work_h, every_h: 1 or more. interrupted: a Fraction (or the int 0), from 0 to below 1. restart_h, save_h: Fractions or ints, 0 or more.

    Returns:
        a Fraction (or an int).

    Raises:
        ValueError: a number outside its range.

    >>> spot_hours(4, 2, Fraction(1, 2), Fraction(1, 4), Fraction(1, 10))
    Fraction(68, 5)
    """
    ### BEGIN SOLUTION
    if min(work_h, every_h) < 1 or not 0 <= interrupted < 1 or min(restart_h, save_h) < 0:
        raise ValueError("Hours are positive, the probability lies from 0 to below 1.")
    hours, left = Fraction(0), work_h
    while left:
        piece = min(every_h, left)
        left -= piece
        failures = (1 - Fraction(interrupted)) ** -piece - 1
        hours += failures / interrupted if interrupted else piece
        hours += failures * restart_h + (save_h if left else 0)
    return hours
    ### END SOLUTION


# %% role="check" id="stack-spot" points=4
check("stack-spot", spot_hours)
# %% role="given" id="spot-figure"


def show_spot() -> None:
    """A job of 48 hours: cost by the time between checkpoints, against on demand."""
    gaps = [1, 2, 3, 4, 6, 8, 12, 16, 24]
    risks = (Fraction(1, 50), Fraction(1, 20), Fraction(1, 8))
    price = Fraction(1, 3)  # of the price on demand
    drawn = {
        f"p = {float(p):.3g}": [float(price * spot_hours(48, gap, p, Fraction(1, 4), Fraction(1, 6)) / 48) for gap in gaps]
        for p in risks
    }  # fmt: skip
    fig = curves(gaps, drawn, xlabel="hours between checkpoints", ylabel="cost / cost on demand", logy=True)  # fmt: skip
    fig.axes[0].axhline(1, color="black", linestyle="--", linewidth=1)
    fig.axes[0].set_yticks([0.4, 0.6, 1, 2], ["0.4", "0.6", "1", "2"])
    fig.axes[0].set_yticks([], minor=True)
    best = {name: gaps[values.index(min(values))] for name, values in drawn.items()}
    print("best gap, hours:", best)
    show(fig, f"Cost of a spot job relative to on demand over hours between checkpoints, for three probabilities: each curve rises with long gaps, the riskiest beyond the dashed line of 1. Best gaps: {best}.")  # fmt: skip


show_spot()


# %% [markdown] items="2.1.C3 2.1.K5"
# **What you should see.** Checkpoints too often cost writing, too seldom cost lost work; the riskier, the sooner the best. With long gaps and much risk, spot is *dearer* than on demand: the exponent $m$ wins over a discount of two thirds.
# %% [markdown] items="2.1.C3 2.1.K4"
# ## Hybrid cloud
#
# The same image by digest runs on your own machines, in two clouds and at the edge: that is what containers give. What differs is **where** a workload may and should run:
#
# - *residency*: some data may not leave a region;
# - *latency*: distance to users;
# - *capacity*: GPUs at a site;
# - *cost*: GPUs, and **egress**, the price of data that leaves a region.
# %% [markdown] items="2.1.C3 2.1.K4"
# ### Exercise: place workloads
#
# <details><summary>Hint 1</summary>For each workload first the sites that it may use at all; then itertools.product over these lists.</details>
# <details><summary>Hint 2</summary>Of each combination: do the GPUs suffice at every site? Then its cost.</details>
# %% role="exercise" id="stack-placement" items="2.1.C3 2.1.K4" minutes=16
def place_workloads(workloads: list[dict], sites: list[dict], egress_cents: dict[str, int]) -> dict[str, str] | None:  # fmt: skip
    """A cheapest placement: each workload, whole, on one site.

    A site may take a workload if its region is in the workload's stays_in (None: any region), and its latency to the users' region
    is known and at most max_latency_ms. The GPUs of all workloads on a site are at most the site's.
    Cents an hour of a workload on a site: gpus * cents_per_gpu_h, and, if the site's region is not data_region,
    gb_per_h * egress_cents[data_region].

    Args:
        workloads: up to 6, each with name, gpus, users (a region), max_latency_ms, stays_in (list of regions or None), data_region, gb_per_h.
        sites: up to 4, each with name, region, gpus, cents_per_gpu_h, latency_ms (by users' region). Numbers are ints.
        egress_cents: cents for each GB that leaves a region.

    Returns:
        site's name by workload's name, of the least sum of costs (any, if several are); {} without workloads; None if none is possible.

    Raises:
        ValueError: two workloads of one name, or two sites of one name.

    >>> site = {"name": "own", "region": "north", "gpus": 4, "cents_per_gpu_h": 100, "latency_ms": {"north": 5}}
    >>> cloud = {"name": "cloud", "region": "south", "gpus": 64, "cents_per_gpu_h": 300, "latency_ms": {"north": 40, "south": 8}}
    >>> chat = {"name": "chat", "gpus": 4, "users": "north", "max_latency_ms": 50, "stays_in": None, "data_region": "north", "gb_per_h": 10}
    >>> place_workloads([chat, chat | {"name": "records", "gpus": 2, "stays_in": ["north"]}], [site, cloud], {"north": 9})
    {'chat': 'cloud', 'records': 'own'}
    """
    ### BEGIN SOLUTION
    names = [w["name"] for w in workloads]
    if len(set(names)) < len(names) or len({s["name"] for s in sites}) < len(sites):
        raise ValueError("Names must differ.")

    def allowed(w, s):
        stays = w["stays_in"] is None or s["region"] in w["stays_in"]
        return stays and s["latency_ms"].get(w["users"], math.inf) <= w["max_latency_ms"]

    def cents(w, s):
        moved = w["gb_per_h"] * egress_cents[w["data_region"]] if s["region"] != w["data_region"] else 0  # fmt: skip
        return w["gpus"] * s["cents_per_gpu_h"] + moved

    best = None
    for chosen in itertools.product(*([s for s in sites if allowed(w, s)] for w in workloads)):
        pairs = list(zip(workloads, chosen, strict=True))
        if all(sum(w["gpus"] for w, s in pairs if s is site) <= site["gpus"] for site in sites):
            total = sum(cents(w, s) for w, s in pairs)
            if best is None or total < best[0]:
                best = total, {w["name"]: s["name"] for w, s in pairs}
    return best and best[1]
    ### END SOLUTION


# %% role="check" id="stack-placement" points=6
check("stack-placement", place_workloads)
# %% role="given" id="placement-use"


def show_placement() -> None:
    """Three workloads of a firm, three sites; then without the rule about records."""
    sites = [
        {"name": "own room", "region": "north", "gpus": 8, "cents_per_gpu_h": 110, "latency_ms": {"north": 4, "south": 45}},
        {"name": "cloud north", "region": "north", "gpus": 64, "cents_per_gpu_h": 420, "latency_ms": {"north": 9, "south": 40}},
        {"name": "cloud south", "region": "south", "gpus": 64, "cents_per_gpu_h": 260, "latency_ms": {"north": 42, "south": 7}},
    ]  # fmt: skip
    records = {"name": "records", "gpus": 6, "users": "north", "max_latency_ms": 60, "stays_in": ["north"], "data_region": "north", "gb_per_h": 3}  # fmt: skip
    chat = records | {
        "name": "chat",
        "gpus": 8,
        "max_latency_ms": 50,
        "stays_in": None,
        "gb_per_h": 2,
    }
    batch = records | {"name": "batch", "gpus": 4, "max_latency_ms": 10_000, "stays_in": None, "gb_per_h": 900}  # fmt: skip
    for said, first in (("with the rule", records), ("without", records | {"stays_in": None})):
        found = place_workloads([first, chat, batch], sites, {"north": 2, "south": 2})
        print(f"{said:14s}", found)


show_placement()
# %% [markdown] items="2.1.C3 2.1.K4 2.1.K5"
# ## In your own words: a hospital
#
# A hospital wants an assistant for notes of the ward: 40 requests a minute by day, 2 at night; patients' data may not leave the country; answers begin within a second. It has a server room with 4 GPUs and two people for operation. The
# firm that sells the software offers "a container, tag `latest`, CUDA 13", and the hosts run driver 550.
#
# Design the five layers and the way to deploy: what runs where, what you pin, what fails first, what you compute before you decide. 150 to 250 words.
# %% [markdown] role="written" id="stack-hospital" items="2.1.C1 2.1.C3 2.1.C4 2.1.K4 2.1.K5" points=3
# **Model answer.** Hardware: the 4 GPUs on site; data may not leave the country, so a domestic cloud region is the only other candidate, and an API by the token only if its operator processes there under contract. Infrastructure: driver 550 is too old for CUDA 13 (family from 580);
# either upgrade hosts to 580 or later, tested on one host first, or ask for an image of CUDA 12 (up to 12.4 fully, later ones if they bring no PTX to compile); `cuda-compat` only if the GPUs are data-centre ones and branch 550 is listed. The image is mirrored to a registry of our own and pinned by digest, since `latest` moves;
# weights are mounted, read-only, with hashes. Container toolkit, a small Kubernetes or just two hosts under a supervisor: two people operate it. Engine: an OpenAI-compatible one, so that it can be exchanged. KV cache: notes share a long template, so prefix caching; blocks sized for the longest note.
# Routing: gateway with login and audit log, two replicas on different hosts so that one may fail.
# Cost: 40 a minute by day is 2,400 an hour, 120 at night; utilisation over 24 hours is low, but the machines exist, so their marginal cost is power. I compute capacity of one replica at TTFT below 1 s, then break-even against domestic on-demand at peak load, with one replica spare. First to fail: one host at peak, then the driver upgrade.
#
# **Rubric.** 1 point: all five layers filled, consistent with residency and with the first second. 1 point: driver 550 against CUDA 13 recognised with a way out, and the tag replaced by a digest. 1 point: the way to deploy follows from a computation over day and night load (utilisation, spare, break-even), and a first failure is named.
# %% [markdown]
# ## Recap
#
# - Five layers: hardware, infrastructure, engine, KV cache, routing. A component stands where its job is, and needs only its own layer or those below.
# - A diagram is generated from the data that is checked.
# - A digest names bytes; a tag is a label that moves. Time stamps alone change a digest.
# - The cache of a build ends at the first changed step, and goes on through stages.
# - Driver and image: full, minor, forward, or none. Versions are tuples of numbers.
# - A way to deploy is cheapest *at a load*. Utilisation decides; exact numbers find break-even points.
# - Spot is cheap for work that can restart; checkpoints have a best distance.
# - Residency and latency restrict first; cost chooses among what is left.
#
# ## Three questions without code
#
# <details><summary>1. Two nodes pull engine:24.05 a week apart and behave differently. How, and what do you do?</summary>The tag was moved between the pulls. Deploy by digest, and log the digest of what runs.</details>
# <details><summary>2. Why does a container hold CUDA's runtime but not libcuda.so?</summary>libcuda.so must match the host's kernel module; the toolkit mounts the host's. The compat package is the exception, within limits.</details>
# <details><summary>3. Own machines are cheapest at full load. Why may they be the dearest for you?</summary>They cost the same at night. At low utilisation few requests carry all the fixed cost; and beyond their capacity they serve nothing.</details>
#
# ## Reading
#
# - NVIDIA, *CUDA Compatibility*: minor-version and forward compatibility, with the table of drivers.
# - Open Container Initiative, *Image Format Specification* (manifest, config, layers) and *Distribution Specification* (names, tags, digests).
# - NVIDIA, *Container Toolkit* documentation: what is mounted, and the environment variables that choose it.
# - Docker's documentation, "Multi-stage builds" and "Build cache".
# - Luiz Barroso, Urs Hölzle, Parthasarathy Ranganathan, *The Datacenter as a Computer*, third edition, 2018: the chapter on cost, where utilisation dominates.
# - John Young, "A first order approximation to the optimum checkpoint interval", *Communications of the ACM* 17(9), 1974.
#
# **Next:** how many bytes, FLOPs and seconds a model takes on such a stack.
