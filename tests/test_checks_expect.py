"""Comparisons: each accepts what is right and refuses each near miss with a usable sentence."""

import numpy as np
import pytest
import torch

from autograder.checks import Wrong, expect
from autograder.checks.plain import NotPlain, same, to_plain


def finding(function, *args, **kwargs):
    with pytest.raises(Wrong) as caught:
        function(*args, **kwargs)
    return caught.value.finding


def test_number_accepts_python_and_numpy_scalars():
    for value in (0.1, np.float32(0.1).item(), np.array(0.1)):
        expect.number(value, 0.1, "scale")


@pytest.mark.parametrize(
    "value", [0.1001, float("nan"), float("inf"), True, "0.1", None, np.array([0.1])]
)
def test_number_refuses(value):
    assert "scale" in finding(expect.number, value, 0.1, "scale").message


def test_number_nan_and_inf_by_identity():
    expect.number(float("inf"), float("inf"), "sqnr")
    expect.number(float("nan"), float("nan"), "sqnr")
    finding(expect.number, float("-inf"), float("inf"), "sqnr")
    finding(expect.number, 1e308, float("inf"), "sqnr")


def test_integer_refuses_floats_and_bools():
    expect.integer(3, 3, "zero_point")
    for value in (3.0, True, 4):
        finding(expect.integer, value, 3, "zero_point")


def test_codes_tell_count_place_and_both_values():
    want = np.arange(6).reshape(2, 3)
    got = want.copy()
    got[1, 0] = 9
    found = finding(expect.codes, got, want, "codes")
    assert found.yours == "9" and found.right == "3"
    assert found.where == "1 of 6 wrong, first at index (1, 0)"


def test_close_tells_error_in_steps():
    found = finding(expect.close, np.array([0.0, 1.5]), np.array([0.0, 1.0]), "y", step=0.25)
    assert "off by 2 steps" in found.where
    expect.close(np.float32([1 / 3]), np.array([1 / 3]), "y")
    finding(expect.close, np.array([1 + 1e-9]), np.array([1.0]), "y")
    expect.close(np.array([np.inf, np.nan]), np.array([np.inf, np.nan]), "y")
    for value in (1e9, -np.inf, np.nan):
        finding(expect.close, np.array([value]), np.array([np.inf]), "y")


def test_close_broadcasts_steps_by_row():
    step = np.array([[1.0], [2.0]])
    found = finding(expect.close, np.array([[0.0], [4.0]]), np.zeros((2, 1)), "y", step=step)
    assert "off by 2 steps" in found.where


def test_array_type_shape_dtype_in_this_order():
    assert finding(expect.array, [1], "codes", shape=(1,)).stage == "type"
    assert (
        finding(expect.array, np.zeros((1, 2)), "codes", shape=(2,), dtype=np.int8).stage == "shape"
    )
    assert finding(expect.array, np.zeros(2), "codes", shape=(2,), dtype=np.int8).stage == "dtype"


def test_none_asks_about_return():
    assert "return" in finding(expect.array, None, "codes").yours


def test_tensor_plain_form():
    plain = to_plain(torch.tensor([1.0, 2.0], dtype=torch.bfloat16))
    assert expect.tensor(plain, "y", shape=(2,), dtype="torch.bfloat16").tolist() == [1.0, 2.0]
    assert finding(expect.tensor, plain, "y", dtype="torch.float16").stage == "dtype"


def test_mapping_tells_what_lacks_and_what_is_too_much():
    expect.mapping({"a": 1, "b": 2}, ("a",))
    expect.mapping({"a": 1}, ("a",), only=True)
    assert "'b'" in finding(expect.mapping, {"a": 1}, ("a", "b")).message
    assert "'b'" in finding(expect.mapping, {"a": 1, "b": 2}, ("a",), only=True).message
    finding(expect.mapping, [1], ("a",), only=True)


def test_plain_copies_and_bounds():
    class Sub(np.ndarray):
        def __eq__(self, other):
            return np.ones(self.shape, bool)

    tricky = np.zeros(3).view(Sub)
    assert type(to_plain(tricky)) is np.ndarray
    for bad in (object(), lambda: 1, {1, 2}, np.array([None]), {(1, 2): 3}):
        with pytest.raises(NotPlain):
            to_plain(bad)
    deep = []
    for _ in range(20):
        deep = [deep]
    with pytest.raises(NotPlain, match="deep"):
        to_plain(deep)


def test_same_is_strict_about_type_shape_and_codes():
    assert same({"a": np.int8([1])}, {"a": np.int8([1])})
    assert not same(np.int8([1]), np.int16([1]))
    assert not same(1, 1.0) and not same([1], (1,))
    assert same(float("nan"), float("nan"))


def test_texts_of_a_finding_are_short_whatever_the_answer_holds():
    found = finding(expect.that, False, "m" * 10**6, yours="x" * 10**6, where="w" * 10**6)
    assert found.yours.startswith("xxx") and "1,000,000 characters" in found.yours
    assert all(len(text) < 1100 for text in (found.message, found.yours, found.where))
    assert finding(expect.that, False, "short", yours="y" * 900).yours == "y" * 900
