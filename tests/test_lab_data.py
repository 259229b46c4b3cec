"""lab.data and what it stands on: the manifest, the idx reader, the order of the sources."""

import gzip
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest

from lab import network
from lab.data import load_mnist, load_sst2, load_text
from lab.errors import CourseError
from lab.idx import read_idx
from lab.manifest import load_manifest, sha256_of
from lab.paths import repo_root
from lab.sources import locate
from lab.stand_ins import generated_sentiment

MIRROR = repo_root().parent / "shared" / "data"
needs_mirror = pytest.mark.skipif(not MIRROR.is_dir(), reason="no mirror beside the repository")


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path):
    """An empty cache, no mirror, no network."""
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COURSE_OFFLINE", "1")
    monkeypatch.delenv("COURSE_MIRROR", raising=False)
    monkeypatch.setattr(network, "_answers", {})


def idx_bytes(array: np.ndarray) -> bytes:
    dims = struct.pack(f">{array.ndim}I", *array.shape)
    return bytes([0, 0, 8, array.ndim]) + dims + array.astype(np.uint8).tobytes()


def test_the_manifest_is_complete():
    manifest = load_manifest()
    assert set(manifest) == {"mnist", "sst2", "wikitext-2", "tinyshakespeare"}
    for entry in manifest.values():
        assert entry.licence and entry.source_page.startswith("http")
        for file in entry.files:
            assert len(file.sha256) == 64 and int(file.sha256, 16)
            assert file.size_bytes > 0
            assert file.url is None or file.url.startswith("https://")


@needs_mirror
def test_the_manifest_is_right_about_the_mirror():
    checked = 0
    for entry in load_manifest().values():
        for file in entry.needed:
            path = MIRROR / file.mirror
            assert path.stat().st_size == file.size_bytes
            assert sha256_of(path) == file.sha256
            checked += 1
    assert checked == 8


def test_idx_round_trip_zipped_or_not(tmp_path):
    array = np.arange(2 * 28 * 28).reshape(2, 28, 28) % 251
    plain, zipped = tmp_path / "a", tmp_path / "a.gz"
    plain.write_bytes(idx_bytes(array))
    zipped.write_bytes(gzip.compress(idx_bytes(array)))
    for path in (plain, zipped):
        got = read_idx(path, (None, 28, 28))
        assert got.dtype == np.uint8
        np.testing.assert_array_equal(got, array)
        got[0, 0, 0] = 1  # owns its memory


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda raw: raw[:-1], "is truncated"),
        (lambda raw: raw + b"\0", "has bytes left over"),
        (lambda raw: raw[:9], "ends within its header"),
        (lambda raw: b"", "no idx file.*starts with nothing"),
        (lambda raw: b"\0\0\x0d" + raw[3:], "no idx file of unsigned bytes"),
        (lambda raw: raw[:3] + b"\x01" + raw[4:], "no idx file.*3 dimensions"),
        (lambda raw: raw[:8] + struct.pack(">I", 27) + raw[12:], "2x27x28, not anyx28x28"),
        (lambda raw: raw[:4] + b"\xff" * 4 + raw[8:], "is truncated"),
        (lambda raw: gzip.compress(raw)[:-9], "damaged gzip file"),
        (lambda raw: gzip.compress(raw)[:20] + b"\xff" * 40, "damaged gzip file"),
    ],
)
def test_a_damaged_idx_file_is_one_sentence(tmp_path, damage, sentence):
    path = tmp_path / "images"
    path.write_bytes(damage(idx_bytes(np.zeros((2, 28, 28)))))
    with pytest.raises(CourseError, match=sentence) as caught:
        read_idx(path, (None, 28, 28))
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


def test_the_mnist_stand_in():
    data = load_mnist()
    assert data.is_stand_in and data.source == "stand-in"
    assert "scikit-learn" in data.note and "COURSE_OFFLINE" in data.note
    assert data.train_images.shape == (1438, 28, 28)
    assert data.test_images.shape == (359, 28, 28)
    assert data.train_images.dtype == np.uint8
    assert data.train_labels.shape == (1438,)
    assert data.train_images.max() == 255
    assert (data.train_images[:, :4] == 0).all()
    assert set(data.test_labels) == set(range(10))


