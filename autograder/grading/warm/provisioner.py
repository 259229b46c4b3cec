"""A jupyter_client provisioner: nbclient and nbgrader use the warm kernel by its name alone."""

import asyncio
import os
import signal
import tempfile
import time
from typing import Any

from jupyter_client.provisioning import KernelProvisionerBase
from traitlets import Bool, Dict, List, Unicode

from autograder.grading.sandbox import folders
from autograder.grading.sandbox.layers import Layer
from autograder.grading.sandbox.policy import Limits, Policy, readable, scrub
from autograder.grading.warm.client import Line

POLL_S = 0.005


class WarmProvisioner(KernelProvisionerBase):
    """Starts a kernel through a keeper, warm or cold, over the ipc transport.

    Attributes:
        layers: what each layer of the sandbox said.
        note: why the kernel is not a warm one; empty when it is.
        ended: None while the kernel runs, then status, reason and peak_mb.
    """

    server = Unicode("", help="Socket of the warm server; empty: cold kernels.").tag(config=True)
    folder = Unicode("", help="Private folder that kernels' folders are made in.").tag(config=True)
    read = List(Unicode(), help="Further paths that kernels may read.").tag(config=True)
    keep_environment = List(Unicode(), help="Further names to keep.").tag(config=True)
    limits = Dict(help="Fields of autograder.grading.sandbox.Limits.").tag(config=True)
    require = Bool(False, help="Refuse to start without every layer.").tag(config=True)

    line: Line | None = None
    private = ""
    layers: list[Layer] = []
    note = ""
    ended: dict | None = None

    @property
    def has_process(self) -> bool:
        return self.line is not None

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Choose ipc in a folder of the kernel's own: there is no network inside the sandbox."""
        # nbgrader ignores KernelManager.transport, so it is set here.
        manager = self.parent
        self.private = tempfile.mkdtemp(prefix="k", dir=self.folder or None)
        manager.cleanup_connection_file()
        manager.transport = "ipc"
        manager.connection_file = f"{self.private}/connection.json"
        manager.ip = f"{self.private}/s"
        for name in ("shell", "iopub", "stdin", "hb", "control"):
            setattr(manager, f"{name}_port", 0)
        manager.write_connection_file()
        self.connection_info = manager.get_connection_info()
        kwargs.pop("extra_arguments", None)
        return await super().pre_launch(cmd=[], **kwargs)

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> dict:
        """Ask for the kernel. Raises SandboxRefused, RuntimeError, ValueError: one sentence."""
        env = {**os.environ, **(kwargs.get("env") or {})}
        policy = Policy(
            folder=os.path.abspath(kwargs.get("cwd") or os.getcwd()),
            private=self.private,
            read=readable(env, tuple(self.read)),
            environment=scrub(env, self.private, tuple(self.keep_environment)),
            limits=Limits(**self.limits),
        )
        line, self.ended = Line(), None
        file = self.parent.connection_file
        # The start may have to wait for the server's imports: not in the event loop.
        loop = asyncio.get_running_loop()
        try:
            policy.check()
            await loop.run_in_executor(None, line.start, self.server, policy, file, self.require)
        except Exception:
            self._remove_private()
            raise
        self.line, self.layers, self.note = line, line.layers, line.note
        if self.note:
            self.log.warning(self.note)
        return self.connection_info

    async def poll(self) -> int | None:
        if self.line is None:
            return 0 if self.ended is None else self.ended["status"]
        self.ended = self.line.look()
        return None if self.ended is None else self.ended["status"]

    async def wait(self) -> int | None:
        while await self.poll() is None:
            await asyncio.sleep(POLL_S)
        self._hang_up()
        return self.ended["status"] if self.ended else 0

    async def send_signal(self, signum: int) -> None:
        if self.line is not None:
            if signum == signal.SIGKILL:
                self.line.say(op="end")
            else:
                self.line.say(op="signal", number=int(signum))

    async def kill(self, restart: bool = False) -> None:
        await self.send_signal(signal.SIGKILL)
        # The end comes in milliseconds; the manager would look again in tenths of a second.
        await self._ended(10)

    async def terminate(self, restart: bool = False) -> None:
        await self.send_signal(signal.SIGKILL)

    async def cleanup(self, restart: bool = False) -> None:
        if self.line is not None:
            self.line.say(op="end")
            await self._ended(10)
            self._hang_up()
        self._remove_private()

    async def _ended(self, timeout_s: float) -> None:
        until = time.monotonic() + timeout_s
        while await self.poll() is None and time.monotonic() < until:
            await asyncio.sleep(POLL_S)

    def _hang_up(self) -> None:
        if self.line is not None:
            self.line.close()
            self.line = None

    def _remove_private(self) -> None:
        if self.private:
            folders.remove(self.private)
