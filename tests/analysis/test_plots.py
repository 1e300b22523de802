"""Pictures say what they show, repeat to the byte, and leave everybody's settings alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.text import Text

import carecommons as cc
from carecommons.analysis import plots
from carecommons.analysis.captions import span_of
from carecommons.errors import InputError
from carecommons.experiments.comparison import Comparison
from carecommons.experiments.show import figure
from carecommons.experiments.sweep import Sweep
from small import SCENARIO

BASE = cc.Scenario(place="derby", citizens=120, months=3)
GRID = {"council.funding": [0.5, 1.0, 1.5], "assessment.threshold": [1, 2]}


@pytest.fixture(scope="module")
def swept() -> Sweep:
    return cc.sweep(BASE, GRID, replicates=3)


@pytest.fixture(scope="module")
def compared() -> Comparison:
    return cc.compare(BASE, BASE.but({"council.funding": 0.2}), (1, 2, 3))


def words(picture: Figure) -> list[str]:
    """All text of a picture."""
    found = [text.get_text() for text in picture.texts]
    for axes in picture.axes:
        found += [text.get_text() for text in axes.texts]
        found += [axes.get_title("left"), axes.get_xlabel(), axes.get_ylabel()]
        found += [tick.get_text() for tick in (*axes.get_xticklabels(), *axes.get_yticklabels())]
    return found


def test_a_heat_map_prints_every_cell_with_its_half_width(swept: Sweep) -> None:
    said = words(swept.plot("isolation"))
    for found in swept.estimates("isolation"):
        assert any(text.startswith(figure(found.mean, 1)) for text in said)
    assert sum(text.startswith("± ") and text != "± half-width" for text in said) >= len(swept.design.cells)


def test_a_heat_map_outlines_todays_rule_in_both_panels(swept: Sweep) -> None:
    picture = swept.plot("funded")
    outlined = [
        patch.get_xy()
        for axes in picture.axes
        for patch in axes.patches
        if isinstance(patch, Rectangle) and not patch.get_fill()
    ]
    assert outlined == [(0.5, 0.5), (0.5, 0.5)]  # the second level of both factors
    assert any("outlined: today's rule" in text for text in words(picture))
    changed = cc.sweep(BASE.but({"council.legal_floor": False}), GRID, replicates=2).plot("funded")
    assert any("the scenario as it stands" in text for text in words(changed))


def test_without_todays_rule_among_the_cells_there_is_one_panel() -> None:
    picture = cc.sweep(BASE, {"council.funding": [2, 3], "assessment.threshold": [1, 2]}, replicates=2).plot()
    assert len([axes for axes in picture.axes if axes.images]) == 1
    assert not any("outlined" in text for text in words(picture))


def test_axes_are_named_in_words_and_the_colour_bar_has_its_unit(swept: Sweep) -> None:
    said = words(swept.plot("funded"))
    assert {"50%", "100%", "150%", "1", "2"} <= set(said)
    assert "per 1,000 adults" in said
    assert any("today's" in text for text in said) and any(text.startswith("Care Act outcomes") for text in said)


def test_every_picture_says_where_it_comes_from(swept: Sweep, compared: Comparison) -> None:
    model = cc.CareCommons(BASE, rng=1).run()
    pictures = {
        "3 replicates": swept.plot("isolation"),
        "3 pairs": compared.plot(),
        "1 run": plots.run_picture(BASE, 1, model.series),
        "2 replicates": cc.sweep(BASE, {"council.funding": [1, 2]}, replicates=2).plot("funded"),
    }
    for runs, picture in pictures.items():
        (source,) = [text for text in words(picture) if text.startswith("carecommons: ")]
        for part in ("Derby", "120 citizens", runs, "3 months", BASE.digest):
            assert part in source
        assert ("paired luck" in source) == (runs != "1 run")


MAP = {"council.funding": [0.7, 1.0, 1.3], "assessment.threshold": [1, 3]}


@pytest.mark.parametrize(
    ("factors", "outcome"),
    [({"council.funding": [0.7, 1.3]}, "funded"), ({"council.funding": [0.7, 1.0, 1.3]}, "funded"), (MAP, "isolation")],
    ids=["one panel", "two panels", "a narrow map"],
)
def test_no_word_runs_out_of_the_picture(factors: dict[str, list[float]], outcome: str) -> None:
    picture = cc.sweep(BASE, factors, replicates=2).plot(outcome)
    picture.canvas.draw()
    width, height = picture.get_size_inches() * picture.dpi
    for text in picture.findobj(Text):
        if text.get_visible() and text.get_text():
            found = text.get_window_extent()
            assert found.x0 >= 0 and found.x1 <= width and found.y0 >= 0 and found.y1 <= height, text.get_text()


def test_pictures_repeat_to_the_byte(swept: Sweep, compared: Comparison) -> None:
    for kind in ("png", "svg", "pdf"):
        for result in (swept, compared):
            assert plots.as_bytes(result.plot(), kind) == plots.as_bytes(result.plot(), kind)
    assert b"<dc:date>" not in plots.as_bytes(swept.plot(), "svg")


def test_drawing_leaves_settings_alone(swept: Sweep) -> None:
    # Reading 'backend' would choose one.
    names = set(matplotlib.rcParams) - {"backend"}
    before = {name: matplotlib.rcParams[name] for name in names}
    swept.plot("isolation")
    assert {name: matplotlib.rcParams[name] for name in names} == before
    code = "import sys, carecommons.analysis.plots; print('matplotlib.pyplot' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"  # no backend is chosen for anybody


def test_a_picture_is_written_as_what_its_name_says(swept: Sweep, tmp_path: Path) -> None:
    for kind, opening in (("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")):
        swept.plot("isolation", tmp_path / f"map.{kind}")
        assert (tmp_path / f"map.{kind}").read_bytes().startswith(opening)
    with pytest.raises(InputError, match=r"\.png, \.svg or \.pdf"):
        swept.plot("isolation", tmp_path / "map.gif")
    assert [name for name, _ in plots.both(swept.plot(), "x")] == ["x.png", "x.svg"]


def test_what_no_picture_can_show_is_refused(swept: Sweep) -> None:
    three = {**GRID, "council.legal_floor": [True, False]}
    for factors in ({}, three, {"council.funding": "0:1:25"}):
        found = cc.sweep(BASE.but(months=0), factors, replicates=1)
        assert not plots.can_draw(found)
        with pytest.raises(InputError, match="a picture shows one or two factors"):
            found.plot()
    assert plots.can_draw(swept)
    with pytest.raises(InputError, match="did you mean 'isolation'"):
        swept.plot("isolatoin")


@pytest.mark.parametrize("change", [{"citizens": 0}, {"citizens": 1}, {"months": 0}])
def test_where_nothing_is_known_a_picture_is_drawn_all_the_same(change: dict[str, int]) -> None:
    base = BASE.but(change)
    for result in (
        cc.sweep(base, GRID, replicates=1),
        cc.sweep(base, {"assessment.stance": ["deficit", "carer_blind"]}, replicates=2),
        cc.compare(base, base.but({"council.funding": 0}), (1, 2)),
    ):
        assert plots.as_bytes(result.plot(), "png").startswith(b"\x89PNG")
    series = cc.CareCommons(base, rng=1).run().series
    assert plots.as_bytes(plots.run_picture(base, 1, series), "png").startswith(b"\x89PNG")


def test_noise_stays_pale() -> None:
    means, width = np.array([14.19, 14.21]), 0.5
    assert span_of(means, width, signed=False) == (13.7, 14.7)
    assert span_of(means - 14.2, width, signed=True) == (-0.5, 0.5)
    assert span_of(np.array([1.0, 9.0]), width, signed=False) == (1.0, 9.0)
    assert span_of(np.array([]), 0.0, signed=True) == (0.0, 1.0)


def test_better_and_worse_are_told_by_colour_and_by_shape(compared: Comparison) -> None:
    (legend,) = [axes.get_legend() for axes in compared.plot().axes]
    assert len({handle.get_marker() for handle in legend.legend_handles}) == 3  # type: ignore[union-attr]
    assert len({handle.get_color() for handle in legend.legend_handles}) == 3  # type: ignore[union-attr]


def test_a_notebook_shows_a_picture_by_itself(swept: Sweep) -> None:
    assert swept.plot()._repr_png_().startswith(b"\x89PNG")  # type: ignore[attr-defined]


def test_months_are_marked_in_years(tmp_path: Path) -> None:
    model = cc.CareCommons(SCENARIO.but(months=24, citizens=60), rng=1).run()
    picture = plots.run_picture(model.scenario, 1, model.series)
    ticks = [tick for tick in picture.axes[0].get_xticks() if 0 <= tick <= 24]
    assert ticks == [0, 6, 12, 18, 24]
