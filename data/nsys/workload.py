"""The process that is profiled: steps of a quantized layer, fed by a thread of its own, under NVTX ranges.

Not imported by the course: `python -m data.nsys` runs it under nsys. Needs numpy and nvtx 0.2.11
(later releases of the package are not seen by nsys 2022.4).
"""

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"
import queue
import threading

import numpy as np
import nvtx

ROWS, FEATURES, STEPS = 128, 1024, 24


def load(batches: queue.Queue) -> None:
    """Puts STEPS batches, float32 (ROWS, FEATURES), into the queue; each is drawn when there is room."""
    rng = np.random.default_rng(0)
    for _ in range(STEPS):
        with nvtx.annotate("draw batch"):
            drawn = rng.standard_normal((4 * ROWS, FEATURES))
            batch = drawn.reshape(ROWS, 4, FEATURES).mean(axis=1).astype(np.float32)
        batches.put(batch)


def layer(batch: np.ndarray, codes: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """INT8 codes of the batch by row, times those of the weights; float32 (ROWS, FEATURES)."""
    with nvtx.annotate("quantize"):
        scale = np.abs(batch).max(axis=1, keepdims=True) / np.float32(127)
        quantized = np.clip(np.rint(batch / scale), -127, 127).astype(np.int8)
    with nvtx.annotate("matmul"):
        sums = quantized.astype(np.float32) @ codes  # exact: sums of products stay below 2**24
    with nvtx.annotate("dequantize"):
        return sums * scale * scales


def main() -> None:
    """STEPS steps."""
    rng = np.random.default_rng(1)
    codes = rng.integers(-127, 128, (FEATURES, FEATURES)).astype(np.float32)
    scales = rng.uniform(1e-3, 2e-3, FEATURES).astype(np.float32)
    batches: queue.Queue = queue.Queue(maxsize=1)
    threading.Thread(target=load, args=(batches,), name="loader").start()
    run = nvtx.start_range("run")
    for step in range(STEPS):
        if step == STEPS // 2:
            nvtx.mark("half way")
        with nvtx.annotate("step"):
            with nvtx.annotate("fetch"):
                batch = batches.get()
            layer(batch, codes, scales)
    nvtx.end_range(run)


if __name__ == "__main__":
    main()