def test_the_stand_in_can_be_learned():
    """Labels belong to their images: a nearest-mean classifier is right most of the time."""
    data = load_mnist()
    train = data.train_images.reshape(len(data.train_images), -1).astype(float)
    test = data.test_images.reshape(len(data.test_images), -1).astype(float)
    means = np.stack([train[data.train_labels == digit].mean(axis=0) for digit in range(10)])
    nearest = ((test[:, None] - means) ** 2).sum(axis=2).argmin(axis=1)
    assert (nearest == data.test_labels).mean() > 0.8


@needs_mirror
def test_mnist_from_the_mirror(monkeypatch):
    monkeypatch.setenv("COURSE_MIRROR", str(MIRROR))
    data = load_mnist()
    assert (data.source, data.is_stand_in) == ("mirror", False)
    assert data.train_images.shape == (8000, 28, 28)
    assert data.test_labels.shape == (2000,)
    counts = np.bincount(np.concatenate([data.train_labels, data.test_labels]))
    # The digit counts of MNIST's test set.
    assert counts.tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    again = load_mnist()
    np.testing.assert_array_equal(data.test_images, again.test_images)
    half = load_mnist(split=0.5)
    assert len(half.train_images) == 5000
    np.testing.assert_array_equal(half.train_images, data.train_images[:5000])


@needs_mirror
def test_the_cache_comes_before_the_mirror(monkeypatch, tmp_path):
    shutil.copytree(MIRROR / "mnist", tmp_path / "cache" / "data" / "mnist")
    monkeypatch.setenv("COURSE_MIRROR", str(MIRROR))
    assert load_mnist().source == "cache"


@needs_mirror
@pytest.mark.parametrize("place", ["cache", "mirror"])
def test_a_damaged_file_stops_the_loader(monkeypatch, tmp_path, place):
    folder = tmp_path / ("cache/data" if place == "cache" else "mirror")
    shutil.copytree(MIRROR / "mnist", folder / "mnist")
    path = folder / "mnist" / "t10k-labels-idx1-ubyte.gz"
    path.chmod(0o644)
    raw = bytearray(path.read_bytes())
    raw[2000] ^= 1
    path.write_bytes(raw)
    if place == "mirror":
        monkeypatch.setenv("COURSE_MIRROR", str(folder))
    sentence = f"The {place} file .*t10k-labels.* does not match its sha256: .*delete it"
    with pytest.raises(CourseError, match=sentence):
        load_mnist()
    path.write_bytes(raw[:-1])
    with pytest.raises(CourseError, match="has 4,541 bytes, not 4,542"):
        load_mnist()


