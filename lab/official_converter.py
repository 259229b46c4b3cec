"""llama.cpp's own `convert_hf_to_gguf.py`, from the source that `make llamacpp` unpacked.

It recognizes a tokenizer by a hash of what it does to one text, and refuses tokenizers that are on no
list, such as the course's own. So it is wrapped: the name of the pre-tokenizer can be given.
"""

import os
import subprocess
import sys
from pathlib import Path

from lab.errors import CourseError
from lab.llamacpp_build import source_dir

WRAPPER = """
import sys
source, pre = sys.argv[1:3]
sys.argv = ["convert_hf_to_gguf.py", *sys.argv[3:]]
sys.path[:0] = [source, source + "/gguf-py"]
import convert_hf_to_gguf
from conversion.base import TextModel
if pre:
    TextModel.get_vocab_base_pre = lambda self, tokenizer: pre
convert_hf_to_gguf.main()
"""


def convert_officially(
    folder: Path | str, out: Path | str, dtype: str = "float16", pre: str = ""
) -> Path:
    """Run llama.cpp's converter on a Hugging Face folder; a few seconds.

    Args:
        dtype: "float16" or "float32".
        pre: the name of the pre-tokenizer, instead of the converter's own look.

    Raises:
        CourseError: no source here, another dtype, or the converter fails.
    """
    source = source_dir()
    if source is None:
        raise CourseError("llama.cpp's converter is not here: `make llamacpp` unpacks it.")
    if dtype not in ("float16", "float32"):
        raise CourseError(f"A file is written in float16 or float32, not in {dtype}.")
    words = [sys.executable, "-c", WRAPPER, source, pre, Path(folder).resolve(), "--outfile",
             Path(out).resolve(), "--outtype", dtype.replace("loat", "")]  # fmt: skip
    done = subprocess.run(
        [str(word) for word in words], capture_output=True, text=True, errors="replace",
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
    )  # fmt: skip
    if done.returncode:
        last = (done.stderr.strip() or "no message").splitlines()[-1]
        raise CourseError(f"convert_hf_to_gguf.py refuses {Path(folder).name}: {last}")
    return Path(out)
