"""Answers to accelerators."""

from autograder.checks.bank import right, wrong

FIVE = {
    "NVIDIA V100": {"fp16"},
    "NVIDIA H100": {"fp16", "bf16", "fp8", "int8"},
    "AMD MI300X": {"fp16", "bf16", "fp8", "int8"},
    "Google TPU v5e": {"bf16", "int8"},
    "Intel Xeon Sapphire Rapids": {"bf16", "int8"},
}


@right("five of four makers")
def five():
    return dict(FIVE)


@right("other names, lists, other spellings")
def spellings():
    return {
        "t4": ["FP16", "INT8", "INT4"],
        "b-200": ("float16", "bfloat16", "E4M3", "E5M2", "FP6", "NVFP4", "int8", "TF32", "fp64"),
        "tpu v1": ["i8"],
        "Trainium 3": ["half", "BF16", "MXFP8", "MXFP4"],
        "Qualcomm Cloud AI 100": {"int8", "fp16"},
    }


@right("the rest of the list")
def others():
    return {
        "A100": {"fp16", "bf16", "int8", "int4"},
        "Instinct MI355X": {"fp16", "bf16", "fp8", "fp6", "fp4", "int8"},
        "AWS Inferentia": {"fp16", "bf16", "int8"},
        "Granite Rapids": {"fp16", "bf16", "int8"},
        "Edge TPU": {"int8"},
    }


def _with(**changes):
    names = {
        "v100": "NVIDIA V100",
        "h100": "NVIDIA H100",
        "mi": "AMD MI300X",
        "tpu": "Google TPU v5e",
    }
    names["xeon"] = "Intel Xeon Sapphire Rapids"
    return {**FIVE, **{names[key]: types for key, types in changes.items()}}


@wrong("dp4a-counted", "V100 has INT8 dot products on its CUDA cores, not in the tensor cores.")
def dp4a():
    return _with(v100={"fp16", "int8"})


@wrong("everything-since-volta", "You gave V100 BF16 as well: tensor cores have it since A100.")
def v100_bf16():
    return _with(v100={"fp16", "bf16"})


@wrong("int4-inherited", "You let H100 inherit INT4 from A100: its tensor cores dropped it.")
def int4_inherited():
    return _with(h100={"fp16", "bf16", "fp8", "int8", "int4"})


@wrong(
    "fp4-too-early",
    "You gave H100 FP4: storing weights in FP4 is not computing in it; tensor cores do so since Blackwell.",
)
def fp4_early():
    return _with(h100={"fp16", "bf16", "fp8", "int8", "fp4"})


@wrong(
    "newest-type-only",
    "You named only what is new in H100: its tensor cores still take FP16, BF16 and INT8.",
)
def newest_only():
    return _with(h100={"fp8"})


@wrong("fp8-forgotten", "You left FP8 out of MI300X: CDNA 3 brought it.")
def fp8_forgotten():
    return _with(mi={"fp16", "bf16", "int8"})


@wrong("tpu-with-fp16", "You gave the TPU FP16: its matrix units take BF16.")
def tpu_fp16():
    return _with(tpu={"fp16", "int8"})


@wrong(
    "vector-unit-counted",
    "You counted FP16 of Sapphire Rapids: that is AVX-512, its AMX tiles take BF16 and INT8.",
)
def vector_unit():
    return _with(xeon={"fp16", "bf16", "int8"})


@wrong("four-named", "You named four accelerators: the exercise asks for five.")
def four():
    return dict(list(FIVE.items())[:4])


@wrong("one-maker", "All five are NVIDIA's: take two makers or more.")
def one_maker():
    return {
        "V100": {"fp16"},
        "T4": {"fp16", "int8", "int4"},
        "A100": {"fp16", "bf16", "int8", "int4"},
        "H100": {"fp16", "bf16", "fp8", "int8"},
        "B200": {"fp16", "bf16", "fp8", "fp6", "fp4", "int8"},
    }


@wrong("one-twice", "V100 is there twice, under two names.")
def twice():
    return {**{k: v for k, v in FIVE.items() if "TPU" not in k}, "Tesla V100": {"fp16"}}


@wrong(
    "all-types-everywhere",
    "You gave every accelerator all seven types: none of these has them all.",
)
def all_types():
    return {name: {"fp16", "bf16", "fp8", "fp6", "fp4", "int8", "int4"} for name in FIVE}


@wrong("names-only", "You listed the names without their types: return a dict from name to a set.")
def names_only():
    return list(FIVE)
