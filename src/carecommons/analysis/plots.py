"""Pictures of results: the only door to matplotlib. They need no screen, and the same results give the same bytes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import Colormap, LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from carecommons.errors import InputError
from carecommons.experiments.compare import Comparison
from carecommons.experiments.estimate import Estimate, variance
from carecommons.experiments.show import (
    PER,
    axis_of,
    decimals_for,
    figure,
    level_of,
    per_of,
    surely,
    title_of,
    unit_of,
)
from carecommons.experiments.sweep import Sweep
from carecommons.outcomes.catalogue import BY_NAME
from carecommons.scenario import Scenario

INK, GREY, PALE, LINE = "#1f2a36", "#5d6b7a", "#e6eaee", "#0b5cad"
BETTER, WORSE, NEITHER = "#0072b2", "#d55e00", "#7a8794"  # apart for colour-blind eyes as well (Okabe and Ito)
MAP: Final = LinearSegmentedColormap.from_list(
    "commons", ["#fbf7ea", "#d3e3c6", "#8cc3b5", "#4694a8", "#24618f", "#173a63"]
)
CHANGE: Final = LinearSegmentedColormap.from_list("change", ["#0b4f86", "#6aa6cf", "#f7f7f5", "#e9a46a", "#a8480a"])
STYLE: Final = {
    "font.family": "DejaVu Sans", "font.size": 10, "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": "#b6c0ca",
    "axes.spines.top": False, "axes.spines.right": False, "xtick.color": GREY, "ytick.color": GREY, "axes.titlelocation": "left",
    "axes.titlesize": 11, "axes.titleweight": "bold", "axes.titlecolor": INK, "svg.hashsalt": "carecommons", "svg.fonttype": "path",
    "figure.facecolor": "white", "savefig.facecolor": "white",
}  # fmt: skip
PANELS: Final = ("isolation", "loneliness", "unmet_hours", "requests", "funded", "unpaid_hours")
DOTS: Final = 160  # an inch
MOST_LEVELS: Final = 24  # of a factor, that a map can show
FOREST: Final = (
    "isolation", "isolation_in_need", "loneliness", "expressed", "requests", "waiting", "eligible", "funded", "funded_hours",
    "delivered", "crises", "breaches", "unmet_hours", "unmet_people", "helped", "satisfied_in_need", "scrqol_in_need", "carers",
    "carer_strain", "unpaid_hours", "community_hours", "own_hours", "council_spend", "own_spend",
)  # fmt: skip


class Picture(Figure):
    """A figure that notebooks show by themselves."""

    def _repr_png_(self) -> bytes:
        return as_bytes(self, "png")


def can_draw(sweep: Sweep) -> bool:
    """Whether a sweep fits a picture: one factor, or two of not too many levels."""
    levels = [len(each) for each in sweep.design.factors.values()]
    return len(levels) in (1, 2) and max(levels) <= MOST_LEVELS


def sweep_picture(sweep: Sweep, outcome: str, path: str | Path | None = None) -> Figure:
    """A heat map for two factors, a line for one."""
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
    """Two maps over two factors: the level of an outcome, and its change against the scenario's own cell, if there is one.

    The half-width under a level says how sure that level is; under a change it is that of paired differences, which
    common luck makes far narrower.
    """
    design, per = sweep.design, per_of(outcome)
    changes = sweep.changes(outcome, per=per)
    maps = [(sweep.estimates(outcome, per=per), "How much", MAP, False)]
    if changes is not None:
        maps.append((changes, f"Change against {_own_name(sweep)}", CHANGE, True))
    (across, columns), (down, rows) = _across_and_down(design.factors)
    width = 1.6 + 0.78 * max(len(columns), 4)
    height = 2.3 + 0.62 * max(len(rows), 4)
    with _drawing(width * len(maps) + 0.4, height) as picture:
        _headline(picture, f"{title_of(outcome)} in {_place(design.scenario)}", _definition(outcome))
        for number, (found, title, colours, signed) in enumerate(maps):
            axes = _axes(picture, number, len(maps), wide=0.78 * len(columns), high=0.62 * len(rows))
            _draw_map(picture, axes, _grid(sweep, found, across, down), colours, signed, unit_of(outcome))
            axes.set_title(title, pad=8, fontweight="normal")
            axes.set_xticks(range(len(columns)), [level_of(across, level) for level in columns])
            axes.set_yticks(range(len(rows)), [level_of(down, level) for level in rows])
            axes.set_xlabel(axis_of(across))
            if number == 0:
                axes.set_ylabel(_wrapped(axis_of(down), int(9 * len(rows))))
            _mark_own(axes, sweep, columns, rows, across, down)
        _source(picture, _facts(design.scenario, f"{design.replicates} replicates"))
    return picture


def line(sweep: Sweep, outcome: str) -> Figure:
    """An outcome over the levels of one factor, with its interval."""
    ((key, levels),) = sweep.design.factors.items()
    found = sweep.estimates(outcome, per=per_of(outcome))
    numeric = all(isinstance(level, int | float) and not isinstance(level, bool) for level in levels)
    where: Sequence[Any] = levels if numeric else range(len(levels))
    with _drawing(8.0, 4.8) as picture:
        _headline(picture, f"{title_of(outcome)} in {_place(sweep.design.scenario)}", _definition(outcome))
        axes = _axes(picture, 0, 1, wide=6.3, high=2.75)
        means, halves = [each.mean for each in found], [np.nan_to_num(each.half_width) for each in found]
        axes.errorbar(where, means, yerr=halves, color=LINE, marker="o", capsize=3, linewidth=1.6 if numeric else 0)
        axes.set_xticks(where, [level_of(key, level) for level in levels])
        axes.set_xlabel(axis_of(key))
        axes.set_ylabel(unit_of(outcome))
        axes.grid(axis="y", color=PALE)
        axes.set_axisbelow(True)
        if (own := sweep.design.own_cell) is not None:
            axes.axvline(where[own], color=GREY, linewidth=1, linestyle=(0, (4, 3)), zorder=0)
            axes.annotate(_own_name(sweep), (where[own], 1), (4, -2), xycoords=("data", "axes fraction"),
                          textcoords="offset points", va="top", fontsize=8.5, color=GREY)  # fmt: skip
        _source(picture, _facts(sweep.design.scenario, f"{sweep.design.replicates} replicates"))
    return picture


def panels(scenario: Scenario, seed: int, series: pd.DataFrame, outcomes: Sequence[str] = PANELS) -> Figure:
    """Outcomes of one run over its months, one a panel."""
    people = series["people"].to_numpy(float)
    with _drawing(11.0, 6.2) as picture:
        _headline(picture, f"Ten years in {_place(scenario)}" if scenario.months == 120 else f"{_place(scenario)}, month by month",
                  "one run, which shows what a course can look like, not what to expect: for that run a sweep")  # fmt: skip
        for number, outcome in enumerate(outcomes[:6]):
            axes = picture.add_axes((0.06 + 0.325 * (number % 3), 0.555 - 0.405 * (number // 3), 0.265, 0.245))
            values = series[outcome].to_numpy(float)
            per = per_of(outcome)
            values = (
                np.divide(per * values, people, out=np.full(len(values), np.nan), where=people > 0) if per else values
            )
            axes.plot(series.index, values, color=LINE, linewidth=1.6)
            axes.set_title(title_of(outcome).split(":")[0], pad=20)
            axes.text(0, 1.04, unit_of(outcome), transform=axes.transAxes, fontsize=8.5, color=GREY)
            axes.set_xlim(1, max(scenario.months, 2))
            axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
            axes.yaxis.set_major_locator(MaxNLocator(4))
            axes.grid(axis="y", color=PALE)
            axes.set_axisbelow(True)
            if number // 3:
                axes.set_xlabel("month", color=GREY, fontsize=9)
        _source(picture, _facts(scenario, f"1 run, seed {seed}", "", ""))
    return picture


def forest(comparison: Comparison) -> Figure:
    """Each outcome's paired difference in units of how much worlds differ, with the plain difference beside it."""
    rows = [(name, comparison.paired[name].difference, _spread(comparison, name)) for name in FOREST]
    rows = [(name, found, spread) for name, found, spread in rows if spread > 0 and not math.isnan(found.mean)]
    with _drawing(10.2, 2.5 + 0.285 * max(len(rows), 3)) as picture:
        _headline(picture, _arms(comparison), "b less a in the same worlds; 1 is as much as the middle two thirds of worlds differ "
                  "from their mean")  # fmt: skip
        axes = _axes(picture, 0, 1, wide=5.0, high=0.285 * max(len(rows), 3), left=2.15)
        axes.axvline(0, color=INK, linewidth=0.9)
        widest = max([1.0, *(abs(found.mean) / spread for _, found, spread in rows)])
        axes.set_xscale("symlog" if widest > 8 else "linear", **({"linthresh": 1} if widest > 8 else {}))
        for row, (name, found, spread) in enumerate(reversed(rows)):
            low, high = (found.low, found.high) if found.n > 1 else (found.mean, found.mean)
            colour, marker = _verdict(name, found)
            axes.plot([low / spread, high / spread], [row, row], color=colour, linewidth=2, solid_capstyle="round")
            axes.plot(found.mean / spread, row, marker=marker, color=colour, markersize=6.5, linestyle="none")
            axes.annotate(f"{surely(found, sign=True)} {BY_NAME[name].unit}", (1, row), (8, 0), va="center", fontsize=8.5, color=GREY,
                          xycoords=("axes fraction", "data"), textcoords="offset points")  # fmt: skip
        axes.set_yticks(range(len(rows)), [name.replace("_", " ") for name, _, _ in reversed(rows)])
        axes.set_ylim(-0.7, max(len(rows), 1) - 0.3)
        reach = 1.15 * max(
            [0.1, *(max(abs(f.low), abs(f.high), abs(f.mean)) / s if f.n > 1 else abs(f.mean) / s for _, f, s in rows)]
        )
        axes.set_xlim(-reach, reach)
        axes.tick_params(axis="y", length=0, labelcolor=INK)
        axes.grid(axis="x", color=PALE)
        axes.set_axisbelow(True)
        axes.spines["left"].set_visible(False)
        axes.set_xlabel("standardised difference, b less a")
        _legend(axes)
        _source(picture, _facts(comparison.scenario_a, f"{len(comparison.worlds)} pairs", f"last {comparison.last} months",
                                other=comparison.scenario_b))  # fmt: skip
    return picture


