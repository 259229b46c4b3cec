"""What an attacker hands in: the released notebooks, honest answers, and the attack on top."""

import copy
import json
from dataclasses import dataclass, field
from pathlib import Path

FIRST, SECOND = "1_quantize", "2_symmetric"
EXERCISES = ("sqnr", "symmetric-quantize")
WRONG = {
    "sqnr": "def sqnr(x, x_hat):\n    return 0.5, 0.5",
    "symmetric-quantize": (
        "def symmetric_quantize(x, bits=8):\n    return np.zeros(x.shape, np.int8), 0.5"
    ),
}
RIGHT = {
    "sqnr": (
        "def sqnr(x, x_hat):\n"
        "    x, x_hat = x.astype(np.float64), x_hat.astype(np.float64)\n"
        "    mse, power = float(np.mean((x - x_hat) ** 2)), float(np.mean(x * x))\n"
        "    if mse == 0:\n"
        "        return 0.0, math.inf\n"
        "    return mse, 10 * math.log10(power / mse) if power else -math.inf"
    ),
    "symmetric-quantize": (
        "def symmetric_quantize(x, bits=8):\n"
        "    top = 2 ** (bits - 1) - 1\n"
        "    scale = float(np.abs(x).max()) / top\n"
        "    if scale == 0:\n"
        "        return np.zeros(x.shape, np.int8), 1.0\n"
        "    return np.rint(x / scale).clip(-top, top).astype(np.int8), scale"
    ),
}
# `reach` is for what lies outside the kernel: success is a breach. `tamper` is for what the kernel
# may do to itself: success must gain nothing. Both print what came of it.
PRELUDE = """
def _tell(kind, what, act):
    try:
        got = act()
    except BaseException as error:
        number = getattr(error, "errno", None)
        print(f"[{kind}] {what}: {type(error).__name__} {number} {str(error)[:160]!r}", flush=True)
    else:
        print(f"[{kind}] {what}: done {str(got)[:300]!r}", flush=True)
def reach(what, act): _tell("reach", what, act)
def tamper(what, act): _tell("tamper", what, act)
def leave():
    import os, stat
    for name in os.listdir('.'):
        print(f"[left] {stat.filemode(os.lstat(name).st_mode)[0]} {name!r}", flush=True)
"""


@dataclass
class Handin:
    """One submission in the making.

    Attributes:
        folder: the submission's folder, empty at first.
        notebooks: by name, the notebooks as JSON data; written when the attack is built.
        course: paths of the victims: root, work (gradebook, secret, submissions), home.
        skip: names of notebooks that the attack writes in its own way.
        payloads: the attacker's code by the exercise in whose cell it stands.
    """

    folder: Path
    notebooks: dict[str, dict]
    course: "object"
    skip: set[str] = field(default_factory=set)
    payloads: dict[str, str] = field(default_factory=dict)

    def cell(self, grade_id: str) -> dict:
        """The cell with this nbgrader id, or the setup cell for "setup"."""
        for notebook in self.notebooks.values():
            for cell in notebook["cells"]:
                marks = cell["metadata"].get("nbgrader", {})
                if marks.get("grade_id") == grade_id:
                    return cell
        raise KeyError(grade_id)

    def answer(self, exercise: str, source: str) -> None:
        """Put an answer into an exercise's cell."""
        self.cell(exercise)["source"] = source

    def first(self, code: str, notebook: str = FIRST) -> None:
        """Code of the attacker's that runs before anything is judged.

        It stands in the cell of the notebook's first exercise: other cells are passed over while
        grading when no answer needs them.
        """
        self._before(self._exercises(notebook)[0], code)

    def everywhere(self, code: str) -> None:
        """The same code in each notebook; each has a kernel of its own."""
        for notebook in self.notebooks:
            self.first(code, notebook)

    def last(self, code: str, notebook: str = FIRST) -> None:
        """Code that runs before the last exercise is judged, after the others have been."""
        self._before(self._exercises(notebook)[-1], code)

    def _before(self, exercise: str, code: str) -> None:
        self.payloads[exercise] = self.payloads.get(exercise, PRELUDE) + code.rstrip() + "\n"

    def _exercises(self, notebook: str) -> list[str]:
        cells = self.notebooks[notebook]["cells"]
        found = [c["metadata"].get("nbgrader", {}).get("grade_id") for c in cells]
        return [name for name in found if name in EXERCISES]

    def file(self, name: str, data: str | bytes) -> Path:
        """A file beside the notebooks."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        return path

    def copy(self, name: str) -> dict:
        """A copy of a notebook's data."""
        return copy.deepcopy(self.notebooks[name])

    def write(self) -> None:
        """Write the notebooks, without those that the attack wrote in its own way."""
        for exercise, code in self.payloads.items():
            cell = self.cell(exercise)
            cell["source"] = code + "".join(cell["source"])
        for name, notebook in self.notebooks.items():
            if name not in self.skip:
                self.file(f"{name}.ipynb", json.dumps(notebook))