def test_a_mirror_without_the_files_is_passed_by(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_MIRROR", str(tmp_path))
    assert load_mnist().is_stand_in


def test_a_mirror_that_is_no_folder_is_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_MIRROR", str(tmp_path / "nowhere"))
    with pytest.raises(CourseError, match="nowhere, which is no folder: correct it or unset it"):
        load_mnist()


@pytest.mark.parametrize("split", [0, 1, -0.5, 8000])
def test_a_split_that_is_no_share_is_refused(split):
    with pytest.raises(CourseError, match="share of images that train"):
        load_mnist(split=split)


@pytest.mark.parametrize("name", ["wikitext-2", "tinyshakespeare"])
def test_the_text_stand_in_is_disjoint(name):
    data = load_text(name)
    assert data.is_stand_in and data.name == name
    assert len(data.train_text) > 200_000 and len(data.test_text) > 20_000

    def paragraphs(text: str) -> set[str]:
        return {" ".join(piece.strip("=*~^-\n ").split()) for piece in text.split("\n\n")}

    assert len(paragraphs(data.test_text)) > 100
    assert not paragraphs(data.train_text) & paragraphs(data.test_text)


@needs_mirror
def test_texts_from_the_mirror(monkeypatch):
    monkeypatch.setenv("COURSE_MIRROR", str(MIRROR))
    wiki = load_text("wikitext-2")
    assert wiki.source == "mirror"
    assert wiki.train_text.startswith(" \n = Homarus gammarus = ")
    # 245,569 words and one <eos> for each line, as published for WikiText-2 (Merity et al. 2016).
    assert len(wiki.test_text.split()) + wiki.test_text.count("\n") == 245_569
    plays = load_text("tinyshakespeare")
    whole = (MIRROR / "tinyshakespeare" / "input.txt").read_text(encoding="utf-8")
    assert plays.train_text + plays.test_text == whole


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(CourseError, match="wikitext-2, tinyshakespeare"):
        load_text("ptb")
    with pytest.raises(CourseError, match="mnist, sst2"):
        locate("cifar")


@needs_mirror
def test_sst2_from_the_mirror(monkeypatch):
    monkeypatch.setenv("COURSE_MIRROR", str(MIRROR))
    data = load_sst2()
    assert data.source == "mirror"
    # The sizes of Socher et al. 2013, binary sentences.
    assert [len(part) for part in (data.train_sentences, data.valid_labels, data.test_labels)] == [
        6920,
        872,
        1821,
    ]
    assert data.train_labels.sum() == 3610 and data.train_labels.dtype == np.int64


def test_the_sentiment_stand_in_is_even_disjoint_and_repeatable():
    data = load_sst2()
    assert data.is_stand_in
    assert [len(data.train_labels), len(data.valid_labels), len(data.test_labels)] == [
        4000,
        500,
        500,
    ]
    assert data.train_labels.mean() == data.test_labels.mean() == 0.5
    assert not set(data.train_sentences) & {*data.test_sentences, *data.valid_sentences}
    assert generated_sentiment(50)[0] == data.train_sentences[:50]


def test_no_network_is_asked_once_in_a_process(monkeypatch):
    """A host that cannot resolve is tried; after that, no other is."""
    monkeypatch.delenv("COURSE_OFFLINE")
    reason = network.why_offline("http://no-such-host.invalid/x", timeout_s=0.5)
    assert "no-such-host.invalid did not answer" in reason
    asked = []
    monkeypatch.setattr(network, "_head", lambda *args: asked.append(args))
    assert network.why_offline("http://another-host.invalid/x") == reason
    assert asked == []


def test_offline_asks_nobody(monkeypatch):
    asked = []
    monkeypatch.setattr(network, "_head", lambda *args: asked.append(args))
    assert network.why_offline("http://no-such-host.invalid/") == "COURSE_OFFLINE is set"
    assert asked == []


def test_upstream_that_does_not_match_gives_a_stand_in_that_says_so(monkeypatch, tmp_path):
    """A real server with wrong bytes of the right size, through the whole chain."""
    import functools
    import threading
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

    from lab import sources
    from lab.manifest import DataSetEntry, FileEntry

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    good, wrong = idx_bytes(np.zeros((2, 28, 28))), b"x" * 1584
    (tmp_path / "wrong").write_bytes(wrong)
    (tmp_path / "good").write_bytes(good)
    server = ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(tmp_path))
    )
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    monkeypatch.delenv("COURSE_OFFLINE")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    def manifest_for(name: str) -> dict:
        url = f"http://127.0.0.1:{server.server_port}/{name}"
        file = FileEntry("f", url, "d/f", sha256_of(tmp_path / "good"), len(good))
        return {"d": DataSetEntry("d", "D", "none", "http://x", (file,))}

    try:
        monkeypatch.setattr(sources, "load_manifest", lambda: manifest_for("wrong"))
        found = locate("d")
        assert found.source is None and "does not match its sha256" in found.note
        monkeypatch.setattr(sources, "load_manifest", lambda: manifest_for("good"))
        assert locate("d").source == "upstream"
        assert locate("d").source == "cache"
        assert Path(locate("d").paths["f"]).read_bytes() == good
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
