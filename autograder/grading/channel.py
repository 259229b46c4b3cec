"""What a learner's kernel sends, bounded: its messages in size and number, its outputs in form.

Whoever holds the kernel holds its key, so a message says nothing about who wrote it or how.
"""

import math
import time
from queue import Empty
from typing import Any

import zmq
from jupyter_client.asynchronous import AsyncKernelClient
from jupyter_client.utils import ensure_async
from nbformat import NotebookNode

MB = 2**20
# Larger messages close the line (zmq_setsockopt(3), ZMQ_MAXMSGSIZE). An answer may hold arrays.
MESSAGE_BYTES = {"shell": 256 * MB, "iopub": 16 * MB}
MESSAGES_WAITING = {"shell": 10, "iopub": 100}
# How long an answer may take before the kernel is asked again, and then its publication.
READY_S, SUBSCRIBED_S = 1, 0.01
RECONNECT_MS = 5
KEPT_CHARS, KEPT_MESSAGES = 10 * MB, 5_000
CUT = "Output is cut here: this cell prints more than a notebook can show."


class BoundedClient(AsyncKernelClient):
    """A client whose sockets take no message beyond the bounds and let few of them wait."""

    def _create_connected_socket(self, channel: str, identity: bytes | None = None) -> Any:
        # Options hold for connections made after them, and the parent connects at once.
        self.context.setsockopt(zmq.MAXMSGSIZE, MESSAGE_BYTES.get(channel, MB))
        self.context.setsockopt(zmq.RCVHWM, MESSAGES_WAITING.get(channel, 10))
        # The kernel's sockets appear after it; 0.1 s between tries is most of its start.
        self.context.setsockopt(zmq.RECONNECT_IVL, RECONNECT_MS)
        return super()._create_connected_socket(channel, identity)

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel answers and its published messages arrive; leave none of them.

        jupyter_client's own waits for 0.2 s of silence; here the kernel says itself that it is
        idle. timeout: seconds. Raises RuntimeError.
        """
        until = math.inf if timeout is None else time.monotonic() + timeout
        patience_s = SUBSCRIBED_S
        while True:
            asked = self.kernel_info()
            try:
                reply = await self._reply(asked)
                await self._idle(asked, patience_s)
            except Empty:
                pass
            else:
                self._handle_kernel_info_reply(reply)
                return
            patience_s *= 2
            if not await self._async_is_alive():
                raise RuntimeError("Kernel died before replying to kernel_info")
            if time.monotonic() > until:
                raise RuntimeError(f"Kernel didn't respond in {timeout:g} seconds")

    async def _reply(self, asked: str) -> dict:
        """The answer to a request, within READY_S; else Empty."""
        while True:
            reply = await ensure_async(self.shell_channel.get_msg(timeout=READY_S))
            if reply["parent_header"].get("msg_id") == asked:
                return reply

    async def _idle(self, asked: str, patience_s: float) -> None:
        """Read until a request is said to be done; Empty where nothing is published to us yet."""
        while True:
            said = await ensure_async(self.iopub_channel.get_msg(timeout=patience_s))
            done = said["content"].get("execution_state") == "idle"
            if done and said["parent_header"].get("msg_id") == asked:
                return


class Budget:
    """Counts what one cell publishes. spent: nothing more is kept."""

    def __init__(self):
        self.chars = self.messages = 0

    def add(self, content: Any) -> None:
        """Count one message's content."""
        self.messages += 1
        self.chars += _weight(content, 12)

    @property
    def spent(self) -> bool:
        return self.chars > KEPT_CHARS or self.messages > KEPT_MESSAGES


def _weight(value: Any, depth: int) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, dict | list) and depth:
        items = value.values() if isinstance(value, dict) else value
        return len(value) + sum(_weight(item, depth - 1) for item in items)
    return 1 if depth else KEPT_CHARS


def sound(output: NotebookNode) -> bool:
    """Whether an output is what nbformat 4 allows, so that the notebook can be written."""
    kind = output.get("output_type")
    if kind == "stream":
        return output.get("name") in ("stdout", "stderr") and isinstance(output.get("text"), str)
    if kind == "error":
        lines = output.get("traceback")
        named = isinstance(output.get("ename"), str) and isinstance(output.get("evalue"), str)
        return named and isinstance(lines, list) and all(isinstance(x, str) for x in lines)
    if kind not in ("display_data", "execute_result"):
        return False
    data, count = output.get("data"), output.get("execution_count")
    if not isinstance(data, dict) or not isinstance(output.get("metadata"), dict):
        return False
    counted = count is None or type(count) is int
    return counted and all(isinstance(v, str) or m.endswith("json") for m, v in data.items())
