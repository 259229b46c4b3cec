"""The codec: plain data survives the trip exactly; anything else is refused, never run."""

import json

import ml_dtypes
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder.checks.codec import CodecError, dumps, loads
from autograder.checks.plain import same

KEYS = st.one_of(st.text(max_size=5), st.integers(), st.booleans())
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.binary(max_size=20),
    hnp.arrays(
        dtype=st.sampled_from(["bool", "int8", "uint8", "int64", "float16", "float32", "float64"]),
        shape=hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
    ),
)
PLAIN = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(KEYS, inner, max_size=3),
    ),
    max_leaves=8,
)


@settings(max_examples=200, deadline=None)
@given(PLAIN)
def test_plain_data_survives_exactly(value):
    assert same(loads(dumps(value)), value, rtol=0)


@settings(max_examples=300, deadline=None)
@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(-9, 9), st.text(max_size=4)),
        lambda inner: st.one_of(
            st.lists(inner, max_size=4),
            st.dictionaries(st.sampled_from("ifbltdasx") | st.just("torch"), inner, max_size=2),
        ),
        max_leaves=10,
    )
)
def test_other_json_is_refused_or_plain(value):
    try:
        result = loads(json.dumps(value))
    except CodecError:
        return
    dumps(result)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nul",
        "NaN",
        "[" * 100_000,
        '{"i": "0x' + "f" * 10 + 'g"}',
        '{"a": ["object", [1], "AA==", "C"]}',
    ]
    + ['{"a": ["float64", [9], "AA==", "C"]}', '{"torch": ["__class__", [1], "AA=="]}', '{"a": 3}'],
)
def test_malformed_text_is_refused(text):
    with pytest.raises(CodecError):
        loads(text)


def test_no_objects_pass():
    for value in (object(), {1, 2}, lambda: 1, np.array([None]), type("X", (int,), {})(3)):
        with pytest.raises(CodecError):
            dumps(value)


def test_layout_and_writability_survive():
    x = np.arange(6.0).reshape(2, 3).T
    back = loads(dumps(x))
    assert back.flags.f_contiguous and back.flags.writeable and np.array_equal(back, x)


def test_small_types_and_tensors_survive():
    codes = np.array([1, -2], ml_dtypes.int4)
    assert loads(dumps(codes)).dtype == codes.dtype
    for dtype in (torch.bfloat16, torch.float8_e4m3fn, torch.int8, torch.float32):
        tensor = torch.tensor([[1.0, 2.0], [3.0, -4.0]]).to(dtype)
        back = loads(dumps(tensor))
        assert back.dtype == dtype and torch.equal(back.float(), tensor.float())
    assert loads(dumps(torch.zeros(0, 3))).shape == (0, 3)


def test_numpy_scalars_keep_their_type():
    back = loads(dumps(np.float16(0.1)))
    assert type(back) is np.float16 and back == np.float16(0.1)
