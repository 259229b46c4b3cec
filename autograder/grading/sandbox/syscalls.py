"""seccomp: system calls that no lesson needs are refused (seccomp(2), libseccomp by pyseccomp)."""

import errno
import socket

from autograder.grading.sandbox import libc
from autograder.grading.sandbox.layers import Layer

# By what they reach: other processes, mounts and namespaces, the kernel, keys, the clock.
REFUSED = [
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "process_madvise",
    "pidfd_getfd",
    "kcmp",
    "mount",
    "umount2",
    "pivot_root",
    "chroot",
    "move_mount",
    "open_tree",
    "fsopen",
    "fsconfig",
    "fsmount",
    "fspick",
    "mount_setattr",
    "setns",
    "unshare",
    "open_by_handle_at",
    "name_to_handle_at",
    "bpf",
    "perf_event_open",
    "userfaultfd",
    "io_uring_setup",
    "io_uring_enter",
    "io_uring_register",
    "init_module",
    "finit_module",
    "delete_module",
    "kexec_load",
    "kexec_file_load",
    "reboot",
    "swapon",
    "swapoff",
    "add_key",
    "request_key",
    "keyctl",
    "acct",
    "quotactl",
    "syslog",
    "iopl",
    "ioperm",
    "modify_ldt",
    "lookup_dcookie",
    "personality",
    "vhangup",
    "nfsservctl",
    "uselib",
    "settimeofday",
    "clock_settime",
    "clock_adjtime",
    "adjtimex",
    "sethostname",
    "setdomainname",
]
NAMESPACES = (
    libc.CLONE_NEWNS,
    libc.CLONE_NEWUTS,
    libc.CLONE_NEWIPC,
    libc.CLONE_NEWUSER,
    libc.CLONE_NEWPID,
    libc.CLONE_NEWNET,
    0x02000000,  # CLONE_NEWCGROUP
)
TIOCSTI, TIOCLINUX = 0x5412, 0x541C


def load() -> str:
    """Load libseccomp ahead of the sandbox. Returns why it cannot be used, or ''."""
    try:
        import pyseccomp  # noqa: F401
    except (ImportError, OSError, RuntimeError, AttributeError) as error:
        return f"{error or type(error).__name__} (install libseccomp2)"
    return ""


def apply(deny_connect: bool) -> Layer:
    """Filter this process and what it starts.

    deny_connect: refuse connect() as well: without a view, sockets of other programs have names.
    """
    missing = load()
    if missing:
        return Layer("seccomp", False, f"not available: {missing}")
    import pyseccomp as seccomp

    try:
        rules = seccomp.SyscallFilter(seccomp.ALLOW)
        refuse = seccomp.ERRNO(errno.EPERM)
        count = 0
        for name in [*REFUSED, *(["connect"] if deny_connect else [])]:
            number = seccomp.resolve_syscall(seccomp.Arch.NATIVE, name)
            if number >= 0:  # below: this architecture or libseccomp has no such call
                rules.add_rule(refuse, number)
                count += 1
        for flag in NAMESPACES:
            rules.add_rule(refuse, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, flag, flag))
        # Its flags are behind a pointer; glibc falls back to clone on ENOSYS.
        clone3 = seccomp.resolve_syscall(seccomp.Arch.NATIVE, "clone3")
        rules.add_rule(seccomp.ERRNO(errno.ENOSYS), clone3 if clone3 >= 0 else 435)
        rules.add_rule(
            seccomp.ERRNO(errno.EAFNOSUPPORT),
            "socket",
            seccomp.Arg(0, seccomp.NE, int(socket.AF_UNIX)),
        )
        for request in (TIOCSTI, TIOCLINUX):
            rules.add_rule(refuse, "ioctl", seccomp.Arg(1, seccomp.MASKED_EQ, 0xFFFFFFFF, request))
        rules.load()
    except OSError as error:
        return Layer("seccomp", False, f"refused: {error.strerror}")
    return Layer("seccomp", True, f"{count} system calls refused, sockets other than AF_UNIX too")
