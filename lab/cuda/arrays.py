"""Arrays in the simulated device's memory, with the part of cupy.ndarray's interface that lessons use."""

import numpy as np

from lab.cuda.errors import CudaError

UNWRITTEN = 0xCD  # what `empty` leaves: memory that nobody wrote must not look like zeros


class DeviceArray:
    """An array that only kernels, `get` and `set` reach, like cupy.ndarray.

    A slice or a `view` shares the memory of what it was taken from. A kernel's bounds are those of
    the whole allocation, as on a GPU.

    Attributes:
        shape, dtype, size, ndim, itemsize, nbytes, strides: as numpy's.
    """

    def __init__(self, host: np.ndarray, memory: np.ndarray) -> None:
        self._host = host
        self._memory = memory  # the allocation, 1-D uint8

    def __getattr__(self, name: str):
        if name in ("shape", "dtype", "size", "ndim", "itemsize", "nbytes", "strides", "flags"):
            return getattr(self._host, name)
        raise AttributeError(
            f"A device array has no `{name}` here: copy it with cuda.asnumpy(x) and use NumPy."
        )

    def get(self) -> np.ndarray:
        """A copy in the host's memory."""
        return self._host.copy()

    def set(self, values: np.ndarray) -> None:
        """Overwrite with an array of the same shape and dtype."""
        values = np.asarray(values)
        if values.shape != self.shape or values.dtype != self.dtype:
            raise CudaError(
                f"set() needs {self.shape} {self.dtype}, and got {values.shape} {values.dtype}."
            )
        self._host[...] = values

    def __getitem__(self, key) -> "DeviceArray":
        part = self._host[key]
        if isinstance(part, np.ndarray) and np.shares_memory(part, self._host):
            return DeviceArray(part, self._memory)
        return asarray(np.asarray(part))

    def __setitem__(self, key, value) -> None:
        self._host[key] = value.get() if isinstance(value, DeviceArray) else value

    def __len__(self) -> int:
        return len(self._host)

    def view(self, dtype) -> "DeviceArray":
        """The same bytes as another dtype."""
        return DeviceArray(self._host.view(dtype), self._memory)

    def reshape(self, *shape) -> "DeviceArray":
        """Another shape; a view where numpy gives one, else a copy."""
        return self._derived(self._host.reshape(*shape))

    def ravel(self) -> "DeviceArray":
        """One dimension."""
        return self._derived(self._host.ravel())

    def copy(self) -> "DeviceArray":
        """A copy in memory of its own."""
        return asarray(self._host)

    def astype(self, dtype) -> "DeviceArray":
        """A copy converted to another dtype."""
        return asarray(self._host.astype(dtype))

    def fill(self, value) -> None:
        """Set every element."""
        self._host.fill(value)

    def _derived(self, host: np.ndarray) -> "DeviceArray":
        if np.shares_memory(host, self._memory):
            return DeviceArray(host, self._memory)
        return asarray(host)

    @property
    def offset(self) -> int:
        """Bytes from the start of the allocation to the first element."""
        return self._host.ctypes.data - self._memory.ctypes.data

    def __array__(self, *_, **__):
        raise TypeError(
            "A device array does not turn into a NumPy array by itself: cuda.asnumpy(x)."
        )

    def __repr__(self) -> str:
        return f"device array {self.shape} {self.dtype}: {np.array2string(self._host, threshold=8)}"


def _allocate(shape, dtype) -> DeviceArray:
    dtype = np.dtype(dtype)
    if dtype.hasobject:
        raise CudaError(f"A device array cannot hold {dtype}: convert it to numbers first.")
    size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    memory = np.full(size, UNWRITTEN, dtype=np.uint8)
    return DeviceArray(memory.view(dtype).reshape(shape), memory)


def asarray(values, dtype=None) -> DeviceArray:
    """A copy of host values in the device's memory; a device array of that dtype is returned as it is."""
    if isinstance(values, DeviceArray):
        return values if dtype in (None, values.dtype) else values.astype(dtype)
    host = np.asarray(values, dtype=dtype)
    result = _allocate(host.shape, host.dtype)
    result._host[...] = host
    return result


def array(values, dtype=None) -> DeviceArray:
    """Always a copy, like cupy.array."""
    return asarray(values.get() if isinstance(values, DeviceArray) else values, dtype)


def asnumpy(values) -> np.ndarray:
    """A copy in the host's memory."""
    return values.get() if isinstance(values, DeviceArray) else np.asarray(values)


def empty(shape, dtype=float) -> DeviceArray:
    """Memory that nobody has written: every byte is 0xCD here, anything on a GPU."""
    return _allocate(shape, dtype)


def zeros(shape, dtype=float) -> DeviceArray:
    """Zeros."""
    result = _allocate(shape, dtype)
    result._memory[...] = 0
    return result


def full(shape, value, dtype=None) -> DeviceArray:
    """One value everywhere."""
    return asarray(np.full(shape, value, dtype))


def arange(*limits, dtype=None) -> DeviceArray:
    """As numpy.arange."""
    return asarray(np.arange(*limits, dtype=dtype))


def empty_like(other) -> DeviceArray:
    """Unwritten memory of another array's shape and dtype."""
    return _allocate(other.shape, other.dtype)


def zeros_like(other) -> DeviceArray:
    """Zeros of another array's shape and dtype."""
    return zeros(other.shape, other.dtype)
