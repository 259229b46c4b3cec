"""bitsandbytes' 4-bit layers on a CPU, kept to the arithmetic that they are asked for."""


def same_arithmetic_on_every_cpu() -> None:
    """Let 4-bit layers that are made from now on compute in their `compute_dtype` on any CPU.

    On processors with AVX512-BF16, bitsandbytes 0.50 repacks a layer's codes at its first inference
    and computes in bfloat16 from then on. Such a layer passes no gradient to its input, not even when
    the model is trained afterwards, and `dequantize_4bit` misreads its codes. Layers that are never
    repacked are the same everywhere: measured, then trained, then restored. GPUs are not concerned.
    """
    from bitsandbytes.nn import modules

    modules.has_avx512bf16 = lambda: False
