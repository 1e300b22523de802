"""Shards become one store: in any order, in any grouping, however often, with the same tables."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from pathlib import Path

import kept
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from carecommons.errors import InputError
from carecommons.experiments.store.database import Store
from carecommons.experiments.store.errors import IncompatibleError
from carecommons.experiments.store.merge import merge
from carecommons.experiments.store.sealed import Row, Sealed
from carecommons.experiments.store.verify import verify


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three parts of one sweep that overlap; one failed where another was done, and one run failed in two ways."""
    home, tasks = tmp_path_factory.mktemp("shards"), kept.tasks()
    parts = [
        [*map(kept.done, tasks[:5]), kept.failed(tasks[9]), kept.failed(tasks[10], "first")],
        [*map(kept.done, tasks[3:8]), kept.failed(tasks[10], "second")],
        [kept.failed(tasks[1]), *map(kept.done, tasks[8:10])],
    ]
    folders = []
    for number, part in enumerate(parts):
        folders.append(home / str(number))
        kept.fill(folders[-1], part)
    return folders


@settings(max_examples=8)
@given(order=st.lists(st.integers(0, 2), min_size=3, max_size=6).filter(lambda order: set(order) == {0, 1, 2}),
       cut=st.integers(1, 2))  # fmt: skip
def test_order_grouping_and_repetition_do_not_matter(
    order: list[int], cut: int, shards: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> None:
    home = tmp_path_factory.mktemp("merged")
    merge(home / "plain", shards)
    plain = kept.exported(home / "plain", home / "p")
    merge(home / "left", [shards[k] for k in order[:cut]])
    merge(home / "left", [shards[k] for k in order[cut:]])
    merge(home / "right", [home / "left", *[shards[k] for k in order]])
    merge(home / "right", [home / "left"])
    for name in ("left", "right"):
        assert kept.exported(home / name, home / "t" / name) == plain
        assert verify(home / name) == []
    with Store.read(home / "right") as store:
        assert sorted(store.status().values()) == ["done"] * 10 + ["failed"]


def test_the_sources_stay_as_they_are_and_a_shard_may_lie_within_the_target(tmp_path: Path) -> None:
    shard = tmp_path / "all" / "shard-1-of-1"
    kept.fill(shard, map(kept.done, kept.tasks()))
    before = {path.name: path.read_bytes() for path in shard.iterdir()}
    merge(tmp_path / "all", [shard])
    assert {path.name: path.read_bytes() for path in shard.iterdir()} == before
    assert kept.exported(tmp_path / "all", tmp_path / "x") == kept.exported(shard, tmp_path / "y")


def test_equal_runs_with_other_results_are_an_error_that_names_the_run(tmp_path: Path) -> None:
    task, other = kept.tasks()[:2]
    kept.fill(tmp_path / "a", [kept.done(task)])
    kept.fill(tmp_path / "b", [kept.done(other)._replace(task=task)])
    with pytest.raises(IncompatibleError, match=task.key):
        merge(tmp_path / "c", [tmp_path / "a", tmp_path / "b"])


def test_a_source_that_is_written_meanwhile_is_read_as_of_one_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *_, last = kept.tasks()
    rows, source = Sealed.rows, tmp_path / "a" / "results.sqlite"
    with Store.write(source.parent, kept.identity(), command="test") as writer:
        writer.add_design(kept.record())
        writer.add(kept.done(first), first.subject)

        def busy(sealed: Sealed, table: str) -> Iterator[Row]:
            if table == "run" and sealed.path == source and sealed is not writer.sealed:
                writer.add(kept.done(last), last.subject)  # with its point, of which there was nothing before
            return rows(sealed, table)

        with monkeypatch.context() as patched:
            patched.setattr(Sealed, "rows", busy)
            merge(tmp_path / "b", [source.parent])
    assert verify(tmp_path / "b") == []
    with Store.read(tmp_path / "b") as store:
        assert list(store.status()) == [first.key]
    merge(tmp_path / "b", [source.parent])
    assert kept.exported(tmp_path / "b", tmp_path / "x") == kept.exported(source.parent, tmp_path / "y")


@pytest.mark.parametrize("second", ["nosuch", "notes.md", "empty"])
def test_a_source_that_holds_no_runs_makes_no_folder(second: str, tmp_path: Path) -> None:
    kept.fill(tmp_path / "a", [])
    (tmp_path / "notes.md").write_text("mine")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=second):
        merge(tmp_path / "new", [tmp_path / "a", tmp_path / second])
    assert not (tmp_path / "new").exists()


def test_runs_of_another_identity_are_refused(tmp_path: Path) -> None:
    kept.fill(tmp_path / "a", [])
    with Store.write(tmp_path / "b", kept.identity(kept.BASE.but({"months": 20})), command="test"):
        pass
    with pytest.raises(IncompatibleError, match="months was 14, now 20"):
        merge(tmp_path / "c", [tmp_path / "a", tmp_path / "b"])
    assert not (tmp_path / "c").exists()


def test_what_any_of_the_folders_varies_keeps_none_apart_in_any_order(tmp_path: Path) -> None:
    for name, funding, factors in (("a", 0.8, ["ties.meet"]), ("b", 0.9, []), ("c", 0.8, [kept.FACTOR, "ties.meet"])):
        base = kept.BASE.but({kept.FACTOR: funding})
        with Store.write(tmp_path / name, kept.identity(base, factors), command="test"):
            pass
    for number, order in enumerate(permutations("abc")):
        merge(tmp_path / f"{number}", [tmp_path / name for name in order])
        merge(tmp_path / f"{number}", [tmp_path / order[0]])


def test_nothing_and_itself_cannot_be_merged(tmp_path: Path) -> None:
    kept.fill(tmp_path / "a", [])
    with pytest.raises(InputError, match="no folders"):
        merge(tmp_path / "a", [])
    with pytest.raises(InputError, match="into itself"):
        merge(tmp_path / "a", [tmp_path / "a"])
