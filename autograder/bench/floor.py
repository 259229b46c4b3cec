"""The floor: the cells and checks of a class, one submission after another, in one warm process.

`python -m autograder.bench.floor COURSE NOTEBOOK` prints JSON: wall and CPU seconds for all
submissions after the imports, and the memory at the end. Nothing here is safe or kept: it is what
the learners' and the judges' own work costs.
"""

import gc
import importlib
import json
import sys
import time
from pathlib import Path

import nbformat
import psutil

from autograder.bench.classes import MODULE
from autograder.checks.api import evaluate
from autograder.grading.examiner.examine import check_call
from autograder.grading.needed import needed
from autograder.grading.warm.kernel import PRELOAD


def main(root: Path, name: str) -> int:
    """Run every submission; 1 if an answer is not accepted."""
    for module in PRELOAD:
        importlib.import_module(module)
    import torch
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.utils.capture import capture_output

    torch.set_num_threads(1)
    shell = InteractiveShell.instance()
    gc.collect()
    gc.freeze()  # or each shell.reset() looks through the libraries' objects again
    paths = sorted(root.glob(f"autograder/work/submitted/*/{MODULE}/{name}.ipynb"))
    start, cpu = time.perf_counter(), time.process_time()
    wrong = []
    for path in paths:
        shell.reset()
        cells = nbformat.read(path, as_version=4).cells
        for index in sorted(needed(cells)):
            cell = cells[index]
            call = check_call(cell)
            with capture_output():
                if call:
                    report = evaluate(call.exercise, shell.user_ns[call.name])
                    wrong += [] if report.passed else [f"{path.parts[-3]}: {report.headline()}"]
                else:
                    shell.run_cell(cell.source)
    used = {
        "wall_s": time.perf_counter() - start,
        "cpu_s": time.process_time() - cpu,
        "peak_mb": psutil.Process().memory_info().rss / 2**20,
        "submissions": len(paths),
    }
    print(json.dumps(used))
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong or not paths else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2]))
