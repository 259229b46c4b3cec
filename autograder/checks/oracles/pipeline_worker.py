"""The learner's side of a race: messages, the learner's pipeline built and called.

Sent beside pipeline_driver.py, which imports it and forks the process that runs `work`; it has torch,
NumPy and the standard library, nothing of the course.
"""

import contextlib
import errno
import io
import json
import os
import select
import struct
import sys
import time
import traceback
import types

import numpy as np
import torch

MOST_BYTES = 64 * 2**20
CLONE_THREAD = 0x00010000


class Gone(Exception):
    """The worker ended, was too slow, or sent what is no answer."""


def send(descriptor, header, *blobs):
    """A message: lengths, a JSON header, raw bytes."""
    parts = [json.dumps(header).encode(), *blobs]
    lengths = struct.pack(f"<I{len(parts)}Q", len(parts), *map(len, parts))
    view = memoryview(b"".join([lengths, *parts]))
    while view:
        view = view[os.write(descriptor, view[: 2**20]) :]


def receive(descriptor, deadline=None):
    """The header and the raw bytes of the next message. Raises Gone."""
    (count,) = struct.unpack("<I", _read(descriptor, 4, deadline))
    if not 1 <= count <= 4096:
        raise Gone("it sent no message")
    lengths = struct.unpack(f"<{count}Q", _read(descriptor, 8 * count, deadline))
    if sum(lengths) > MOST_BYTES:
        raise Gone("it sent too much")
    parts = [_read(descriptor, length, deadline) for length in lengths]
    try:
        return json.loads(parts[0]), parts[1:]
    except ValueError:
        raise Gone("it sent no message") from None


def _read(descriptor, size, deadline):
    data = bytearray()
    while len(data) < size:
        if deadline is not None:
            left = max(0.0, deadline - time.monotonic())
            if not select.select([descriptor], [], [], left)[0]:
                raise Gone("it took too long")
        piece = os.read(descriptor, min(size - len(data), 2**20))
        if not piece:
            raise Gone("its process ended")
        data += piece
    return bytes(data)


def alone():
    """From here on this process may start threads, and no other process (seccomp, where there is one).

    The timer reads this process's CPU time. A child that the kernel reaps by itself (SIGCHLD ignored)
    would leave no trace of its own.
    """
    try:
        import pyseccomp as seccomp
    except (ImportError, OSError, RuntimeError, AttributeError):
        return  # other systems: a child that is left, or waited for, is found at the end
    with contextlib.suppress(OSError):
        rules = seccomp.SyscallFilter(seccomp.ALLOW)
        refuse, native = seccomp.ERRNO(errno.EPERM), seccomp.Arch.NATIVE
        for name in ("fork", "vfork", "execve", "execveat"):
            number = seccomp.resolve_syscall(native, name)
            if number >= 0:
                rules.add_rule(refuse, number)
        rules.add_rule(refuse, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, CLONE_THREAD, 0))
        # Its flags are behind a pointer; glibc falls back to clone on ENOSYS.
        clone3 = seccomp.resolve_syscall(native, "clone3")
        rules.add_rule(seccomp.ERRNO(errno.ENOSYS), clone3 if clone3 >= 0 else 435)
        rules.load()


def work(inbox, outbox):
    """Build the learner's pipeline, then answer batch after batch."""
    alone()
    generate = given = data = None
    while True:
        header, blobs = receive(inbox)
        try:
            if header["do"] == "build":
                data = blobs[0]
                given = tensors(data)
                generate = _build(header, given)
                send(outbox, {"ok": callable(generate), "kind": type(generate).__name__})
            elif header["do"] == "compare":
                send(outbox, {"changed": _changed(given, tensors(data))})
            else:
                prompts = header["prompts"]
                before = [list(prompt) for prompt in prompts]
                answer = _plain(generate(prompts, header["new_tokens"]))
                if prompts != before:
                    answer = ({"error": "changed prompts"},)
                send(outbox, *answer)
        except BaseException as error:
            frames = traceback.extract_tb(error.__traceback__)
            lines = [f.lineno for f in frames if f.filename == "answer"]
            line = TEXT[lines[-1] - 1].strip() if lines else ""
            name = type(error).__name__
            send(outbox, {"error": name, "text": str(error)[:300], "line": line})


def _changed(given, before):
    """The name of the first weight that is not what it was, or ""."""
    if set(given) != set(before):
        return str(next(iter(set(given) ^ set(before))))
    for name, tensor in before.items():
        now = given[name]
        if not isinstance(now, torch.Tensor) or now.dtype != tensor.dtype:
            return name
        if not torch.equal(now.detach(), tensor):
            return name
    return ""


TEXT = []


def _build(header, weights):
    TEXT[:] = header["text"].splitlines()
    package, module = types.ModuleType("lab"), types.ModuleType("lab.naive_pipeline")
    sys.modules |= {"lab": package, "lab.naive_pipeline": module}
    exec(compile(header["pipeline"], "naive_pipeline", "exec"), module.__dict__)
    package.naive_pipeline, package.__path__ = module, []
    scope = {"__name__": "answer"}
    exec(compile(header["text"], "answer", "exec"), scope)
    return scope[header["name"]](weights)


def tensors(data):
    """The weights in the bytes of an .npz."""
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return {name: torch.from_numpy(arrays[name].copy()) for name in arrays.files}


def _plain(results):
    """Tokens, shapes and dtypes as a header, the logits as bytes of float32; or what is off."""
    header, blobs = {"results": []}, []
    if not isinstance(results, (list, tuple)):
        return ({"error": "form", "text": f"Return a list, not a {type(results).__name__}"},)
    for result in results:
        if not isinstance(result, (list, tuple)) or len(result) != 2:
            return ({"error": "form", "text": "Return (tokens, logits) for each prompt"},)
        tokens, logits = result
        kinds = {type(t) for t in tokens} if isinstance(tokens, (list, tuple)) else {type(tokens)}
        if not kinds <= {int, np.int32, np.int64}:
            names = " and ".join(sorted(k.__name__ for k in kinds))
            return ({"error": "form", "text": f"The tokens must be a list of ints, not {names}"},)
        if not isinstance(logits, torch.Tensor):
            named = type(logits).__name__
            return ({"error": "form", "text": f"The logits must be a tensor, not a {named}"},)
        kind = str(logits.dtype).removeprefix("torch.")
        header["results"].append([[int(t) for t in tokens], list(logits.shape), kind])
        blobs.append(logits.detach().float().contiguous().numpy().tobytes())
    return header, *blobs
