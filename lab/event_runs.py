"""Event files of TensorBoard: their records, and a run read back as plain data.

Format: records with a masked CRC-32C around `Event` messages; TensorFlow's guide "TFRecord and
tf.train.Example" gives the framing, tensorboard/compat/proto/{event,summary}.proto the messages.
"""

import struct
from pathlib import Path

import numpy as np

PREFIX = "events.out.tfevents"


class CorruptRecord(ValueError):
    """A record whose checksum does not fit. `offset`: the byte at which the record begins."""

    def __init__(self, offset: int):
        super().__init__(f"The record that begins at byte {offset} is corrupt.")
        self.offset = offset


def frame(payload: bytes) -> bytes:
    """One record: length (uint64), its masked CRC, the payload, its masked CRC; little-endian."""
    # tensorboard's own, in Python: small inputs only.
    from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c

    length = struct.pack("<Q", len(payload))
    sums = [struct.pack("<I", masked_crc32c(part)) for part in (length, payload)]
    return length + sums[0] + payload + sums[1]


def event_files(folder: str | Path) -> list[Path]:
    """The event files directly in a folder, by name."""
    return sorted(Path(folder).glob(f"{PREFIX}*"))


def read_run(folder: str | Path) -> dict:
    """All scalars and histograms of the run in `folder`, in the order of the file.

    Returns:
        "scalars": {tag: [(step, value), ...]}, and "histograms": {tag: [event, ...]}, an event a dict
        of step (int), min, max, num, sum (floats), limits (float64, right edges of the buckets) and
        counts (float64). Nothing is sampled, and nothing that a restart repeated is dropped.
    """
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    everything = {"scalars": 0, "histograms": 0}
    read = EventAccumulator(str(folder), size_guidance=everything, purge_orphaned_data=False)
    read.Reload()
    tags = read.Tags()
    return {
        "scalars": {
            t: [(e.step, float(e.value)) for e in read.Scalars(t)] for t in tags["scalars"]
        },
        "histograms": {t: [_plain(e) for e in read.Histograms(t)] for t in tags["histograms"]},
    }


def _plain(event) -> dict:
    value = event.histogram_value
    numbers = {name: float(getattr(value, name)) for name in ("min", "max", "num", "sum")}
    edges = {"limits": np.array(value.bucket_limit), "counts": np.array(value.bucket)}
    return {"step": int(event.step), **numbers, **edges}
