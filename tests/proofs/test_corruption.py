"""Whatever happens to a file of a sweep that is done, no number is ever read that is not the one that was written."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from proving import FACTOR, Study, begun, kept, needs_proc, one_line, repetitions, run, tables

from carecommons.errors import CareCommonsError
from carecommons.experiments import load
from carecommons.experiments.design import Design
from carecommons.experiments.engines import Engine
from carecommons.experiments.store import files
from carecommons.experiments.store.errors import DamagedError
from carecommons.experiments.store.repair import repair
from carecommons.experiments.store.verify import verify
from carecommons.experiments.sweep import Sweep
from carecommons.experiments.sweep import run as sweep
from carecommons.scenario import Scenario
from damage import cut, empty, flip, swap

pytestmark = needs_proc
NAME = files.DATABASE
DESIGN = Study(cells=3, replicates=4)
LONGER = DESIGN._replace(replicates=15)


def swept(folder: Path, study: Study = DESIGN, force: bool = False, **more: object) -> Sweep:
    """The sweep of a study, run in this process."""
    base = Scenario(place="derby", citizens=study.citizens, months=study.months).but(more)
    return sweep(Design(base, {FACTOR: study.levels}, study.replicates, study.seed), Engine(), folder, force=force)


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep that is done."""
    folder = tmp_path_factory.mktemp("origin") / "out"
    swept(folder).store.close()
    return folder


@pytest.fixture(scope="module")
def torn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep that was killed half way, its log beside it."""
    folder = tmp_path_factory.mktemp("torn")
    with begun(folder, LONGER.words("out", "-j", "1"), {"acks": str(folder / "acks")}) as program:
        program.reached(folder / "acks", 20)
        program.kill()
    assert (folder / "out" / f"{NAME}-wal").stat().st_size > 0
    return folder / "out"


@pytest.fixture(scope="module")
def untorn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same sweep, done."""
    folder = tmp_path_factory.mktemp("untorn") / "out"
    swept(folder, LONGER).store.close()
    return folder


def everything(folder: Path) -> dict[str, object]:
    """All that can be read of a sweep: each run with its arrays, and the tables as they are made from them."""
    found = load.load(folder)
    with found.store as store:
        answers = {key: {name: each.tobytes() for name, each in store.answer(key).items()}
                   for key, status in store.status().items() if status == "done"}  # fmt: skip
        made = [each.to_csv() for each in (found.runs, found.parameters, found.summary, found.series, found.failures)]
    return {**answers, "tables": made}


def found_or_the_same(folder: Path, whole: Mapping[str, object]) -> bool:
    """Whether damage is refused; what is read in spite of it must be what was written."""
    try:
        now = everything(folder)
    except DamagedError as problem:
        assert folder.name in str(problem)
        assert "carecommons repair" in str(problem)
        assert "\n" not in str(problem)
        assert verify(folder) != []
        return True
    assert now == whole
    return False


DAMAGES = [pytest.param(damage, id=damage.__name__) for damage in (flip, cut, swap, empty)]


@pytest.mark.parametrize("damage", DAMAGES)
@repetitions(3, 100)
def test_damage_to_a_sweep_is_found_and_after_repair_the_same_command_gives_the_same_bytes(
    damage: Callable[[Path, random.Random], None], times: int, origin: Path, tmp_path: Path
) -> None:
    wanted, luck = tables(origin), random.Random(f"{damage.__name__} 1")
    whole, content = everything(origin), (origin / NAME).read_bytes()
    for k in range(1 if damage is empty else times):
        folder = shutil.copytree(origin, tmp_path / f"damaged {k}")
        damage(folder / NAME, luck)
        if (folder / NAME).read_bytes() == content:  # two blocks that are alike
            continue
        assert found_or_the_same(folder, whole), k  # a closed one is found always
        with pytest.raises(DamagedError):
            swept(folder)
        report = repair(folder)
        assert any(each.file == NAME for each in report.findings), k
        assert len(list(folder.glob(f"{NAME}.damaged-*"))) == 1
        swept(folder).store.close()
        assert tables(folder) == wanted, k
        assert everything(folder) == whole, k
        assert verify(folder) == [], k
        shutil.rmtree(folder)


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("file", [NAME, f"{NAME}-wal"])
@repetitions(1, 25)
def test_damage_to_a_sweep_that_was_killed_is_found_or_costs_runs_that_are_done_again(
    damage: Callable[[Path, random.Random], None], file: str, times: int, torn: Path, untorn: Path, tmp_path: Path
) -> None:
    wanted, whole, luck = tables(untorn), kept(untorn), random.Random(f"{damage.__name__} 2")
    for k in range(1 if damage is empty else times):
        folder = shutil.copytree(torn, tmp_path / f"damaged {k}")
        damage(folder / file, luck)
        try:
            assert kept(folder).items() <= whole.items(), k
        except DamagedError:
            repair(folder)
        try:
            swept(folder, LONGER).store.close()
        except DamagedError:  # read, but not safe to write to
            repair(folder)
            swept(folder, LONGER).store.close()
        assert (tables(folder), kept(folder)) == (wanted, whole), k
        shutil.rmtree(folder)


