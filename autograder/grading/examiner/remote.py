"""Outcomes of a check's cases from the learner's kernel, as plain data through the codec."""

import ast
import asyncio
import inspect
import re
import time
from collections.abc import Callable
from functools import cache
from queue import Empty
from typing import Any

from jupyter_client.utils import ensure_async

from autograder.checks import codec, plain, runner
from autograder.checks.engine import Outcome, failed_outcome, to_outcome
from autograder.checks.spec import Case, Check

GRACE_S = 5.0
FAILURES = ("missing", "undefined", "not plain", "raised", "mutates", "timeout")
# What repr() makes of a str. Any other expression could cost ast.literal_eval its stack or memory.
ONE_STRING = re.compile(r"""'(?:[^'\\\n]|\\.)*+'|"(?:[^"\\\n]|\\.)*+["]""")


class KernelGone(Exception):
    """The learner's kernel died, or stopped speaking the protocol, while a check ran."""


# Each text in a scope of its own; the runner sees what the others define, as by its imports.
BOOTSTRAP = """
def _course_load(texts):
    shared = {}
    for text in texts:
        scope = {"__name__": "course_runner", **shared}
        exec(compile(text, "<runner>", "exec"), scope)
        shared = {k: v for k, v in scope.items() if not k.startswith("_")}
    return shared["run_probes"]
"""


@cache
def kernel_texts() -> list[str]:
    """What the kernel needs to run probes: plain.py, codec.py, runner.py without our imports."""
    texts = [inspect.getsource(module).splitlines() for module in (plain, codec, runner)]
    return ["\n".join(x for x in lines if not x.startswith("from autograder.")) for lines in texts]


def request_code(name: str, check: Check, cases: list[Case]) -> str:
    """Code that leaves the JSON text of the outcomes in `_course_answer`."""
    text = codec.dumps([case.inputs for case in cases])
    return (
        f"{BOOTSTRAP}\n_course_answer = _course_load({kernel_texts()!r})(\n"
        f"    globals(), {name!r}, {check.probe_source!r}, {text!r})\n"
    )


class RemoteProber:
    """Asks the kernel for the outcomes of all cases in one request.

    kc, km: client and manager of the learner's kernel. timeout_s: for the whole check.
    hung: the kernel did not even answer an interrupt; it is of no further use.
    """

    def __init__(self, kc: Any, km: Any, timeout_s: float):
        self.kc, self.km, self.timeout_s = kc, km, timeout_s
        self.hung = False

    async def outcomes(
        self, name: str, check: Check, cases: list[Case]
    ) -> Callable[[Case], Outcome]:
        """A function from a case to its outcome. Raises KernelGone."""
        reply = await self._execute(request_code(name, check, cases))
        results = self._read(reply)
        found = {
            id(case): _outcome(r, self.timeout_s) for case, r in zip(cases, results, strict=False)
        }
        stopped = [r for r in results if r[0] in ("timeout", "undefined")]
        late = _outcome(stopped[0], self.timeout_s) if stopped else None
        lost = failed_outcome("not plain", "something that is not plain data")
        return lambda case: found.get(id(case)) or late or lost

    def end(self) -> str:
        """Why the kernel ended, as its provisioner has it; empty where that is not known."""
        return (getattr(self.km.provisioner, "ended", None) or {}).get("reason", "")

    async def _execute(self, code: str) -> dict:
        request = self.kc.execute(
            code,
            silent=True,
            store_history=False,
            allow_stdin=False,
            user_expressions={"answer": "_course_answer"},
        )
        # What the kernel publishes meanwhile would pile up in this process.
        draining = asyncio.ensure_future(self._drain())
        try:
            reply = await self._reply(request, self.timeout_s)
            if reply is None:
                await ensure_async(self.km.interrupt_kernel())
                reply = await self._reply(request, GRACE_S)
        finally:
            draining.cancel()
            await asyncio.gather(draining, return_exceptions=True)
        self.hung = reply is None
        return reply or {"status": "timeout"}

    async def _drain(self) -> None:
        while True:
            await self.kc.iopub_channel.socket.recv_multipart()

    async def _reply(self, request: str, seconds: float) -> dict | None:
        """The reply to this request, None after `seconds`. Other replies are passed over."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not await ensure_async(self.km.is_alive()):
                raise KernelGone
            try:
                message = await ensure_async(self.kc.get_shell_msg(timeout=0.5))
                if message["parent_header"].get("msg_id") == request:
                    return dict(message["content"])
            except Empty:
                continue
            except Exception:
                # No message of the protocol: the kernel was tampered with.
                raise KernelGone from None
        return None

    def _read(self, reply: dict) -> list:
        """The results in a reply: a list of well-formed entries, whatever the kernel sent."""
        if reply.get("status") == "timeout":
            return [["timeout", "", "", ""]]
        try:
            written = reply["user_expressions"]["answer"]["data"]["text/plain"]
            if not ONE_STRING.fullmatch(written):
                return []
            results = codec.loads(ast.literal_eval(written), tensors=False)
        except (KeyError, TypeError, ValueError, SyntaxError, MemoryError, RecursionError):
            return []
        if not isinstance(results, list) or not all(_well_formed(r) for r in results):
            return []
        return results


def _well_formed(result: Any) -> bool:
    if not isinstance(result, list) or not result:
        return False
    if result[0] == "ok":
        return len(result) == 2
    return result[0] in FAILURES and len(result) == 4 and all(type(x) is str for x in result)


def _outcome(result: list, timeout_s: float) -> Outcome:
    if result[0] == "timeout":
        return failed_outcome("timeout", f"{timeout_s:g} s")
    return to_outcome(result)
