"""Traces of a GPU program that never ran: a small event simulator writes torch.profiler's format.

A host thread issues work, each launch with a cost; streams are queues; kernels, copies in and copies out
have an engine each; a synchronisation holds the host. The programs are steps of a quantized network in which
one fault is planted. Every trace says in its metadata that it is simulated: nothing in it was measured. The
sizes are plausible round numbers (5 us from a launch to its kernel, 25 GB/s from pinned memory).
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lab.errors import CourseError

FAULTS = ("healthy", "launch", "sync", "copies", "data_loader", "allocator", "qdq")
LABEL = "SIMULATED, no GPU ran"
HOST, THREAD, WORKER, COMPUTE, COPY = 4711, 4711, 4790, 7, 20
LOADER = "enumerate(DataLoader)#_MultiProcessingDataLoaderIter.__next__"
GEMMS = ("sm90_xmma_gemm_i8i32_i8i32_i32_tn_n_tilesize128x128x64_dequant_epilogue",
         "void cutlass::Kernel2<cutlass_80_tensorop_s8_i16832gemm_s8_128x128_64x5_tn>")  # fmt: skip
PINNED_BYTES_PER_US, PAGEABLE_BYTES_PER_US = 25_000, 8_000


@dataclass(frozen=True)
class Program:
    """What a step does; times in us, the median of what is drawn.

    gemm_us, small_us: the kernels of a layer, `small_kernels` of the second kind. qdq_us: each of the two
    kernels that quantize and dequantize. op_us: the host's own work for each operator. item_every: layers
    between two `.item()`, 0 for none. python_us: what the host does after an `.item()`. copy_us: weights
    copied for each layer. waits: the layer's kernels wait for that copy. pageable: from memory that is not
    pinned. loader_us: fetching the batch. allocate_us: cudaFree and cudaMalloc in each layer, 0 for none.
    drain: the step ends in a synchronisation.
    """

    layers: int
    gemm_us: float
    small_us: float
    small_kernels: int
    qdq_us: float = 4.0
    op_us: float = 6.0
    item_every: int = 0
    python_us: float = 10.0
    copy_us: float = 0.0
    waits: bool = False
    pageable: bool = False
    loader_us: float = 60.0
    allocate_us: float = 0.0
    drain: bool = True


def simulate_trace(fault: str, seed: int, steps: int = 2) -> dict:
    """A trace with one planted fault, in the Trace Event Format; the same for the same arguments.

    Args:
        fault: one of FAULTS. "launch": the host cannot launch as fast as the GPU computes. "sync": `.item()`
            in the loop. "copies": copies that no kernel overlaps. "data_loader": the next batch comes late.
            "allocator": cudaMalloc and cudaFree in the loop. "qdq": most kernel time converts between floats
            and codes. "healthy": none.
        seed: also draws what does not matter: sizes, decoys, names, the order of events in the file.
        steps: "ProfilerStep#n" annotations, 1 or more.

    Raises:
        CourseError: an unknown fault, or fewer than 1 step.
    """
    if fault not in FAULTS or steps < 1:
        raise CourseError(f"simulate_trace knows {', '.join(FAULTS)}, and 1 step or more.")
    rng = np.random.default_rng([seed, FAULTS.index(fault)])
    machine = Machine(rng)
    program = _program(fault, rng)
    first = int(rng.integers(2, 9))
    for index in range(steps):
        _step(machine, program, first + index, index == 0)
    return machine.trace()


def _program(fault: str, rng: np.random.Generator) -> Program:
    """Drawn sizes: a healthy program with decoys, then the one thing that is wrong."""
    uniform = rng.uniform
    decoy_copy = float(uniform(60, 140)) if rng.random() < 0.6 else 0.0
    drain = bool(rng.random() < 0.5)
    plan = {
        "layers": int(rng.integers(4, 7)),
        "gemm_us": float(uniform(90, 150)),
        "small_us": float(uniform(25, 45)),
        "small_kernels": int(rng.integers(2, 4)),
        "qdq_us": float(uniform(3, 12)),
        "op_us": float(uniform(3, 6)),
        "copy_us": decoy_copy,
        # Behind a full queue a slow loader costs nothing.
        "loader_us": float(uniform(20, 60) if drain else uniform(100, 250)),
        "drain": drain,
    }
    change = {
        "healthy": {},
        "launch": {"gemm_us": uniform(6, 9), "small_us": uniform(2, 4), "op_us": uniform(18, 26),
                   "qdq_us": uniform(1.5, 2.5), "copy_us": 0.0, "layers": 9, "loader_us": uniform(20, 60)},
        "sync": {"gemm_us": uniform(25, 35), "small_us": uniform(12, 16), "qdq_us": 2.5,
                 "item_every": 1, "python_us": uniform(60, 90), "copy_us": decoy_copy / 4, "layers": 8,
                 "loader_us": uniform(20, 60)},
        "copies": {"copy_us": uniform(200, 320), "waits": True, "pageable": bool(rng.random() < 0.4)},
        "data_loader": {"loader_us": uniform(1200, 1900), "drain": True},
        "allocator": {"allocate_us": uniform(110, 190)},
        "qdq": {"qdq_us": uniform(90, 150)},
    }  # fmt: skip
    return Program(**plan | change[fault])


def _step(m: "Machine", p: Program, number: int, first: bool) -> None:
    """One forward pass, issued by the host."""
    with m.inside(f"ProfilerStep#{number}", "user_annotation"):
        with m.inside(LOADER, "user_annotation"):
            m.work(p.loader_us)
        m.worker_fetches()
        m.copy("HtoD", 120_000, stream=COMPUTE, pinned=not p.pageable, op="aten::to")
        for layer in range(p.layers):
            with m.inside(f"layer.{layer}", "user_annotation"):
                _layer(m, p, layer, first and layer == p.layers - 1)
        if p.drain:
            m.item()
        m.work(p.op_us)


def _layer(m: "Machine", p: Program, layer: int, warm_up: bool) -> None:
    if p.allocate_us:
        m.allocate(p.allocate_us)
    elif warm_up:
        m.allocate(120.0, free=False)
    if p.copy_us:
        rate = PAGEABLE_BYTES_PER_US if p.pageable else PINNED_BYTES_PER_US
        stream = COMPUTE if p.waits and layer % 2 else COPY
        m.copy("HtoD", int(m.draw(p.copy_us) * rate), stream=stream, pinned=not p.pageable)
        if p.waits:
            m.free[COMPUTE] = max(m.free[COMPUTE], m.free[stream])
    with m.inside("quantize", "user_annotation"):
        m.operator("aten::div", m.elementwise, p.qdq_us, p.op_us)
    m.operator("aten::_int_mm", m.gemm, p.gemm_us, p.op_us)
    with m.inside("dequantize", "user_annotation"):
        m.operator("aten::mul", m.elementwise, p.qdq_us, p.op_us)
    for index in range(p.small_kernels):
        name = ("aten::silu", "aten::rms_norm", "aten::add")[index % 3]
        m.operator(name, m.elementwise, p.small_us, p.op_us)
    if p.item_every and layer % p.item_every == 0:
        m.item()
        m.work(p.python_us)


class Machine:
    """The host's clock, the streams and the engines; every action writes its events."""

    def __init__(self, rng: np.random.Generator):
        self.rng = rng
        self.now = self.base = float(rng.uniform(1e9, 4e9))
        self.free = {COMPUTE: 0.0, COPY: 0.0}
        self.engine = {"kernel": 0.0, "HtoD": 0.0, "DtoH": 0.0}
        self.correlation, self.external = int(rng.integers(100, 9000)), int(rng.integers(1, 99))
        self.events: list[dict] = []
        self.fetched = 0.0
        # Names do not tell what a kernel is for: the same template serves many operators.
        self.elementwise = (
            "void at::native::vectorized_elementwise_kernel<4, at::native::BinaryFunctor>"
        )
        self.gemm = str(rng.choice(GEMMS))

    def draw(self, median_us: float) -> float:
        """A time near the median, with a little spread; 0 stays 0."""
        return median_us * float(np.exp(self.rng.normal(0, 0.08)))

    def work(self, median_us: float) -> None:
        """The host is busy with something that has no event of its own."""
        self.now += self.draw(median_us)

    @contextlib.contextmanager
    def inside(self, name: str, cat: str = "cpu_op") -> Iterator[None]:
        """A span of the host around what happens inside it."""
        start = self.now
        self.external += 1
        args = {"External id": self.external}
        self.work(0.7)
        yield
        self.work(0.7)
        self._write(name, cat, start, self.now, HOST, THREAD, args)
        self.now += 0.1  # neighbours do not touch: rounded times would let them overlap

    def operator(self, name: str, kernel: str, kernel_us: float, op_us: float) -> None:
        """An ATen operator that launches one kernel."""
        with self.inside(name):
            self.work(op_us)
            self._issue("cudaLaunchKernel", "kernel", kernel, self.draw(kernel_us), COMPUTE)
        self.work(op_us / 3)

    def copy(
        self, way: str, size: int, *, stream: int, pinned: bool, op: str = "aten::copy_"
    ) -> None:
        """cudaMemcpyAsync; from pageable memory the host waits until it is done."""
        rate = PINNED_BYTES_PER_US if pinned else PAGEABLE_BYTES_PER_US
        memory = "Pinned" if pinned else "Pageable"
        name = (
            f"Memcpy {way} ({memory} -> Device)"
            if way == "HtoD"
            else f"Memcpy {way} (Device -> {memory})"
        )
        with self.inside(op):
            end = self._issue("cudaMemcpyAsync", way, name, 1.2 + size / rate, stream, size)
            if not pinned and way == "HtoD":
                self._wait_call("cudaStreamSynchronize", end)

    def item(self) -> None:
        """`.item()`: four bytes to the host, and wait for them."""
        with self.inside("aten::item"), self.inside("aten::_local_scalar_dense"):
            end = self._issue(
                "cudaMemcpyAsync", "DtoH", "Memcpy DtoH (Device -> Pageable)", 1.4, COMPUTE, 4
            )
            self._wait_call("cudaStreamSynchronize", end)

    def allocate(self, median_us: float, free: bool = True) -> None:
        """A caching allocator that found nothing: cudaFree waits for the device, cudaMalloc maps memory."""
        with self.inside("aten::empty"):
            if free:
                done = max(self.free.values())
                self._call("cudaFree", max(0.0, done - self.now) + self.draw(median_us))
            self._call("cudaMalloc", self.draw(median_us))

    def worker_fetches(self) -> None:
        """The loader's own thread reads ahead: long, and no fault."""
        start = max(self.now - self.draw(300), self.fetched + 1)
        self.fetched = end = self.now + self.draw(100)
        self._write("aten::stack", "cpu_op", start, end, HOST, WORKER, {"External id": 0})

    def trace(self) -> dict:
        """All events, shuffled as far as a file may be: complete events come in any order."""
        kernels = [e for e in self.events if e["cat"] == "kernel"]
        begin, end = min(e["ts"] for e in kernels), max(e["ts"] + e["dur"] for e in kernels)
        # torch.profiler draws each annotation on the device as well: a bracket, no work.
        bracket = ("ProfilerStep#2", "gpu_user_annotation", begin - 0.5, end + 0.5)
        self._write(*bracket, 0, COMPUTE, {"stream": COMPUTE})
        order = self.rng.permutation(len(self.events))
        head = [
            {"ph": "M", "name": "process_name", "ts": 0, "pid": HOST, "tid": 0, "args": {"name": "python"}},
            {"ph": "M", "name": "process_name", "ts": 0, "pid": 0, "tid": 0, "args": {"name": LABEL}},
            {"ph": "i", "s": "g", "name": "Iteration Start: PyTorch Profiler", "pid": "Traces",
             "tid": "Trace PyTorch Profiler", "ts": round(self.base - 500, 3)},
        ]  # fmt: skip
        events = head + [self.events[i] for i in order]
        return {
            "schemaVersion": 1,
            "simulated": LABEL,
            "displayTimeUnit": "ms",
            "traceEvents": events,
        }

    def _issue(
        self, call: str, engine: str, name: str, us: float, stream: int, size: int = 0
    ) -> float:
        """Launch a kernel or a copy; returns when it will be done."""
        self.correlation += 1
        start = self.now
        self.work(4.0)
        self._write(call, "cuda_runtime", start, self.now, HOST, THREAD, self._ids())
        self.now += 0.1
        ready = max(self.free[stream], self.engine[engine]) + self.draw(1.0)
        begin = max(start + self.draw(5.0), ready)
        self.free[stream] = self.engine[engine] = begin + us
        args = self._ids() | {"device": 0, "context": 1, "stream": stream}
        if engine != "kernel":
            args |= {"bytes": size, "memory bandwidth (GB/s)": round(size / us / 1000, 3)}
        cat = "kernel" if engine == "kernel" else "gpu_memcpy"
        self._write(name, cat, begin, begin + us, 0, stream, args)
        flow = {"id": self.correlation, "cat": "ac2g", "name": "ac2g"}
        self.events.append({"ph": "s", "pid": HOST, "tid": THREAD, "ts": round(start, 3), **flow})
        self.events.append(
            {"ph": "f", "pid": 0, "tid": stream, "ts": round(begin, 3), "bp": "e", **flow}
        )
        return begin + us

    def _wait_call(self, call: str, until: float) -> None:
        self._call(call, max(0.0, until - self.now) + self.draw(3.0))

    def _call(self, call: str, us: float) -> None:
        self.correlation += 1
        start, self.now = self.now, self.now + us
        self._write(call, "cuda_runtime", start, self.now, HOST, THREAD, self._ids())
        self.now += 0.1

    def _ids(self) -> dict:
        return {"External id": self.external, "correlation": self.correlation}

    def _write(self, name, cat, start, end, pid, tid, args) -> None:
        ts = round(start, 3)
        self.events.append({"ph": "X", "cat": cat, "name": name, "pid": pid, "tid": tid, "ts": ts,
                            "dur": round(round(end, 3) - ts, 3), "args": args})  # fmt: skip
