"""What every test shares: properties are drawn the same way each time, and a place is founded once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings

import small
from carecommons.place.place import Place
from carecommons.scenario import Scenario

# Derandomised: a property that holds today holds tomorrow, and a failure can be repeated. A compiled function's first
# call takes seconds, so that no example has a deadline.
settings.register_profile(
    "carecommons",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=30,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("carecommons")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what takes minutes, unless it is asked for by its mark or its name."""
    if "proof" in config.option.markexpr or any("::" in each for each in config.args):
        return
    left_out = [item for item in items if item.get_closest_marker("proof")]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("proof")]


@pytest.fixture(scope="session")
def scenario() -> Scenario:
    """A thousand adults of England with every mechanism on, and enough micro-enterprises to matter."""
    return small.SCENARIO


@pytest.fixture(scope="session")
def _lived_in(scenario: Scenario) -> Place:
    return small.run(scenario, months=small.LIVED).place


@pytest.fixture
def lived_in(_lived_in: Place) -> Place:
    """A place some months old, in which everything has begun to happen; a copy of one's own."""
    return _lived_in.copy()


@pytest.fixture(scope="session")
def lived(_lived_in: Place) -> Callable[[], Place]:
    """The same place as often as a property needs it."""
    return _lived_in.copy
