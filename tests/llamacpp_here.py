"""Whether tests may use llama.cpp: they skip without it, or fail where COURSE_REQUIRE_LLAMACPP is set."""

import os

import pytest

from lab import llamacpp
from lab.llamacpp_build import source_dir

MISSING = "llama.cpp is not installed here: `make llamacpp` builds it"
NO_SOURCE = "llama.cpp's own converter is not here: `make llamacpp` unpacks it"
# CI may set this, so that a missing llama.cpp is a failure there and no skip.
REQUIRED = "COURSE_REQUIRE_LLAMACPP"


def need_llamacpp() -> None:
    """Skip or fail the test without the library."""
    if not llamacpp.found():
        (pytest.fail if os.environ.get(REQUIRED) else pytest.skip)(MISSING)


def need_converter() -> None:
    """Skip or fail the test without llama.cpp's source and what its converter imports."""
    need_llamacpp()
    if source_dir() is None:
        (pytest.fail if os.environ.get(REQUIRED) else pytest.skip)(NO_SOURCE)
