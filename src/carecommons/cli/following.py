"""What to do next with a sweep: a command that can be copied, and what it says."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from carecommons.cli.options import Change

# Imported where they are used, so that --help answers at once.
if TYPE_CHECKING:
    from carecommons.experiments.design import Design
    from carecommons.experiments.sweep import Sweep


def following(found: Sweep, subject: str, change: Change, out: str | None) -> str:
    """A command that makes more of a sweep, and what it says: of a sample its analysis, else a comparison."""
    from carecommons.experiments.check import check_design

    design, folder = found.design, shlex.quote(out or "FOLDER")
    blocks = [block for part in design.method.get("parts", [design.method]) for block in part.get("blocks", ())]
    if not any("over" in block for block in blocks):
        words = _compared(design, subject, change, out)
        return f"{_quoted(words)} tells where demand went" if words else "'carecommons outcomes' says what each is"
    if len(blocks) == 1 and blocks[0]["kind"] in ("morris", "saltelli"):
        short = check_design(design).short
        return short[0] if short else f"'carecommons sensitivity {folder}' says which inputs matter"
    return f"{_quoted(f'carecommons discover {folder} --where {_asked(found, blocks)}')} says where something happens"


def _asked(found: Sweep, blocks: Sequence[Mapping[str, Any]]) -> str:
    """A question for 'discover': what rises against one policy, or lies above the middle where there is one only."""
    from carecommons.experiments.show import figure, plainly

    design = found.design
    outcome, flat = design.outcomes[0], design.scenario.flat()
    crossed = list(blocks[0]["keys"]) if len(blocks) > 1 and "parts" not in design.method else []
    if crossed:
        levels = [{key: cell[key] for key in crossed} for cell in design.cells]
        against = next((each for each in levels if all(flat[key] == each[key] for key in each)), levels[0])
        words = [word for key, value in against.items() for word in ("--against", f"{key}={plainly(value)}")]
        return shlex.join([f"{outcome}=rises", *words])
    means = sorted(each.mean for each in found.estimates(outcome) if each.n)
    return f'"{outcome}=above {figure(means[len(means) // 2]).replace(",", "")}"' if means else "--help"


def _quoted(command: str) -> str:
    """A command as a sentence holds it."""
    return command if "'" in command else f"'{command}'"


def _compared(design: Design, subject: str, change: Change, out: str | None) -> str:
    """The command that compares the scenario with the cell that differs from it in the least; "" where none does.

    An experiment's file cannot be compared: its scenario can, from where it is kept or in words.
    """
    from carecommons.experiments.show import plainly
    from carecommons.experiments.study import holds_study

    flat = design.scenario.flat()
    others = [{key: value for key, value in cell.items() if flat[key] != value} for cell in design.cells]
    able = [each for each in others if each and not {"place", "months", "citizens"} & {*each}]
    if not able:
        return ""
    words = [subject, *change.words]
    if holds_study(subject):
        words = [str(Path(out) / "scenario.toml")] if out else [design.scenario.place, *(
            word for key, value in design.scenario.changes().items() if key not in ("place", "name")
            for word in ("--set", f"{key}={plainly(value)}"))]  # fmt: skip
    buts = [word for key, value in min(able, key=len).items() for word in ("--but", f"{key}={plainly(value)}")]
    seed = ["--seed", str(design.seed)] if design.seed != 1 else []
    return shlex.join(["carecommons", "compare", *words, *buts, *seed, "-r", "30"])
