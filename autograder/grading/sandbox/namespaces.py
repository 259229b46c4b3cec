"""User, network, IPC, host name and process namespaces, and the unprivileged user.

namespaces(7), user_namespaces(7). Root needs no user namespace: it gives the kernel a user id
that nobody else has. Anyone else maps the own id into a user namespace.
"""

import os
import socket
from dataclasses import dataclass
from pathlib import Path

from autograder.grading.sandbox import libc
from autograder.grading.sandbox.layers import Layer

INSIDE_ID = 1000
# systemd's range for dynamic users (systemd.exec(5), DynamicUser=): no account has these.
DYNAMIC_LOW, DYNAMIC_COUNT = 61184, 4000
KINDS = (
    ("network", libc.CLONE_NEWNET, "a network of its own, without any interface"),
    ("ipc", libc.CLONE_NEWIPC, "System V and POSIX queues of its own"),
    ("uts", libc.CLONE_NEWUTS, "a host name of its own"),
    ("pid", libc.CLONE_NEWPID, "sees and signals only its own processes; all end with it"),
)


@dataclass(frozen=True)
class Identity:
    """Who the kernel runs as.

    Attributes:
        real_id: the user id to change to; None: stay, in the user namespace or out of it.
        namespaced: the process is in a user namespace, with capabilities there until it drops them.
    """

    real_id: int | None
    namespaced: bool


def enter(paths: tuple[str, ...]) -> tuple[Identity, list[Layer]]:
    """Leave the machine's namespaces. Called in a process with one thread; children follow it.

    The process itself stays in the machine's process namespace (unshare(2), CLONE_NEWPID).

    paths: what the kernel must reach. Without a view of its own, another user id can be taken
        only where their parent folders let others pass.
    """
    layers, identity = [], Identity(None, False)
    other = DYNAMIC_LOW + os.getpid() % DYNAMIC_COUNT
    root = os.geteuid() == 0 and _known(other)
    if root and _can_unshare():
        identity = Identity(other, False)
    else:
        try:
            _enter_user_namespace()
            identity = Identity(None, True)
        except OSError as error:
            closed = _closed(paths) if root else ""
            if root and not closed:
                identity = Identity(other, False)
            else:
                detail = f"no user namespace: {os.strerror(error.errno)}"
                detail += f"; other users cannot reach {closed}" if closed else ""
                layers.append(Layer("user", False, detail))
    for name, flag, meaning in KINDS:
        try:
            libc.unshare(flag)
            layers.append(Layer(name, True, meaning))
            if flag == libc.CLONE_NEWUTS:
                socket.sethostname("course")
        except OSError as error:
            layers.append(Layer(name, False, f"not available: {os.strerror(error.errno)}"))
    return identity, layers


def _closed(paths: tuple[str, ...]) -> str:
    """The first folder above one of the paths that others may not pass; empty when there is none."""
    above = {up for path in paths for up in Path(path).resolve().parents}
    return next((str(up) for up in sorted(above) if not up.stat().st_mode & 0o001), "")


def _known(user: int) -> bool:
    """Whether this user namespace has the id: root of a container may have few or one."""
    rows = [tuple(map(int, x.split())) for x in Path("/proc/self/uid_map").read_text().splitlines()]
    return any(inside <= user < inside + count for inside, _, count in rows)


def _can_unshare() -> bool:
    try:
        libc.unshare(libc.CLONE_NEWUTS)
    except OSError:
        return False
    return True


def _enter_user_namespace() -> None:
    user, group = os.geteuid(), os.getegid()
    libc.unshare(libc.CLONE_NEWUSER)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{INSIDE_ID} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{INSIDE_ID} {group} 1")


def become_unprivileged(identity: Identity) -> list[Layer]:
    """Drop root, every capability and the way back. The last step that needs privileges."""
    layers = []
    try:
        if identity.real_id is not None:
            os.setgroups([])
            os.setresgid(*[identity.real_id] * 3)
            os.setresuid(*[identity.real_id] * 3)
            layers.append(Layer("user", True, f"user id {identity.real_id}, no account's"))
        elif identity.namespaced:
            detail = f"user {INSIDE_ID} of a user namespace, no capability outside it"
            layers.append(Layer("user", True, detail))
    except OSError as error:
        layers.append(Layer("user", False, f"cannot leave root: {os.strerror(error.errno)}"))
    try:
        libc.drop_capabilities()
        libc.prctl(libc.PR_SET_NO_NEW_PRIVS, 1)
        # A change of user hides /proc/self from its own process; nothing secret is in there.
        libc.prctl(libc.PR_SET_DUMPABLE, 1)
        layers.append(Layer("privileges", True, "no capability, and none to gain (no_new_privs)"))
    except OSError as error:
        layers.append(Layer("privileges", False, str(error)))
    return layers
