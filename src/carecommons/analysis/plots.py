"""Pictures of results: the only door to matplotlib. They need no screen, and the same results give the same bytes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from textwrap import fill
from typing import Any, Final

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator, MultipleLocator

from carecommons.analysis.captions import (
    VERDICTS,
    arms_of,
    counted_of,
    definition_of,
    grid_of,
    head_of,
    minus,
    own_name,
    place_of,
    rate_of,
    reach_of,
    source_of,
    span_of,
    spread_of,
    verdict,
)
from carecommons.errors import InputError, one_line
from carecommons.experiments.comparison import Comparison
from carecommons.experiments.design import check_outcomes
from carecommons.experiments.estimate import LAST, Estimate
from carecommons.experiments.show import (
    axis_of,
    decimals_for,
    figure,
    level_of,
    per_of,
    surely,
    unit_of,
)
from carecommons.experiments.sweep import Sweep
from carecommons.outcomes.catalogue import BY_NAME
from carecommons.scenario import Scenario

INK, GREY, PALE, LINE = "#1f2a36", "#5d6b7a", "#e6eaee", "#0b5cad"
BRIGHTNESS: Final = (0.299, 0.587, 0.114)  # of red, green and blue (ITU-R BT.601)
DARK: Final = 0.5  # brightness under which a cell is written on in white
WIDE_REACH: Final = 12.0  # standard deviations beyond which differences stand on a logarithmic scale
MAP: Final = LinearSegmentedColormap.from_list(
    "commons", ["#fbf7ea", "#d3e3c6", "#8cc3b5", "#4694a8", "#24618f", "#173a63"]
)
CHANGE: Final = LinearSegmentedColormap.from_list("change", ["#0b4f86", "#6aa6cf", "#f7f7f5", "#e9a46a", "#a8480a"])
STYLE: Final[dict[Any, Any]] = {
    "font.family": "DejaVu Sans", "font.size": 10, "text.color": INK,
    "figure.facecolor": "white", "savefig.facecolor": "white",
    "axes.labelcolor": INK, "axes.edgecolor": "#b6c0ca", "axes.spines.top": False, "axes.spines.right": False,
    "axes.titlelocation": "left", "axes.titlesize": 11, "axes.titleweight": "bold", "axes.titlecolor": INK,
    "xtick.color": GREY, "ytick.color": GREY, "svg.hashsalt": "carecommons", "svg.fonttype": "path",
    "text.parse_math": False,  # a dollar sign in a name is a dollar sign
}  # fmt: skip
SMALL_LETTER: Final = 0.054  # inches that a letter of the source line takes
PANELS: Final = ("isolation", "loneliness", "unmet_hours", "requests", "funded", "unpaid_hours")
DOTS: Final = 160  # an inch
CELL: Final = (0.78, 0.60)  # inches
LINE_HIGH: Final = 0.18  # inches of a line of text
LETTER: Final = 0.085  # inches of a letter on an axis
MOST_LEVELS: Final = 24  # of a factor, that a map can show
FOREST: Final = (
    "isolation", "isolation_in_need", "loneliness", "expressed", "requests", "waiting", "eligible", "funded",
    "funded_hours", "delivered", "crises", "breaches", "unmet_hours", "unmet_people", "helped", "satisfied_in_need",
    "scrqol_in_need", "carers", "carer_strain", "unpaid_hours", "community_hours", "own_hours", "council_spend",
    "own_spend",
)  # fmt: skip
TICKS: Final = (1, 2, 3, 6, 12, 24, 60, 120, 240)  # months that may stand between two ticks


class Picture(Figure):
    """A figure that notebooks show by themselves."""

    def _repr_png_(self) -> bytes:
        return as_bytes(self, "png")


def can_draw(sweep: Sweep) -> bool:
    """Whether a sweep fits a picture: one factor, or a whole grid of two, of not too many levels."""
    levels = [len(each) for each in sweep.design.factors.values()]
    return len(levels) in (1, 2) and max(levels) <= MOST_LEVELS and len(sweep.design.cells) == math.prod(levels)


def sweep_picture(sweep: Sweep, outcome: str, path: str | Path | None = None) -> Figure:
    """A heat map for two factors, a line for one."""
    check_outcomes([outcome])
    count = len(sweep.design.factors)
    if not can_draw(sweep):
        raise InputError(f"a picture shows one or two factors of at most {MOST_LEVELS} levels, and {count} were varied")
    return _kept(heat_map(sweep, outcome) if count == 2 else line(sweep, outcome), path)


def comparison_picture(comparison: Comparison, path: str | Path | None = None) -> Figure:
    """The differences as a forest."""
    return _kept(forest(comparison), path)


def run_picture(scenario: Scenario, seed: int, series: pd.DataFrame, path: str | Path | None = None) -> Figure:
    """Six outcomes of one run over its months."""
    return _kept(panels(scenario, seed, series), path)


def as_bytes(picture: Figure, kind: str) -> bytes:
    """The picture as `png`, `svg` or `pdf`, undated."""
    out = BytesIO()
    dates = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
    with matplotlib.rc_context(STYLE):
        picture.savefig(out, format=kind, dpi=DOTS, metadata=dates.get(kind))
    return out.getvalue()


def both(picture: Figure, stem: str) -> Iterator[tuple[str, bytes]]:
    """The files of a picture: PNG to look at, SVG to print."""
    for kind in ("png", "svg"):
        yield f"{stem}.{kind}", as_bytes(picture, kind)


def heat_map(sweep: Sweep, outcome: str) -> Figure:
    """Two maps over two factors: how much there is of an outcome, and its change against the scenario's own cell.

    The half-width under a level says how sure that level is; under a change it is that of paired differences, which
    common luck makes far narrower. Colours span at least the half-widths, so that noise stays pale.
    """
    design, per = sweep.design, per_of(outcome)
    changes = sweep.changes(outcome, per=per)
    maps = [(sweep.estimates(outcome, per=per), "How much", MAP, False)]
    if changes is not None:
        maps.append((changes, f"Change against {own_name(sweep)}", CHANGE, True))
    (across, columns), (down, rows) = design.factors.items()
    wide, high = CELL[0] * max(len(columns), 4), CELL[1] * max(len(rows), 3)
    label = fill(axis_of(across), max(13 * len(columns), 52))
    lines = label.count("\n") + 1
    names = [level_of(down, level) for level in rows]
    side = fill(axis_of(down), max(9 * len(rows), 24))
    left = 0.49 + LETTER * max(max(map(len, names)) - 4, 0) + LINE_HIGH * (side.count("\n") + 1)
    with _drawing((wide + left + 1.2) * len(maps) + 0.1, high + 1.87 + LINE_HIGH * lines) as picture:
        _headline(
            picture,
            f"{head_of(outcome)} in {place_of(design.scenario)}",
            f"{definition_of(outcome)}; {unit_of(outcome)}",
        )
        for number, (found, title, colours, signed) in enumerate(maps):
            axes = _axes(picture, number, len(maps), wide=wide, high=high, left=left, lines=lines)
            _draw_map(picture, axes, grid_of(sweep, found, across, down), colours, signed, unit_of(outcome))
            axes.set_title(title, pad=7, fontweight="normal")
            axes.set_xticks(range(len(columns)), [level_of(across, level) for level in columns])
            axes.set_yticks(range(len(rows)), names)
            axes.set_xlabel(label)
            if number == 0:
                axes.set_ylabel(side)
            _mark_own(axes, sweep, columns, rows, across, down)
        own = "" if changes is None else f"; outlined: {own_name(sweep)}; bold: its interval leaves out 0"
        sure = "± half-width of the 95% interval" if design.replicates > 1 else "one replicate: no interval"
        _note(picture, f"{sure}{own}")
        _source(picture, source_of(design.scenario, *_counted(sweep)))
    return picture


def line(sweep: Sweep, outcome: str) -> Figure:
    """An outcome over the levels of one factor, and its change against the scenario's own level, with intervals."""
    ((key, levels),) = sweep.design.factors.items()
    per, unit = per_of(outcome), unit_of(outcome)
    changes = sweep.changes(outcome, per=per)
    drawn = [(sweep.estimates(outcome, per=per), "How much")]
    drawn += [] if changes is None else [(changes, f"Change against {own_name(sweep)}")]
    numeric = all(isinstance(level, int | float) and not isinstance(level, bool) for level in levels)
    where: Sequence[Any] = levels if numeric else range(len(levels))
    label = fill(axis_of(key), 62)
    lines = label.count("\n") + 1
    with _drawing(6.4 * len(drawn), 4.42 + LINE_HIGH * lines) as picture:
        _headline(
            picture, f"{head_of(outcome)} in {place_of(sweep.design.scenario)}", f"{definition_of(outcome)}; {unit}"
        )
        for number, (found, title) in enumerate(drawn):
            axes = _axes(picture, number, len(drawn), wide=4.45, high=2.55, left=0.95, lines=lines)
            axes.set_title(title, pad=7, fontweight="normal")
            _draw_levels(axes, where, found, joined=numeric)
            axes.set_xticks(where, [level_of(key, level) for level in levels])
            axes.set_xlabel(label)
            axes.set_ylabel(unit)
            if (own := sweep.design.own_cell) is not None:
                axes.axvline(where[own], color=GREY, linewidth=1, linestyle=(0, (4, 3)), zorder=0)
        own_words = "" if changes is None else f"; broken line: {own_name(sweep)}"
        sure = "bars: 95% intervals" if sweep.design.replicates > 1 else "one replicate: no interval"
        _note(picture, f"{sure}{own_words}")
        _source(picture, source_of(sweep.design.scenario, *_counted(sweep)))
    return picture


