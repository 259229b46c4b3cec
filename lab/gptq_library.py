"""One layer through GPTQModel's own solver, to hold a GPTQ written by hand against the library."""

from collections.abc import Sequence

import numpy as np

from lab.errors import CourseError

VERSION = "7.6.0"


def library_gptq(
    weight: np.ndarray,
    inputs: Sequence[np.ndarray],
    bits: int = 4,
    group_size: int = 128,
    percdamp: float = 0.01,
    desc_act: bool = False,
) -> np.ndarray:
    """The weight after GPTQModel's GPTQ, dequantized, (out, in) float64.

    The settings are those of the lesson: min-max grids with a zero-point, groups cut in the order of
    solving, columns in the natural order unless desc_act. The library computes in float32.

    Args:
        weight: (out, in) floats.
        inputs: calibration inputs, each (tokens, in).
        bits, group_size, percdamp, desc_act: as in GPTQModel's `QuantizeConfig` (damp_percent).

    Raises:
        CourseError: gptqmodel is not installed, or cannot be imported.
    """
    try:
        from gptqmodel.quantization.config import QuantizeConfig
        from gptqmodel.quantization.gptq import GPTQ
    except ImportError as error:
        raise CourseError(
            f"GPTQModel cannot be imported ({error}): `pip install gptqmodel=={VERSION}`, "
            "or leave this comparison out."
        ) from error
    import torch

    rows, columns = weight.shape
    linear = torch.nn.Linear(columns, rows, bias=False)
    linear.weight.data = torch.from_numpy(np.ascontiguousarray(weight, np.float32))
    settings = QuantizeConfig(
        bits=bits,
        group_size=group_size,
        damp_percent=percdamp,
        desc_act=desc_act,
        sym=False,
        act_group_aware=False,
    )
    solver = GPTQ(linear, settings)
    solver.quantizer.configure(perchannel=True)
    for batch in inputs:
        solver.add_batch(torch.from_numpy(np.ascontiguousarray(batch, np.float32)), None)
    # Its grids are made from weights that are brought up to date at the end of a block only: with
    # blocks as long as a group they are those of the paper.
    quantized = solver.quantize(blocksize=group_size)[0]
    return quantized.double().numpy()