@pytest.mark.parametrize("damage", DAMAGES)
@repetitions(1, 8)
def test_damage_to_a_file_beside_the_runs_is_named_and_costs_no_run(
    damage: Callable[[Path, random.Random], None], times: int, origin: Path, tmp_path: Path
) -> None:
    wanted, whole, luck = tables(origin), everything(origin), random.Random(f"{damage.__name__} 3")
    names = sorted(each.name for each in origin.iterdir() if each.name != NAME and each.stat().st_size > 1024)
    for k in range(times):
        for name in names:
            folder = shutil.copytree(origin, tmp_path / f"damaged {k} {name}")
            damage(folder / name, luck)
            changed = (folder / name).read_bytes() != (origin / name).read_bytes()
            if name != files.MANIFEST:
                assert [each.file for each in verify(folder)] == ([name] if changed else []), k
            if not found_or_the_same(folder, whole) and changed and name != files.MANIFEST:
                with pytest.raises(CareCommonsError, match=f"{name}: was changed"):
                    swept(folder)
            repair(folder)  # a manifest may accuse the runs of its own damage
            swept(folder, force=True).store.close()
            assert tables(folder) == wanted, (k, name)
            assert everything(folder) == whole, (k, name)
            shutil.rmtree(folder)


# --- files that change places ---


@pytest.mark.parametrize("change", [{"seed": 77}, {"asking.door": 0.25}], ids=["worlds", "scenario"])
def test_the_runs_of_another_sweep_are_never_taken_for_these(
    change: dict[str, float], origin: Path, tmp_path: Path
) -> None:
    study = DESIGN._replace(seed=int(change.get("seed", 1)))
    other = tmp_path / "other"
    swept(other, study, **{key: value for key, value in change.items() if key != "seed"}).store.close()
    wanted, folder = tables(origin), shutil.copytree(origin, tmp_path / "swapped")
    shutil.copy(other / NAME, folder / NAME)
    assert found_or_the_same(folder, everything(origin))
    with pytest.raises(DamagedError):
        swept(folder)
    shutil.copy(origin / NAME, folder / NAME)
    assert found_or_the_same(folder, everything(origin)) is False
    assert tables(folder) == wanted


def test_the_runs_of_another_scenario_are_refused_even_where_nobody_knows_their_hash(
    origin: Path, tmp_path: Path
) -> None:
    """As after a kill: nothing was closed, so that no hash of the whole is there to tell."""
    other = tmp_path / "other"
    swept(other, **{"asking.door": 0.25}).store.close()
    folder = shutil.copytree(origin, tmp_path / "swapped")
    manifest = files.read_manifest(folder)
    manifest["sums"].pop(NAME)
    files.write_manifest(folder, manifest | {"store": "open"})
    assert found_or_the_same(folder, everything(origin)) is False
    shutil.copy(other / NAME, folder / NAME)
    with pytest.raises(DamagedError, match=r"not of this folder: by the manifest, asking\.door was 1\.0, now 0\.25"):
        swept(folder)
    assert found_or_the_same(folder, everything(origin))


@pytest.mark.proof
def test_the_program_names_the_damage_and_the_command_that_mends_it(
    small: Study, calm: Path, wanted: dict[str, bytes], tmp_path: Path
) -> None:
    folder = shutil.copytree(calm, tmp_path / "calm")
    with (folder / NAME).open("rb+") as file:
        file.seek(file.seek(0, 2) // 2)
        file.write(b"\0" * 4096)
    words = small.words("calm", "-j", "1")
    for each in (words, ["status", "calm"], ["export", "calm", "to"], ["retry", "calm"]):
        ended = run(tmp_path, each)
        assert ended.code == 4, ended
        assert f"calm/{NAME}: is damaged: " in one_line(ended.err)
        assert "carecommons repair calm" in ended.err
    ended = run(tmp_path, ["repair", "calm"])
    assert (ended.code, ended.err) == (0, "")
    assert f"{NAME}.damaged-1" in ended.out
    ended = run(tmp_path, words)
    assert (ended.code, ended.err) == (0, "")
    assert tables(folder) == wanted
