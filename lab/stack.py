"""A serving stack as data: five layers, and components that offer something and need something."""

from dataclasses import dataclass

LAYERS = {
    1: "hardware",
    2: "infrastructure management",
    3: "inference engine",
    4: "KV cache",
    5: "orchestration and routing",
}


@dataclass(frozen=True)
class Component:
    """One part of a stack.

    layer: 1 to 5, a key of LAYERS. offers, needs: capabilities by name. version: as its maker writes it.
    """

    name: str
    layer: int
    offers: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    version: str = ""


# Placed by the job a component does in a stack, wherever its code is packed. Versions are examples.
CATALOGUE = {
    c.name: c
    for c in (
        Component("GPU", 1, ("GPU",), (), "H100"),
        Component("NVLink", 1, ("GPU link",), ("GPU",), "4"),
        Component("network card", 1, ("network",)),
        Component("CUDA driver", 2, ("driver API",), ("GPU",), "550.54.14"),
        Component("container runtime", 2, ("containers",)),
        Component("container toolkit", 2, ("GPU in containers",), ("driver API", "containers")),
        Component("Kubernetes", 2, ("services",), ("containers", "network")),
        Component("Slurm", 2, ("batch jobs",), ("network",)),
        Component("CUDA runtime", 3, ("CUDA",), ("driver API",), "12.4"),
        Component("NCCL", 3, ("collectives",), ("CUDA", "GPU link")),
        Component("TensorRT-LLM", 3, ("compiled engine",), ("CUDA", "collectives")),
        Component("Triton", 3, ("model API",), ("compiled engine", "GPU in containers")),
        Component("vLLM", 3, ("OpenAI API", "KV blocks"),
                  ("CUDA", "collectives", "GPU in containers")),
        Component("NIM", 3, ("OpenAI API",), ("GPU in containers",)),
        Component("prefix cache", 4, ("cache events",), ("KV blocks",)),
        Component("KV offloading", 4, ("KV blocks beyond the GPU",), ("KV blocks",)),
        Component("prefix-aware router", 5, ("routes",), ("OpenAI API", "cache events")),
        Component("gateway", 5, ("public API",), ("routes", "services")),
        Component("autoscaler", 5, ("replicas on demand",), ("services", "routes")),
    )
}  # fmt: skip
