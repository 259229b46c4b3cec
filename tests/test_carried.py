"""Made-up submissions bring the oracles that their answers build on."""

import subprocess
import sys

from autograder.grading.sample_class import from_bank

HIDE = """
import sys
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.startswith("autograder.checks.oracles"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Hidden())
"""


def _run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


def test_an_answer_on_an_oracle_stands_alone():
    """gguf-reader's bank uses the reference reader, which uses the builder's tables."""
    cell = from_bank("gguf-reader", "hardened, with a word more", 'check("gguf-reader", read_gguf)')
    header = "b'GGUF' + (3).to_bytes(4, 'little') + bytes(16)"
    shown = _run(f"{HIDE}\n{cell}\nprint(read_gguf({header})['version'])")
    assert shown == "3"


def test_an_answer_without_oracles_carries_none():
    exercise = "q8-0-quantize"
    cell = from_bank(exercise, _first_right(exercise), f'check("{exercise}", quantize)')
    assert "_carry" not in cell and "quantize =" in cell


def _first_right(exercise: str) -> str:
    from autograder.checks import bank, registry

    return next(a.name for a in bank.answers(registry.load_bank(exercise)) if a.right)