def _counted(sweep: Sweep) -> tuple[str, str]:
    design = sweep.design
    months = design.factors.get("months", (design.scenario.months,))
    return counted_of(design.replicates, "replicate", months, LAST)


def _draw_levels(axes: Axes, where: Sequence[Any], found: Sequence[Estimate], joined: bool) -> None:
    means, halves = [each.mean for each in found], [np.nan_to_num(each.half_width) for each in found]
    line = "-" if joined else "none"
    axes.errorbar(
        where, means, yerr=halves, color=LINE, marker="o", linestyle=line, linewidth=1.6, elinewidth=1.4, capsize=3
    )
    axes.margins(x=0.08 if joined else 0.2)
    axes.yaxis.set_major_formatter(_thousands)
    axes.grid(axis="y", color=PALE)
    axes.set_axisbelow(True)


def panels(scenario: Scenario, seed: int, series: pd.DataFrame, outcomes: Sequence[str] = PANELS) -> Figure:
    """Outcomes of one run over its months, one a panel."""
    years = f"Ten years in {place_of(scenario)}" if scenario.months == 120 else f"{place_of(scenario)}, month by month"
    step = next((months for months in TICKS if scenario.months <= 6 * months), TICKS[-1])
    with _drawing(11.0, 6.2) as picture:
        _headline(picture, years, "one run: what a course can look like, not what to expect, which only many runs tell")
        for number, outcome in enumerate(outcomes[:6]):
            axes = picture.add_axes((0.06 + 0.325 * (number % 3), 0.55 - 0.405 * (number // 3), 0.265, 0.25))
            axes.plot(series.index, rate_of(series, outcome), color=LINE, linewidth=1.6)
            axes.set_title(head_of(outcome), pad=20)
            axes.text(0, 1.04, unit_of(outcome), transform=axes.transAxes, fontsize=8.5, color=GREY)
            axes.set_xlim(0, max(scenario.months, 2))
            axes.xaxis.set_major_locator(MultipleLocator(step))
            axes.yaxis.set_major_locator(MaxNLocator(4))
            axes.yaxis.set_major_formatter(_thousands)
            axes.grid(axis="y", color=PALE)
            axes.set_axisbelow(True)
            if number // 3:
                axes.set_xlabel("month", color=GREY, fontsize=9)
        _source(picture, source_of(scenario, f"1 run, seed {seed}"))
    return picture


def forest(comparison: Comparison) -> Figure:
    """Each outcome's paired difference in units of how much worlds differ, with the plain difference beside it."""
    rows = [(name, comparison.paired[name].difference, spread_of(comparison, name)) for name in reversed(FOREST)]
    rows = [(name, found, spread) for name, found, spread in rows if spread > 0 and not math.isnan(found.mean)]
    high = 0.285 * max(len(rows), 3)
    with _drawing(10.2, 2.15 + high) as picture:
        _headline(
            picture, arms_of(comparison), "paired differences, b less a; 1 is the standard deviation between worlds"
        )
        axes = _axes(picture, 0, 1, wide=5.0, high=high, left=2.15)
        axes.axvline(0, color=INK, linewidth=0.9)
        reach = max([0.1, *(reach_of(found) / spread for _, found, spread in rows)])
        if reach > WIDE_REACH:
            axes.set_xscale("symlog", linthresh=1)
        for row, (name, found, spread) in enumerate(rows):
            _draw_difference(axes, row, name, found, spread)
        axes.set_yticks(range(len(rows)), [name.replace("_", " ") for name, _, _ in rows])
        axes.set_ylim(-0.7, max(len(rows), 1) - 0.3)
        axes.set_xlim(-1.15 * reach, 1.15 * reach)
        axes.tick_params(axis="y", length=0, labelcolor=INK)
        axes.grid(axis="x", color=PALE)
        axes.set_axisbelow(True)
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("standardised difference, b less a")
        _legend(axes)
        months = [comparison.scenario_a.months, comparison.scenario_b.months]
        said = counted_of(len(comparison.ends), "pair", months, comparison.last)
        _source(picture, source_of(comparison.scenario_a, *said, comparison.scenario_b))
    return picture


def _draw_difference(axes: Axes, row: int, name: str, found: Estimate, spread: float) -> None:
    colour, marker = verdict(name, found)
    low, high = (found.low, found.high) if found.n > 1 else (found.mean, found.mean)
    axes.plot([low / spread, high / spread], [row, row], color=colour, linewidth=2, solid_capstyle="round")
    axes.plot(found.mean / spread, row, marker=marker, color=colour, markersize=6.5, linestyle="none")
    axes.annotate(
        f"{minus(surely(found, sign=True))} {BY_NAME[name].unit}", (1, row), (8, 0), va="center",
        fontsize=8.5, color=GREY, xycoords=("axes fraction", "data"), textcoords="offset points",
    )  # fmt: skip


def _draw_map(
    picture: Figure, axes: Axes, grid: list[list[Estimate]], colours: Colormap, signed: bool, unit: str
) -> None:
    """Cells with a mean and its half-width; a signed map is centred on nought."""
    means = np.array([[each.mean for each in row] for row in grid], float)
    widths = [each.half_width for row in grid for each in row if each.half_width > 0]
    low, high = span_of(means[~np.isnan(means)], max(widths, default=0.0), signed)
    places = decimals_for(widths)
    image = axes.imshow(means, cmap=colours, vmin=low, vmax=high, origin="lower", aspect="auto")
    axes.set_xticks(np.arange(means.shape[1] + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(means.shape[0] + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=2)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)
    for (y, x), shade in np.ndenumerate(image.to_rgba(means)[..., :3] @ np.array(BRIGHTNESS)):
        _write_cell(axes, x, y, grid[y][x], places, "white" if shade < DARK else INK, signed)
    bar = picture.colorbar(image, ax=axes, pad=0.02, fraction=0.045)
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0, labelsize=8.5)
    bar.set_label(unit, fontsize=9, color=GREY)
    bar.ax.yaxis.set_major_locator(MaxNLocator(5))
    bar.ax.yaxis.set_major_formatter(_thousands)


def _write_cell(axes: Axes, x: int, y: int, found: Estimate, places: int | None, ink: str, signed: bool) -> None:
    same = signed and found.low == found.mean == found.high == 0
    sure = math.isfinite(found.half_width) and not same
    words = "0" if same else minus(figure(found.mean, places, sign=signed))
    told = signed and sure and not found.low <= 0 <= found.high
    axes.text(x, y + (0.13 if sure else 0), words, ha="center", va="center", fontsize=10, color=ink,
              fontweight="bold" if told else "normal")  # fmt: skip
    if sure:
        axes.text(
            x, y - 0.24, f"± {figure(found.half_width, places)}", ha="center", va="center", fontsize=7.2, color=ink
        )


def _thousands(value: float, at: float | None = None) -> str:
    return minus(f"{value:,.10g}")


def _mark_own(axes: Axes, sweep: Sweep, columns: Sequence[Any], rows: Sequence[Any], across: str, down: str) -> None:
    own = sweep.design.own_cell
    if own is None:
        return
    cell = sweep.design.cells[own]
    x, y = columns.index(cell[across]), rows.index(cell[down])
    axes.add_patch(
        Rectangle((x - 0.5, y - 0.5), 1, 1, fill=False, edgecolor=INK, linewidth=2.4, zorder=3, clip_on=False)
    )


def _legend(axes: Axes) -> None:
    for words, colour, marker in VERDICTS:
        axes.plot([], [], color=colour, marker=marker, linestyle="none", label=words)
    axes.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncol=3, frameon=False, fontsize=8.5, handletextpad=0.1)


@contextmanager
def _drawing(width: float, height: float) -> Iterator[Figure]:
    """A figure of so many inches in our style, drawn without touching anybody's settings."""
    with matplotlib.rc_context(STYLE):
        picture = Picture(figsize=(width, height))
        FigureCanvasAgg(picture)
        yield picture


def _axes(
    picture: Figure, number: int, count: int, *, wide: float, high: float, left: float = 0.85, lines: int = 1
) -> Axes:
    """The plot's own room, so many inches wide and high, in panel `number` of `count`, over so many lines of label."""
    width, height = picture.get_size_inches()
    left, low = number * width / count + left, 0.84 + LINE_HIGH * lines
    return picture.add_axes((left / width, low / height, (wide + 0.55) / width, high / height))


def _headline(picture: Figure, title: str, subtitle: str) -> None:
    width, height = picture.get_size_inches()
    left = 0.18 / width
    size = min(9.5, 7.2 * (width - 0.36) / SMALL_LETTER / len(subtitle))  # a narrow picture has smaller letters
    picture.text(left, 1 - 0.18 / height, title, fontsize=14.5, fontweight="bold", va="top")
    picture.text(left, 1 - 0.50 / height, subtitle, fontsize=size, color=GREY, va="top")


def _source(picture: Figure, text: str) -> None:
    width, height = picture.get_size_inches()
    lines = fill(text, int((width - 0.36) / SMALL_LETTER))
    picture.text(0.18 / width, (0.05 if "\n" in lines else 0.12) / height, lines, fontsize=7.2, color=GREY, va="bottom")


def _note(picture: Figure, text: str) -> None:
    width, height = picture.get_size_inches()
    picture.text(0.18 / width, 0.32 / height, text, fontsize=8, color=INK, va="bottom")


def _kept(picture: Figure, path: str | Path | None) -> Figure:
    if path is not None:
        if not Path(path).parent.is_dir():
            raise InputError(f"{one_line(path)}: there is no folder {one_line(Path(path).parent)}, make it first")
        kind = Path(path).suffix.lstrip(".").lower() or "png"
        if kind not in ("png", "svg", "pdf"):
            raise InputError(f"{path}: a picture is written as .png, .svg or .pdf")
        Path(path).write_bytes(as_bytes(picture, kind))
    return picture
