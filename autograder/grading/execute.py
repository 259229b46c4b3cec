"""nbgrader's Execute, with every check cell judged outside the learner's kernel."""

import asyncio
import os
from typing import Any

from jupyter_client.utils import ensure_async
from jupyter_core.utils import run_sync
from nbclient.exceptions import CellExecutionComplete, CellTimeoutError
from nbformat.v4 import new_output
from nbgrader.preprocessors import Execute
from traitlets import Bool

from autograder.grading.channel import CUT, BoundedClient, Budget, sound
from autograder.grading.examiner.examine import CheckCall, check_call, examine, outputs
from autograder.grading.examiner.remote import RemoteProber
from autograder.grading.needed import needed
from autograder.grading.sandbox.layers import SandboxRefused, sentence
from autograder.grading.secret import PRIVATE, submission_seed
from autograder.grading.warm.prepare import shared
from autograder.grading.workplace import Workplace

RESTARTS = 4


class CourseExecute(Execute):
    """Runs a submission; check cells are probed in its kernel and judged in this process.

    Registered in nbgrader_config.py through Autograde.autograde_preprocessors. A cell that ends
    the kernel costs its own exercise only: the cells before it run again in a new kernel.
    """

    sandboxed = Bool(True, help="Run each submission in a kernel that is shut in.").tag(config=True)
    require_sandbox = Bool(False, help="Refuse to grade without every layer.").tag(config=True)

    only_needed = Bool(True, help="Pass over cells that no answer depends on.").tag(config=True)

    def preprocess(self, nb: Any, resources: dict, **kwargs: Any) -> tuple[Any, dict]:
        self.provisioner = None
        if self.sandboxed:
            self.kernel_name = shared(self.require_sandbox).kernel_name
        elif self.require_sandbox:
            raise SandboxRefused(
                "The sandbox is required and turned off: leave out sandboxed=False or require_sandbox."
            )
        names = resources.get("nbgrader", {})
        self._seed = submission_seed(
            str(names.get("student", "")),
            str(names.get("assignment", "")),
            str(names.get("notebook", "")),
        )
        self._fatal: set[int] = set()
        self._needed = needed(nb.cells) if self.only_needed else set(range(len(nb.cells)))
        self._budget = Budget()
        about = resources.setdefault("metadata", {})
        folder = about.get("path", "")
        with Workplace(folder) as self._workplace:
            about["path"] = self._workplace.path
            try:
                return super().preprocess(nb, resources, **kwargs)
            finally:
                about["path"] = folder

    async def async_start_new_kernel(self, **kwargs: Any) -> None:
        """Start the kernel; the instructor's secrets stay out of its environment."""
        env = {k: v for k, v in os.environ.items() if k not in PRIVATE}
        env.update(MPLBACKEND="agg")
        self.km.client_factory = BoundedClient
        await super().async_start_new_kernel(env=env, **kwargs)
        # Kept after the kernel's end: layers of its sandbox, and why it ended.
        self.provisioner = self.km.provisioner

    # nbclient's synchronous twins are bound to its own coroutines; bind them to ours.
    start_new_kernel = run_sync(async_start_new_kernel)

    async def async_execute_cell(
        self,
        cell: Any,
        cell_index: int,
        execution_count: int | None = None,
        store_history: bool = True,
    ) -> Any:
        if cell_index not in self._needed:
            return cell
        call = check_call(cell)
        if call:
            await self._check(cell, cell_index, call)
            return cell
        self._budget = Budget()
        try:
            await super().async_execute_cell(cell, cell_index, execution_count, store_history)
            _settle(cell)
        except Exception as error:
            # Dead, deaf, or tampered with so that it no longer speaks the protocol.
            await self._lose(cell, error)
            await self._revive(cell_index)
        return cell

    execute_cell = run_sync(async_execute_cell)

    async def _async_poll_kernel_alive(self) -> None:
        """nbclient's, but it ends with the kernel that it was started for."""
        mine = self.kc
        while self.kc is mine:
            await asyncio.sleep(1)
            if self.kc is mine and not await ensure_async(mine.is_alive()):
                self.task_poll_for_reply.cancel()
                return

    def process_message(self, msg: dict, cell: Any, cell_index: int) -> Any:
        """Take one message of the kernel's, unless it is malformed, a widget's, or too much."""
        kind = msg["header"].get("msg_type")
        if kind != "status":
            spent = self._budget.spent
            self._budget.add(msg["content"])
            if self._budget.spent and not spent:
                cell.outputs.append(new_output("stream", name="stderr", text=CUT))
                asyncio.ensure_future(ensure_async(self.km.interrupt_kernel()))
            if self._budget.spent or str(kind).startswith("comm_"):
                return None
        try:
            return super().process_message(msg, cell, cell_index)
        except CellExecutionComplete:
            raise
        except Exception:
            return None

    def sandbox(self) -> str:
        """One sentence: which layers shut the last submission in."""
        return sentence(getattr(self.provisioner, "layers", ()))

    async def _check(self, cell: Any, cell_index: int, call: CheckCall) -> None:
        prober = RemoteProber(self.kc, self.km, self.timeout or 240)
        report, alive = await examine(call, prober, self._seed)
        self.code_cells_executed += 1
        cell.execution_count = self.code_cells_executed
        cell.outputs = outputs(report, cell.execution_count, self.sandbox())
        if not alive:
            await self._revive(cell_index)

    async def _lose(self, cell: Any, error: Exception) -> None:
        """Say in the cell's outputs why it cost the kernel."""
        why = (getattr(self.provisioner, "ended", None) or {}).get("reason", "")
        text = f"This cell ended the kernel: {why or 'a crash, or too much memory'}."
        if isinstance(error, CellTimeoutError) and not why:
            text = "This cell did not come to an end, and the kernel no longer answers."
        cell.outputs = [new_output("error", ename="KernelDied", evalue=text, traceback=[text])]

    async def _revive(self, cell_index: int) -> None:
        """A new kernel in the state before this cell; cells that ended a kernel stay out of it."""
        lost: int | None = cell_index
        while lost is not None:
            self._fatal.add(lost)
            if len(self._fatal) > RESTARTS:
                await ensure_async(self.km.shutdown_kernel(now=True))
                return
            await self._async_cleanup_kernel()
            self._workplace.renew()
            self.km = self.create_kernel_manager()
            await self.async_start_new_kernel()
            await self.async_start_new_kernel_client()
            lost = await self._repeat(cell_index)

    async def _repeat(self, end: int) -> int | None:
        """Run the code cells before `end` again. Returns the place of one that ended the kernel."""
        for index, cell in enumerate(self.nb.cells[:end]):
            if index not in self._needed - self._fatal or check_call(cell):
                continue
            copy = type(cell)(cell)
            copy.outputs, self._budget = [], Budget()
            try:
                await super().async_execute_cell(copy, index)
            except Exception:
                return index
            finally:
                self.nb.cells[index] = cell
        return None


def _settle(cell: Any) -> None:
    """Leave out of a cell what no notebook may hold, whatever its kernel has sent."""
    if cell.cell_type == "code":
        cell.outputs = [output for output in cell.outputs if sound(output)]
        if type(cell.execution_count) is not int:
            cell.execution_count = None
