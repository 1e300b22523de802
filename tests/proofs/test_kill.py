"""Whenever a sweep is killed, no run that was acknowledged is lost, none is done twice, and nobody is left behind."""

from __future__ import annotations

import time
from pathlib import Path
from typing import NamedTuple

import pytest
from proving import Pace, Study, acknowledged, begun, fraction, kept, needs_proc, pace, run, tables

pytestmark = needs_proc
SWEEPS, KILLS = 5, 10  # each is killed so often, one time after the other


class Moment(NamedTuple):
    """So many seconds after so many runs of the sweep are acknowledged."""

    runs: int
    seconds: float


def moments(study: Study, pace: Pace, chain: int, kills: int) -> list[Moment]:
    """When a sweep is killed: as it starts, along its runs, as it writes its tables, and with nothing left to do."""
    luck = [fraction("kill", chain, kill) for kill in range(kills)]
    between = kills - 3
    return [
        Moment(0, luck[0] * pace.start),
        *(Moment(1 + int((kill + luck[kill + 1]) / between * (study.runs - 1)), 0.03 * fraction("delay", chain, kill))
          for kill in range(between)),
        Moment(study.runs, luck[-2] * pace.close),
        Moment(0, luck[-1] * pace.idle),
    ]  # fmt: skip


def killed(folder: Path, out: Path, study: Study, when: list[Moment], wanted: object, whole: dict[str, object]) -> None:
    """A sweep that is killed at these moments, and then left to itself."""
    acks = folder / f"acks {out.name}"
    words, plan = study.words(out.name, "-j", "2"), {"acks": str(acks)}
    for moment in when:
        with begun(folder, words, plan) as program:
            program.reached(acks, moment.runs)
            time.sleep(moment.seconds)
            program.kill()
            assert program.childless(), f"{moment}: still alive 5 s after the kill: {program.children()}"
        held = kept(out)
        assert set(acknowledged(acks)) <= set(held), moment
        assert held.items() <= whole.items(), moment
    ended = run(folder, words, plan)
    assert (ended.code, ended.err) == (0, "")
    assert len(acknowledged(acks)) == len(set(acknowledged(acks)))
    assert kept(out) == whole
    assert tables(out) == wanted


def test_a_sweep_that_is_killed_ends_as_if_it_had_not_been(
    small: Study, calm: Path, wanted: dict[str, bytes], tmp_path: Path
) -> None:
    when = [Moment(small.runs // 3, 0.01), Moment(small.runs, 0.2)]
    killed(tmp_path, tmp_path / "out", small, when, wanted, kept(calm))


@pytest.mark.proof
def test_a_sweep_that_is_killed_again_and_again_all_along_its_life_ends_as_if_it_had_not_been(tmp_path: Path) -> None:
    study = Study(cells=40, replicates=40)
    calm = pace(tmp_path, study, "-j", "2")
    wanted, whole = tables(tmp_path / "calm"), kept(tmp_path / "calm")
    assert len(whole) == study.runs
    for sweep in range(SWEEPS):
        when = moments(study, calm, sweep, KILLS)
        killed(tmp_path, tmp_path / str(sweep), study, when, wanted, whole)
