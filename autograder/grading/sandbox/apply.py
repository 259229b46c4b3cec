"""The layers in their order, for the two processes of a kernel that they are applied in."""

import contextlib
import os

from autograder.grading.sandbox import files, libc, limits, namespaces, syscalls, view
from autograder.grading.sandbox.layers import Layer
from autograder.grading.sandbox.policy import Policy


def load() -> None:
    """Load the libraries of the layers while nothing is restricted yet."""
    files.load()
    syscalls.load()


def build_view(policy: Policy) -> Layer:
    """In the first process of the new namespaces, before the kernel is forked from it."""
    os.umask(0o022)
    return view.apply(policy)


def shut_in(policy: Policy, identity: namespaces.Identity, held: set[str]) -> list[Layer]:
    """In the kernel's process, before the first line of a learner's. There is no way back.

    held: names of the layers that are in force already.
    """
    os.umask(0o077)
    os.environ.clear()
    os.environ.update(policy.environment)
    names = f"{len(policy.environment)} names from a list, HOME and TMPDIR of its own"
    layers = [Layer("environment", True, names)]
    _offer_to_oom_killer()
    layers += namespaces.become_unprivileged(identity)
    own_user = identity.real_id is not None or identity.namespaced
    layers.append(limits.apply(policy.limits, own_user))
    with contextlib.suppress(OSError):  # the layer "privileges" says so
        libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)
    layers.append(files.apply(policy, own_proc={"view", "pid"} <= held))
    layers.append(syscalls.apply(deny_connect="view" not in held))
    return layers


def _offer_to_oom_killer() -> None:
    """When the machine runs out of memory, this process goes first (proc_pid_oom_score_adj(5))."""
    # Where it cannot be written, the watch ends the kernel anyway.
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as out:
        out.write("1000")
