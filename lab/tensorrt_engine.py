"""Build and time a TensorRT engine where TensorRT is: by the trtexec binary, else by the Python package."""

import datetime
import shlex
import shutil
import subprocess
from pathlib import Path

import numpy as np

from lab.errors import CourseError
from lab.optional import require

USUAL = ("/usr/src/tensorrt/bin/trtexec", "/opt/tensorrt/bin/trtexec")
ABSENT = (
    "TensorRT is not here: neither the trtexec binary nor the Python package. "
    "The plan above is complete; build it on a machine with an NVIDIA GPU and TensorRT."
)


def find_trtexec() -> str | None:
    """The path of trtexec: on PATH, else where NVIDIA's packages and containers put it."""
    return shutil.which("trtexec") or next((p for p in USUAL if Path(p).is_file()), None)


def build_and_time(command: str, folder: Path, timeout_s: float = 900) -> str:
    """Run a trtexec command in `folder` and return its log, of a real run.

    Without the binary, the Python package builds the same model for the command's first profile and times
    one query after another: the text then has trtexec's lines for latency and GPU compute, and no throughput.

    Raises:
        CourseError: no TensorRT at all, no GPU, the build failed (with its last lines) or took longer than
            timeout_s seconds.
    """
    words = shlex.split(command)
    binary = find_trtexec()
    if binary is None:
        return _with_python(words, Path(folder))
    try:
        run = subprocess.run(
            [binary, *words[1:]], cwd=folder, capture_output=True, text=True, timeout=timeout_s
        )
    except subprocess.TimeoutExpired:
        raise CourseError(
            f"trtexec ran longer than {timeout_s:.0f} s: give it more time, or a smaller model."
        ) from None
    log = run.stdout + run.stderr
    if run.returncode:
        last = "\n".join(log.splitlines()[-5:])
        raise CourseError(f"trtexec failed (exit status {run.returncode}). Its last lines:\n{last}")
    return log


def _with_python(words: list[str], folder: Path) -> str:
    try:
        trt = require("tensorrt", "building an engine", "pip install tensorrt-cu12")
    except CourseError as error:
        raise CourseError(ABSENT) from error
    import torch

    if not torch.cuda.is_available():
        raise CourseError(
            "The tensorrt package is here, but no CUDA GPU: engines are built on the GPU."
        )
    # Read backwards, so that the first profile's shape flags win.
    flags = dict(word.split("=", 1) for word in reversed(words[1:]) if "=" in word)
    shapes = {key: _shapes(flags.get(f"--{key}Shapes", "")) for key in ("min", "opt", "max")}
    logger = trt.Logger(trt.Logger.WARNING)
    builder = trt.Builder(logger)
    network = builder.create_network(0)
    parser = trt.OnnxParser(network, logger)
    if not parser.parse((folder / flags["--onnx"]).read_bytes()):
        raise CourseError(f"TensorRT cannot parse the model: {parser.get_error(0)}.")
    config = builder.create_builder_config()
    if shapes["opt"]:
        profile = builder.create_optimization_profile()
        for name in shapes["opt"]:
            profile.set_shape(name, *(shapes[key][name] for key in ("min", "opt", "max")))
        config.add_optimization_profile(profile)
    plan = builder.build_serialized_network(network, config)
    if plan is None:
        raise CourseError("TensorRT built no engine: read the errors that it printed above.")
    (folder / flags["--saveEngine"]).write_bytes(plan)
    runtime = trt.Runtime(logger)
    engine = runtime.deserialize_cuda_engine(plan)
    return _time(trt, torch, engine, shapes["opt"])


def _shapes(text: str) -> dict[str, tuple[int, ...]]:
    pairs = (part.rpartition(":") for part in text.split(",") if part)
    return {name: tuple(int(d) for d in dims.split("x")) for name, _, dims in pairs}


def _time(trt, torch, engine, shapes, warmups: int = 20, queries: int = 200) -> str:
    """Kernel times by CUDA events, host clock around each query's copies and kernels; a summary."""
    context, stream = engine.create_execution_context(), torch.cuda.Stream()
    host, device = {}, {}
    names = [engine.get_tensor_name(i) for i in range(engine.num_io_tensors)]
    inputs = [n for n in names if engine.get_tensor_mode(n) == trt.TensorIOMode.INPUT]
    for name in inputs:
        context.set_input_shape(name, shapes.get(name, tuple(engine.get_tensor_shape(name))))
    for name in names:
        dtype = torch.from_numpy(np.empty(0, trt.nptype(engine.get_tensor_dtype(name)))).dtype
        host[name] = torch.zeros(tuple(context.get_tensor_shape(name)), dtype=dtype).pin_memory()
        device[name] = host[name].cuda()
        context.set_tensor_address(name, device[name].data_ptr())
    marks = [torch.cuda.Event(enable_timing=True) for _ in range(4)]
    rows = []
    with torch.cuda.stream(stream):
        for _ in range(warmups + queries):
            marks[0].record()
            for name in inputs:
                device[name].copy_(host[name], non_blocking=True)
            marks[1].record()
            context.execute_async_v3(stream.cuda_stream)
            marks[2].record()
            for name in (n for n in names if n not in inputs):
                host[name].copy_(device[name], non_blocking=True)
            marks[3].record()
            stream.synchronize()
            rows.append([a.elapsed_time(b) for a, b in zip(marks, marks[1:], strict=False)])
    times = np.array(rows[warmups:])
    versions = f"{torch.cuda.get_device_name()}, TensorRT {trt.__version__}"
    texts = [
        f"Timed by CUDA events on {versions}",
        f"Timing trace has {queries} queries, one after another",
    ]
    for title, values in (("Latency", times.sum(1)), ("GPU Compute Time", times[:, 1])):
        texts.append(
            f"{title}: min = {values.min():.6g} ms, max = {values.max():.6g} ms, "
            f"mean = {values.mean():.6g} ms, median = {np.median(values):.6g} ms"
        )
    stamp = f"[{datetime.datetime.now():%m/%d/%Y-%H:%M:%S}]"
    return "\n".join(
        [*(f"{stamp} [I] {text}" for text in texts), "&&&& PASSED Python package tensorrt"]
    )
