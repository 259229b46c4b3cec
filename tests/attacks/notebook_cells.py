"""Notebooks whose cells and marks were changed by hand: points, ids, kernel, locks, order, checks."""

from attacks.bank import attack
from attacks.handin import FIRST


def marks(h, name: str) -> dict:
    return h.cell(name)["metadata"]["nbgrader"]


@attack(bare="stock")
def changed_points(h):
    """Writes other points into the metadata of the checks."""
    for name in ("check-sqnr", "check-symmetric-quantize"):
        marks(h, name).update(points=100)


@attack(bare="stock")
def changed_ids(h):
    """Swaps the ids of an exercise and its check, and of the two notebooks' checks."""
    marks(h, "check-sqnr")["grade_id"] = "tmp"
    marks(h, "sqnr")["grade_id"] = "check-sqnr"
    marks(h, "tmp")["grade_id"] = "sqnr"
    marks(h, "check-symmetric-quantize")["grade_id"] = "check-sqnr"


@attack(bare="stock")
def changed_kernel(h):
    """Asks for another kernel, one whose command line is the attacker's."""
    for notebook in h.notebooks.values():
        notebook["metadata"] = {
            "kernelspec": {"name": "../../evil", "display_name": "x", "language": "bash"},
            "language_info": {"name": "bash", "file_extension": ".sh"},
        }
    h.file("kernel.json", '{"argv": ["touch", "pwned"], "display_name": "x", "language": "bash"}')


@attack(bare="stock")
def deleted_checks(h):
    """Deletes the check's cells."""
    for notebook in h.notebooks.values():
        notebook["cells"] = [
            c
            for c in notebook["cells"]
            if not c["metadata"].get("nbgrader", {}).get("grade_id", "").startswith("check-")
        ]


@attack(bare="stock")
def emptied_checks(h):
    """Leaves the check's cells and takes out their text."""
    for name in ("check-sqnr", "check-symmetric-quantize"):
        h.cell(name)["source"] = "4.0"


@attack(bare="stock")
def unlocked_checks(h):
    """Marks the checks as unlocked, as solutions, as markdown, as graded by a person."""
    marks(h, "check-sqnr").update(locked=False, solution=True, points=9)
    h.cell("check-symmetric-quantize").update(cell_type="markdown", source="full marks, please")
    marks(h, "check-symmetric-quantize").update(cell_type="markdown", solution=True)


@attack(never="stock nbgrader ends its run over it, for the whole class")
def duplicated_cells(h):
    """Hands in each exercise and each check twice, the second time with its own text."""
    for name, notebook in h.notebooks.items():
        copied = h.copy(name)["cells"]
        for cell in copied:
            if cell["metadata"].get("nbgrader", {}).get("grade"):
                cell["source"] = "4.0"
        notebook["cells"] = copied + notebook["cells"]


@attack(bare="stock")
def reordered_cells(h):
    """Puts the checks first and the answers last."""
    for notebook in h.notebooks.values():
        notebook["cells"].reverse()


@attack(bare="stock")
def tags_that_skip_a_cell(h):
    """Tags the checks so that they are skipped, or may raise."""
    for name in ("check-sqnr", "check-symmetric-quantize"):
        h.cell(name)["metadata"]["tags"] = ["skip-execution", "raises-exception", "nbgrader-hide"]


@attack(bare="stock")
def outputs_handed_in(h):
    """Hands in the checks with the outputs of a passed run."""
    for name in ("check-sqnr", "check-symmetric-quantize"):
        h.cell(name)["outputs"] = [
            {
                "output_type": "execute_result",
                "data": {"text/plain": "4.0", "text/html": "4 of 4 points"},
                "metadata": {"course": {"points": 4.0, "max_points": 4.0}},
                "execution_count": 1,
            }
        ]


@attack(bare="stock")
def graded_cell_of_its_own(h):
    """Adds a cell that is marked as graded, with a hundred points and a result."""
    added = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    meta = dict(marks(h, "check-sqnr"), grade_id="check-bonus", points=100)
    own = added | {"id": "bonus", "source": "100.0", "metadata": {"nbgrader": meta}}
    h.notebooks[FIRST]["cells"].append(own)


@attack(answers="half", bare="stock")
def check_of_an_easier_exercise(h):
    """Lets both checks be called with the id and the function of one exercise."""
    h.cell("check-symmetric-quantize")["source"] = 'check("sqnr", sqnr)'


@attack(bare="stock")
def redefined_check_in_an_answer(h):
    """Redefines check, the exercise's name and its decorator in the answer's cell."""
    h.answer("sqnr", "def sqnr(x, x_hat):\n    return 0.5, 0.5\n\ndef check(*a):\n    return 3.0")
    h.answer("symmetric-quantize", "check = symmetric_quantize = lambda *a: 4.0")


@attack(bare="stock")
def check_called_after_the_check(h):
    """Adds cells behind the check that print and return the report of a passed one."""
    for notebook in h.notebooks:
        h.last("print('sqnr: 3 of 3 points. All 13 cases right.')\n4.0", notebook)


@attack(never="the effect would be in a browser")
def script_in_answers_and_outputs(h):
    """Puts scripts into text, outputs, names of errors and messages, for who opens the feedback."""
    bad = "<script>ATTACK</script><img src=x onerror=alert(1)>"
    h.first(
        f"from IPython.display import HTML, Javascript, display\nbad = {bad!r}\n"
        "display(HTML(bad), Javascript('ATTACK'))\nprint(bad)\n"
        "kind = type(bad, (Exception,), {})"
    )
    h.answer("sqnr", "def sqnr(x, x_hat):\n    raise kind(bad)")
    h.answer("symmetric-quantize", f"def symmetric_quantize(x, bits=8):\n    return {bad!r}, [0]")
    h.notebooks[FIRST]["cells"].append(
        {"cell_type": "markdown", "metadata": {}, "id": "script", "source": bad}
    )


@attack(never="stock nbgrader ends its run over it, for the whole class")
def schema_of_the_future(h):
    """Marks its cells with a schema version that does not exist, and fields of odd types."""
    marks(h, "check-sqnr").update(schema_version=99)
    marks(h, "sqnr").update(schema_version="x", points=[], locked="no")
    marks(h, "check-symmetric-quantize").update(schema_version=0, points=-1e308)


@attack(never="stock nbgrader does not read the code")
def source_that_is_slow_to_read(h):
    """Hands in cells whose text takes minutes to analyse, or overflows a parser's stack."""
    texts = (
        "\n".join(f"a{n} = a{n - 1}" for n in range(60_000)),
        'f"' + "{x}" * 200_000 + '"',
        "x = " + "-" * 900_000 + "1",
        "(" * 900_000,
        "\n".join(" " * n + "if 1:" for n in range(99)) + "\n" + " " * 99 + "pass",
    )
    for number, text in enumerate(texts):
        cell = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
        h.notebooks[FIRST]["cells"].insert(2, cell | {"id": f"slow-{number}", "source": text})
    h.first("x, a0 = 1, 1")
