from __future__ import annotations

import importlib.util
import os
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

REPOSITORY = Path(__file__).resolve().parent.parent

# Compiled kernels are kept here from one run to the next; without them the tests take minutes longer.
os.environ.setdefault("INT8RT_CACHE_DIR", str(REPOSITORY / ".int8rt_cache"))

# "ci" draws the same examples in every run; "dev" draws others, and more. HYPOTHESIS_PROFILE=dev chooses. No deadlines:
# a kernel may have to be compiled first.
settings.register_profile(
    "ci", derandomize=True, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("dev", max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

HAVE_LITERT = importlib.util.find_spec("ai_edge_litert") is not None
# Slow tests start only within this time from the start of the run, so that CI ends in time and says what it left out.
SLOW_SECONDS = float(os.environ.get("INT8RT_SLOW_SECONDS", "inf"))
START = time.monotonic()


def pytest_runtest_setup(item: pytest.Item) -> None:
    if item.get_closest_marker("litert") is not None and not HAVE_LITERT:
        pytest.skip("ai_edge_litert is not installed: pip install 'int8rt[litert]'")
    if item.get_closest_marker("slow") is not None and time.monotonic() - START > SLOW_SECONDS:
        pytest.skip(f"INT8RT_SLOW_SECONDS={SLOW_SECONDS:g} are over")


@pytest.fixture(scope="session")
def zoo_dir() -> Path:
    """The folder of real models: INT8RT_ZOO, else ../shared/models beside the repository; mark its users `zoo`."""
    named = os.environ.get("INT8RT_ZOO")
    folder = Path(named) if named else REPOSITORY.parent / "shared" / "models"
    if not folder.is_dir():
        pytest.skip(f"no folder of real models at {'INT8RT_ZOO' if named else '../shared/models'}: set INT8RT_ZOO")
    return folder
