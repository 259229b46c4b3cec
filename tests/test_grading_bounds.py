"""What a kernel sends and leaves is bounded before it costs the grader memory, time or a file."""

import json
import os

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_output

from autograder.checks import codec
from autograder.grading.channel import KEPT_CHARS, KEPT_MESSAGES, Budget, sound
from autograder.grading.examiner.remote import ONE_STRING, RemoteProber
from autograder.grading.needed import MOST_CELL_CHARS, needed
from autograder.grading.reading import Unreadable, read_bytes
from autograder.grading.workplace import Workplace

LONG = ["a" * 25_000, *["b"] * 24_999]
REFUSED = {
    "strings that swell": json.dumps({"a": ["text", [25_000], LONG]}),
    "a tensor without its data": '{"torch": ["float64", [1000000, 1000000], ""]}',
    "a tensor of another shape": '{"torch": ["float64", [7, 7], "AAAA"]}',
    "millions of lists": '{"l": [' + ",".join(['{"l":[]}'] * 800_000) + "]}",
    "an endless integer": '{"i": "0x' + "f" * 5000 + '"}',
    "nesting": "[" * 100_000,
    "no text": 5,
}


@pytest.mark.parametrize("what", REFUSED)
def test_codec_refuses(what):
    with pytest.raises(codec.CodecError):
        codec.loads(REFUSED[what])


def test_an_answer_holds_no_tensor_and_an_input_may():
    import torch

    text = codec.dumps([torch.ones(3)])
    assert codec.loads(text)[0].shape == (3,)
    with pytest.raises(codec.CodecError, match="unknown tag"):
        codec.loads(text, tensors=False)
    assert codec.loads(codec.dumps(torch.zeros((0, 4)))).shape == (0, 4)


@pytest.mark.parametrize("text", ["a'b", 'a"b', "\\'\"", "line\nline", "", "x" * 10**6])
def test_reply_is_read_when_it_is_one_string(text):
    assert ONE_STRING.fullmatch(repr(text))


@pytest.mark.parametrize("text", ["'a' 'b'", "'a'+'b'", "'a", "b'x'", "-" * 3_000_000 + "1", 5])
def test_reply_that_is_anything_else_gives_no_result(text):
    reply = {"user_expressions": {"answer": {"data": {"text/plain": text}}}}
    assert RemoteProber(None, None, 1)._read(reply) == []


def test_workplace_brings_back_ordinary_files_only(tmp_path):
    folder, secret = tmp_path / "autograded", tmp_path / "secret"
    folder.mkdir()
    secret.write_text("hush")
    (folder / "book.ipynb").write_text("theirs")
    (folder / "given.csv").write_text("1")
    with Workplace(str(folder)) as place:
        assert os.listdir(place.path) == ["given.csv"]
        os.symlink(secret, f"{place.path}/book.ipynb")
        os.symlink(secret, f"{place.path}/notes.txt")
        os.mkfifo(f"{place.path}/pipe.txt")
        for name in ("made.txt", "timestamp.txt", "other.ipynb"):
            with open(f"{place.path}/{name}", "w") as out:
                out.write("made")
        os.remove(f"{place.path}/given.csv")
        os.makedirs(f"{place.path}/given.csv/inner")
        os.chmod(f"{place.path}/given.csv", 0)
    assert not os.path.exists(place.path)
    assert sorted(os.listdir(folder)) == ["book.ipynb", "given.csv", "made.txt"]
    assert (folder / "book.ipynb").read_text() == "theirs" and secret.read_text() == "hush"


def test_workplace_is_as_at_first_for_a_new_kernel(tmp_path):
    (tmp_path / "given.csv").write_text("1")
    with Workplace(str(tmp_path)) as place:
        os.remove(f"{place.path}/given.csv")
        os.makedirs(f"{place.path}/folder/inner")
        with open(f"{place.path}/large.bin", "wb") as out:
            out.write(bytes(1000))
        place.renew()
        assert os.listdir(place.path) == ["given.csv"]


def test_budget_counts_text_and_messages():
    lines = Budget()
    lines.add({"name": "stdout", "text": "x" * KEPT_CHARS})
    assert lines.spent
    many = Budget()
    for _ in range(KEPT_MESSAGES):
        many.add({})
    assert not many.spent
    many.add({})
    assert many.spent
    deep = []
    for _ in range(50):
        deep = [deep]
    nested = Budget()
    nested.add({"data": deep})
    assert nested.spent


def test_outputs_that_no_notebook_may_hold_are_unsound():
    good = [
        new_output("stream", text="x"),
        new_output("error", ename="E", evalue="e", traceback=["t"]),
        new_output("display_data", {"text/plain": "x", "application/json": {"a": 1}}),
        new_output("execute_result", {"text/plain": "x"}, execution_count=3),
    ]
    for output in good:
        assert sound(output)
        nbformat.validate(output, ref="output", version=4)
    bad = [
        {"output_type": "stream", "name": ["x"], "text": "x"},
        {"output_type": "stream", "name": "stdout", "text": {"a": 1}},
        {"output_type": "error", "ename": 1, "evalue": "", "traceback": []},
        {"output_type": "error", "ename": "E", "evalue": "", "traceback": [1]},
        {"output_type": "display_data", "data": {"text/plain": 5}, "metadata": {}},
        {"output_type": "display_data", "data": [], "metadata": {}},
        {"output_type": "execute_result", "data": {}, "metadata": {}, "execution_count": "1"},
        {"output_type": "other"},
    ]
    assert not any(sound(nbformat.from_dict(output)) for output in bad)


def test_text_too_long_to_analyse_is_run_and_far_too_long_is_refused():
    plain = [new_code_cell("unused = 1"), new_code_cell("def f(): pass", metadata=solution())]
    assert needed(plain) == {1}
    plain[0].source = "\n".join(f"a{n} = 1" for n in range(MOST_CELL_CHARS))
    assert needed(plain) == {0, 1}
    cells = [new_code_cell("x = 1\n" * 150_000) for _ in range(5)]
    with pytest.raises(Unreadable, match="million characters"):
        read_bytes(nbformat.writes(nbformat.v4.new_notebook(cells=cells)).encode())


def solution() -> dict:
    return {"nbgrader": {"grade_id": "f", "solution": True, "grade": False}}