def _draw_map(
    picture: Figure, axes: Axes, grid: list[list[Estimate]], colours: Colormap, signed: bool, unit: str
) -> None:
    """Cells with a mean and its half-width; a signed map is centred on nought."""
    means = np.array([[each.mean for each in row] for row in grid], float)
    known = means[~np.isnan(means)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    if signed:
        high = max(abs(low), abs(high))
        low = -high
    if low == high:
        low, high = low - 0.5, high + 0.5
    image = axes.imshow(means, cmap=colours, vmin=low, vmax=high, origin="lower", aspect="auto")
    axes.set_xticks(np.arange(means.shape[1] + 1) - 0.5, minor=True)
    axes.set_yticks(np.arange(means.shape[0] + 1) - 0.5, minor=True)
    axes.grid(which="minor", color="white", linewidth=2)
    axes.tick_params(which="both", length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    widths = [each.half_width for row in grid for each in row if each.half_width > 0]
    places = decimals_for(float(np.median(widths))) if widths else None
    for y, row in enumerate(grid):
        for x, each in enumerate(row):
            shade = image.cmap(image.norm(each.mean))[:3] if not math.isnan(each.mean) else (1, 1, 1)
            ink = "white" if np.dot(shade, (0.299, 0.587, 0.114)) < 0.55 else INK
            plus = "+" if signed and each.mean > 0 else ""
            known_width = math.isfinite(each.half_width)
            axes.text(
                x,
                y + (0.13 if known_width else 0),
                plus + figure(each.mean, places),
                ha="center",
                va="center",
                fontsize=10,
                color=ink,
            )
            if known_width:
                axes.text(
                    x,
                    y - 0.24,
                    f"± {figure(each.half_width, places)}",
                    ha="center",
                    va="center",
                    fontsize=7.2,
                    color=ink,
                )
    bar = picture.colorbar(image, ax=axes, pad=0.02, fraction=0.045)
    bar.outline.set_visible(False)
    bar.ax.tick_params(length=0, labelsize=8.5)
    bar.set_label(unit, fontsize=9, color=GREY)
    bar.ax.yaxis.set_major_locator(MaxNLocator(5))


def _grid(sweep: Sweep, found: Sequence[Estimate], across: str, down: str) -> list[list[Estimate]]:
    factors = sweep.design.factors
    cells = {(cell[across], cell[down]): each for cell, each in zip(sweep.design.cells, found, strict=True)}
    return [[cells[column, row] for column in factors[across]] for row in factors[down]]


def _across_and_down(factors: Mapping[str, tuple[Any, ...]]) -> list[tuple[str, tuple[Any, ...]]]:
    """The two factors as given: the first runs across, the second up."""
    return list(factors.items())


def _mark_own(axes: Axes, sweep: Sweep, columns: Sequence[Any], rows: Sequence[Any], across: str, down: str) -> None:
    own = sweep.design.own_cell
    if own is None:
        return
    cell = sweep.design.cells[own]
    x, y = columns.index(cell[across]), rows.index(cell[down])
    axes.add_patch(
        Rectangle((x - 0.5, y - 0.5), 1, 1, fill=False, edgecolor=INK, linewidth=2.4, zorder=3, clip_on=False)
    )


def _own_name(sweep: Sweep) -> str:
    """How the scenario's own cell is called: today's rule, where nothing but size and place was set."""
    changed = set(sweep.design.scenario.changes()) - {"name", "place", "citizens", "months"}
    return "the scenario as it stands" if changed else "today's rule"


def _spread(comparison: Comparison, name: str) -> float:
    """How much worlds differ: the standard deviation over worlds, both arms taken together."""
    arms = comparison.pairs[comparison.pairs["outcome"] == name]
    variances = [variance([x for x in arms[arm].tolist() if not math.isnan(x)]) for arm in ("a", "b")]
    return math.sqrt(sum(variances) / 2) if not any(map(math.isnan, variances)) else 0.0


def _verdict(name: str, found: Estimate) -> tuple[str, str]:
    """Colour and shape: surely better, surely worse, or neither."""
    good = BY_NAME[name].good
    if good == "neither" or math.isnan(found.low) or found.low <= 0 <= found.high:
        return NEITHER, "o"
    return (BETTER, "^") if (found.mean > 0) == (good == "up") else (WORSE, "v")


def _legend(axes: Axes) -> None:
    entries = (
        ("surely better in b", BETTER, "^"),
        ("surely worse in b", WORSE, "v"),
        ("neither, or not to be told", NEITHER, "o"),
    )
    for words, colour, marker in entries:
        axes.plot([], [], color=colour, marker=marker, linestyle="none", label=words)
    axes.legend(
        loc="lower left",
        bbox_to_anchor=(-0.02, 1.0),
        ncol=3,
        frameon=False,
        fontsize=8.5,
        handletextpad=0.1,
        columnspacing=1.4,
    )


def _arms(comparison: Comparison) -> str:
    changed = comparison.changed()
    where = _place(comparison.scenario_a)
    if len(changed) == 1:
        ((key, values),) = changed.items()
        return f"{where}: {key} {level_of(key, values['b'])} (b) against {level_of(key, values['a'])} (a)"
    return f"{where}: {comparison.scenario_b.name or 'b'} against {comparison.scenario_a.name or 'a'}"


def _place(scenario: Scenario) -> str:
    return scenario.profile().name


def _definition(outcome: str) -> str:
    """The outcome's definition, less what the headline says already."""
    return (
        BY_NAME[outcome].definition.split(": ", 1)[-1]
        if BY_NAME[outcome].definition.startswith("demand, ")
        else BY_NAME[outcome].definition
    )


def _facts(scenario: Scenario, runs: str, counted: str = "mean of the last 12 months", luck: str = "95% t intervals, paired luck",
           other: Scenario | None = None) -> str:  # fmt: skip
    """The source line that every picture carries."""
    hashes = scenario.digest if other is None else f"{scenario.digest} and {other.digest}"
    said = (
        _place(scenario),
        f"{scenario.citizens:,} citizens",
        runs,
        f"{scenario.months} months",
        counted,
        luck,
        f"scenario {hashes}",
    )
    return "carecommons: " + ", ".join(part for part in said if part)


@contextmanager
def _drawing(width: float, height: float) -> Iterator[Figure]:
    """A figure of so many inches in our style, drawn without touching anybody's settings."""
    with matplotlib.rc_context(STYLE):
        picture = Picture(figsize=(width, height))
        FigureCanvasAgg(picture)
        yield picture


def _axes(picture: Figure, number: int, count: int, *, wide: float, high: float, left: float = 0.85) -> Axes:
    """The plot's own room, so many inches wide and high, in panel `number` of `count` side by side."""
    width, height = picture.get_size_inches()
    room = width / count
    return picture.add_axes(((number * room + left) / width, 0.92 / height, (wide + 0.55) / width, high / height))


def _headline(picture: Figure, title: str, subtitle: str) -> None:
    height = picture.get_size_inches()[1]
    left = 0.18 / picture.get_size_inches()[0]
    picture.text(left, 1 - 0.18 / height, title, fontsize=14.5, fontweight="bold", va="top")
    picture.text(left, 1 - 0.50 / height, subtitle, fontsize=9.5, color=GREY, va="top")


def _source(picture: Figure, text: str) -> None:
    width, height = picture.get_size_inches()
    picture.text(0.18 / width, 0.12 / height, text, fontsize=7.2, color=GREY, va="bottom")


def _wrapped(text: str, width: int) -> str:
    lines, line = [], ""
    for word in text.split():
        if line and len(line) + 1 + len(word) > max(width, 24):
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return "\n".join([*lines, line])


def _kept(picture: Figure, path: str | Path | None) -> Figure:
    if path is not None:
        kind = Path(path).suffix.lstrip(".").lower() or "png"
        if kind not in ("png", "svg", "pdf"):
            raise InputError(f"{path}: a picture is written as .png, .svg or .pdf")
        Path(path).write_bytes(as_bytes(picture, kind))
    return picture
