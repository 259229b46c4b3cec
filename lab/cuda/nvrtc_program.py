"""Compiles kernel.cu with NVRTC, in a process of its own: request.json in, result.json out.

A file of its own without the course's imports: it also runs where the course is not to be read.
"""

import json
import subprocess
import sys
from pathlib import Path


def main() -> None:
    """Compile for each architecture until one refuses."""
    request = json.loads(Path("request.json").read_text())
    code = Path("kernel.cu").read_bytes()
    result = {"log": "", "arch": "", "usage": {}, "names": {}}
    for arch in request["archs"]:
        cubin, log, names = compile_for(code, arch, request)
        if cubin is None:
            result |= {"log": log, "arch": arch}
            break
        result["names"] = names
        if request["tool"]:
            Path("kernel.cubin").write_bytes(cubin)
            command = [request["tool"], "--dump-resource-usage", "kernel.cubin"]
            done = subprocess.run(command, capture_output=True, text=True, timeout=60)
            result["usage"][arch] = done.stdout
    Path("result.json").write_text(json.dumps(result))


def compile_for(code: bytes, arch: str, request: dict) -> tuple[bytes | None, str, dict[str, str]]:
    """The cubin (None when refused), the log, and mangled names by name expression."""
    from cuda.bindings import nvrtc

    def call(name: str, *arguments):
        error, *rest = getattr(nvrtc, name)(*arguments)
        if error:
            raise RuntimeError(f"{name}: {error}")
        return rest[0] if rest else None

    def text(what: str) -> bytes:
        size = call(f"nvrtcGet{what}Size", program)
        data = b" " * size
        call(f"nvrtcGet{what}", program, data)
        return data

    program = call("nvrtcCreateProgram", code, b"kernel.cu", 0, [], [])
    for name in request["names"]:
        call("nvrtcAddNameExpression", program, name.encode())
    options = [f"--gpu-architecture={arch}", "--std=c++17", *request["options"]]
    (error,) = nvrtc.nvrtcCompileProgram(program, len(options), [o.encode() for o in options])
    log = text("ProgramLog").rstrip(b"\0").decode(errors="replace").strip()
    if error:
        return None, log, {}
    names = {n: call("nvrtcGetLoweredName", program, n.encode()).decode() for n in request["names"]}
    return text("CUBIN"), log, names


if __name__ == "__main__":
    sys.exit(main())
