"""Sentences of trtexec and TensorRT that the generated logs use (sampleReporting.cpp, published logs)."""

_IDLE = "rather than GPU Compute and the GPU may be under-utilized."
_TRANSFERS = "Add --noDataTransfers flag to disable data transfers."

# What a warning says (behind "* "), and its advice on the next line.
WARNINGS = {
    "enqueue": (
        f"Throughput may be bound by Enqueue Time {_IDLE}",
        "If not already in use, --useCudaGraph (utilize CUDA graphs where possible) may increase "
        "the throughput.",
    ),
    "h2d": (
        f"Throughput may be bound by host-to-device transfers for the inputs {_IDLE}",
        _TRANSFERS,
    ),
    "d2h": (
        f"Throughput may be bound by device-to-host transfers for the outputs {_IDLE}",
        _TRANSFERS,
    ),
    "unstable": (
        "GPU compute time is unstable, with coefficient of variance = {cv:.6g}%.",
        "If not already in use, locking GPU clock frequency or adding --useSpinWait may improve "
        "the stability.",
    ),
}
_NO_ENGINE = (
    "Engine could not be created from network",
    "Building engine failed",
    "Engine set up failed",
)
FAILURES = {
    "parse_error": (
        '[TRT] ModelImporter.cpp:949: While parsing node number 12 [Foo -> "/Foo_output_0"]:',
        "[TRT] ModelImporter.cpp:954: ERROR: no importer registered for op: Foo",
        "Failed to parse onnx file",
        "Parsing model failed",
        "Failed to create engine from model or file.",
        "Engine set up failed",
    ),
    "build_error": (
        "Error[4]: IBuilder::buildSerializedNetwork: Error Code 4: API Usage Error (Network has "
        "dynamic or shape inputs, but no optimization profile has been defined.)",
        *_NO_ENGINE,
    ),
    "out_of_memory": (
        "Error[2]: Error Code 2: OutOfMemory (Requested size was 17179869184 bytes.)",
        *_NO_ENGINE,
    ),
    "wrong_version": (
        "Error[1]: IRuntime::deserializeCudaEngine: Error Code 1: Serialization (Version tag does not "
        "match.)",
        "Engine deserialization failed",
        "Got invalid engine!",
        "Inference set up failed",
    ),
    "failed_after_timing": (
        "Error[1]: Error Code 1: Cuda Runtime (an illegal memory access was encountered)",
    ),
}
# Logged as an error although the run passes: a plugin library that is registered twice.
HARMLESS = (
    "Error[4]: IRuntime::deserializeCudaEngine: Error Code 4: API Usage Error (Cannot register the "
    "library as plugin creator of Foo exists already.)"
)
