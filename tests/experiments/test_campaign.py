"""Runs that a store lacks are carried out once each, however often their design names them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from carecommons.errors import InputError
from carecommons.experiments import campaign
from carecommons.experiments.campaign import carry_out, writing
from carecommons.experiments.design import Design
from carecommons.experiments.engines import Engine
from carecommons.experiments.runner import perform_all
from carecommons.experiments.store.database import DONE, FAILED, Store
from carecommons.experiments.sweep import identity_of, sweep, tasks_in
from carecommons.experiments.task import Done, Task
from small import SCENARIO

LEVELS = (0.8, 1.0, 0.8, 1.2, 1.0)
DESIGN = Design(
    SCENARIO.but({"citizens": 100, "months": 2}), replicates=2, cells=tuple({"council.funding": f} for f in LEVELS)
)


def test_a_cell_that_stands_twice_in_a_design_is_run_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def recorded(tasks: Sequence[Task], engine: Engine) -> Iterator[Done]:
        asked.extend(task.key for task in tasks)
        return perform_all(tasks, engine)

    monkeypatch.setattr(campaign, "perform_all", recorded)
    tasks = tasks_in(DESIGN)
    with writing(tmp_path, identity_of(DESIGN), "test", False) as store:
        assert carry_out(store, tasks, Engine()) == 0
        assert len(asked) == len(set(asked)) == 6
        assert set(store.status().values()) == {DONE}
        assert carry_out(store, tasks, Engine()) == 0 and len(asked) == 6


def test_a_failed_cell_that_stands_twice_is_one_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(tasks: Sequence[Task], engine: Engine) -> Iterator[Done]:
        return (Done(task, None, "no luck") for task in tasks)

    monkeypatch.setattr(campaign, "perform_all", failing)
    tasks = tasks_in(DESIGN)
    with writing(tmp_path, identity_of(DESIGN), "test", False) as store:
        assert carry_out(store, tasks, Engine()) == 6
        assert list(store.status().values()) == [FAILED] * 6
        assert carry_out(store, tasks, Engine()) == 6  # not tried again unasked


def test_cells_that_repeat_have_the_same_numbers() -> None:
    found = sweep(DESIGN, force_design=True)
    assert found.values["isolation"][0] == found.values["isolation"][2]
    assert found.values["isolation"][1] == found.values["isolation"][4]


@pytest.mark.parametrize("engine", [Engine(), Engine("processes", 2)], ids=lambda engine: engine.kind)
def test_a_sweep_stops_when_its_place_is_edited_and_goes_on_when_it_is_put_back(engine: Engine, tmp_path: Path) -> None:
    shipped = Path(__file__).parents[2] / "src/carecommons/founding/data/places/derby.toml"
    town, out = tmp_path / "town.toml", tmp_path / "out"
    town.write_bytes(shipped.read_bytes())
    design = Design(DESIGN.scenario.but({"place": str(town)}), {"council.funding": (0.8, 1.0)}, replicates=4)
    wanted = sweep(design).summary
    tasks, known_as = tasks_in(design), identity_of(design)
    town.write_text(shipped.read_text().replace("11823, 18688", "18688, 11823"))
    refused = pytest.raises(InputError, match="changed while the runs were under way; put the file back")
    with refused, writing(out, known_as, "test", False) as store:
        carry_out(store, tasks, engine)
    with Store.read(out) as store:
        assert store.status() == {}
    town.write_bytes(shipped.read_bytes())
    assert sweep(design, out=out).summary.equals(wanted)
