"""stored-bytes: packed codes, both levels of scales, and what stayed float, of a loaded model."""

from autograder.checks import case, expect

PARTS = {"4-bit layers": 0.6, "tied and float": 0.4}
HINTS = (
    "A 4-bit weight is a parameter of uint8 with a quant_state; its nbytes are the codes.",
    "quant_state.absmax is the first level; if quant_state.nested, state2.absmax and offset are the second.",
    "model.parameters() lists a shared parameter once; nbytes of everything that is not 4-bit is 'float'.",
)
KEYS = ("codes", "scales", "float", "total")


def cases(rng):
    for label, part, nested, layers, tables in (
        ("one layer", "4-bit layers", True, [(64, 64)], []),
        ("one level of scales", "4-bit layers", False, [(64, 128), (32, 64)], []),
        ("three layers, more than 256 scales", "4-bit layers", True, [(256, 128), (64, 64), (300, 96)], []),
        ("an embedding in float32 and one in float16", "tied and float", True, [(64, 64)],
         [(96, 64, "float32", False), (50, 32, "float16", False)]),
        ("an output layer that shares the embedding", "tied and float", True, [(64, 64)],
         [(96, 64, "float32", True)]),
        ("no 4-bit layer", "tied and float", True, [], [(10, 4, "bfloat16", False)]),
    ):  # fmt: skip
        yield case(
            label, part, nested=nested, layers=layers, tables=tables, seed=int(rng.integers(99))
        )


def probe(solution, nested, layers, tables, seed):
    import bitsandbytes
    import torch

    torch.manual_seed(seed)
    model = torch.nn.Module()
    model.blocks = torch.nn.ModuleList()
    for rows, columns in layers:
        layer = bitsandbytes.nn.Linear4bit(
            columns, rows, bias=False, quant_type="nf4", compress_statistics=nested
        )
        # A 4-bit parameter is quantized when it is moved to a device.
        model.blocks.append(layer.to("cpu"))
    model.tables = torch.nn.ModuleList()
    for rows, columns, dtype, tied in tables:
        table = torch.nn.Embedding(rows, columns, dtype=getattr(torch, dtype))
        model.tables.append(table)
        if tied:
            head = torch.nn.Linear(columns, rows, bias=False)
            head.weight = table.weight
            model.tables.append(head)
    for layer in model.blocks:
        if layer.weight.dtype != torch.uint8:
            raise RuntimeError("bitsandbytes did not quantize the layer")
    model.register_buffer("table_of_angles", torch.zeros(7))
    return solution(model)


def judge(case, answer):
    got = expect.mapping(answer, KEYS)
    codes = scales = 0
    for rows, columns in case.layers:
        n = rows * columns
        codes += -(-n // 2)
        blocks = -(-n // 64)
        scales += blocks + 4 * -(-blocks // 256) + 4 if case.nested else 4 * blocks
    size = {"float32": 4, "float16": 2, "bfloat16": 2}
    floats = sum(rows * columns * size[dtype] for rows, columns, dtype, _ in case.tables)
    right = {"codes": codes, "scales": scales, "float": floats, "total": codes + scales + floats}
    for key, hint in zip(KEYS, (*HINTS, ""), strict=True):
        expect.integer(got[key], right[key], key, hint=hint)
