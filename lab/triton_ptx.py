"""What a Triton kernel becomes on a GPU: compiled to PTX without one."""

import json
import os
import re
import subprocess
import sys
import tempfile
import textwrap
from collections import Counter
from dataclasses import dataclass
from inspect import getsource
from pathlib import Path
from typing import Any

from lab.errors import CourseError

# Warnings of Triton's own, and the reader's caches, have no place in a lesson.
ENVIRONMENT = {"TRITON_INTERPRET": "0", "TRITON_DEFAULT_FP_FUSION": "1"}
LIMIT_S = 120
INSTRUCTION = re.compile(r"^\s*(?:@!?%p\d+ )?([a-z][\w.:]*)", re.M)
MEMORY_OR_MATRIX = ("ld.global", "st.global", "cp.async.c", "mma.", "wgmma.mma", "dp4a", "atom.")
COMPILE = """
if __name__ == "__main__":
    import json, sys
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource
    asked = json.loads(sys.argv[1])
    kernel = globals()[asked["name"]]
    names = [*kernel.arg_names]
    signature = {n: "constexpr" if n in asked["constants"] else asked["types"][n] for n in names}
    attrs = {(i,): [["tt.divisibility", 16]] for i, n in enumerate(names) if n in asked["aligned"]}
    source = ASTSource(fn=kernel, signature=signature, constexprs=asked["constants"], attrs=attrs)
    made = triton.compile(source, target=GPUTarget("cuda", asked["capability"], 32))
    out = {"ptx": made.asm["ptx"], "shared_bytes": made.metadata.shared}
    print(json.dumps(out))
"""


@dataclass(frozen=True)
class Compiled:
    """A kernel for one GPU architecture.

    Attributes:
        ptx: the assembly text of one thread.
        shared_bytes: shared memory of a program.
        instructions: how often each memory or matrix instruction stands in the text.
    """

    ptx: str
    shared_bytes: int
    instructions: dict[str, int]


def compile_kernel(
    kernel: Any,
    types: dict[str, str],
    constants: dict[str, int],
    aligned: tuple[str, ...] = (),
    capability: int = 90,
) -> Compiled:
    """Compile a kernel for a GPU that need not be there.

    Args:
        kernel: what `@triton.jit` gave; it may call `round_even`, `tl` and nothing else by name.
        types: argument: Triton's type, such as "*i8" (a pointer), "*fp32", "i32".
        constants: constexpr argument: value.
        aligned: arguments that are multiples of 16 (addresses in bytes): on a GPU, Triton finds this out
            at each launch.
        capability: 80 for A100, 90 for H100 and H200.

    Raises:
        CourseError: the compiler refuses the kernel; its last line is in the message.
    """
    source = textwrap.dedent(getsource(kernel.fn))
    head = "import triton\nimport triton.language as tl\nfrom lab.triton_math import round_even\n\n"
    asked = {
        "name": kernel.fn.__name__,
        "types": types,
        "constants": constants,
        "aligned": list(aligned),
        "capability": capability,
    }
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "kernel_source.py")
        path.write_text(head + source + COMPILE, encoding="utf-8")
        env = {**os.environ, **ENVIRONMENT, "TRITON_CACHE_DIR": str(Path(folder, "cache"))}
        env["PYTHONPATH"] = os.pathsep.join(p for p in sys.path if p)
        done = subprocess.run(
            [sys.executable, "-W", "ignore", str(path), json.dumps(asked)],
            capture_output=True,
            text=True,
            env=env,
            timeout=LIMIT_S,
        )
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        why = lines[-1].strip() if lines else f"the compiler ended with {done.returncode}"
        raise CourseError(f"{kernel.fn.__name__} does not compile for sm_{capability}: {why}")
    made = json.loads(done.stdout.splitlines()[-1])
    found = Counter(INSTRUCTION.findall(made["ptx"]))
    kept = {k: n for k, n in sorted(found.items()) if k.startswith(MEMORY_OR_MATRIX)}
    return Compiled(made["ptx"], made["shared_bytes"], kept)
