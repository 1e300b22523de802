# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Funding and eligibility
#
# A council can spend more or less, and it can serve people with fewer or with more difficulties. What do the two do to
# isolation, and what to demand?
#
# The texts that this package was written to test expect different things:
#
# - *Five questions with one answer* (Fox, 2012): ties lower isolation and the need for services; hours of service do
#   not cure isolation.
# - *Turning the welfare state upside down? .. not just yet* (2013, on Glasby and others): tighter eligibility leaves
#   people with unmet need, isolation and crises, and what communities do cannot make up for it at that scale.
# - *Turning Communities into Catalysts for Change* (NLGN, 2019): without prevention demand cannot be sustained.
# - *How can Community Power create a brighter social care future?* (Social Care Future and New Local, after 2021):
#   money first among the challenges, but not money alone.
# - *Community Sourcing and Social Care* (Yapp and Howells, Centre for Welfare Reform, 2013): time spent on gatekeeping
#   is time not spent on solutions.
#
# All of them speak of *demand*. It falls when need is prevented; when others meet it; when people are kept away; when
# they wait. Only the first is what anybody promises. So each fall in demand below is taken apart.

# %%
import numpy as np
import pandas as pd

import carecommons as cc
from carecommons.experiments.estimate import Estimate

CITIZENS, MONTHS, REPLICATES = 1_500, 48, 5  # for results worth quoting: 10_000, 120 and 10 or more
today = cc.Scenario(name="today", place="derby", citizens=CITIZENS, months=MONTHS)
grid = cc.sweep(
    today, {"council.funding": [0.7, 0.85, 1.0, 1.15, 1.3], "assessment.threshold": [1, 2, 4, 6]}, replicates=REPLICATES
)
grid

# %% [markdown]
# ## The rule of reading, before the results
#
# A change counts as *higher* or *lower* when its 95% interval lies on one side of nought **and** it is at least as
# large as the smallest change that we would care about. It counts as *no change that matters* when the whole interval
# lies within that smallest change. Everything else *cannot be told* from so many worlds. The smallest changes are a
# choice, made here and not after the fact: 5 percentage points of isolation, 2% of today's figure for everything else.


# %%
def smallest(outcome: str) -> float:
    """The smallest change that we would care about."""
    own = grid.estimates(outcome)[grid.design.own_cell]
    return 5.0 if outcome == "isolation" else abs(0.02 * own.mean)


def verdict(found: Estimate, least: float) -> str:
    """How a change reads."""
    if found.low > -least and found.high < least:
        return "no change that matters"
    if found.low > 0 and found.mean >= least:
        return "higher"
    if found.high < 0 and found.mean <= -least:
        return "lower"
    return "cannot be told"


def changes(outcomes: list[str], cell: dict) -> pd.DataFrame:
    """What is different in a cell from today's rule and money, world by world."""
    number = next(k for k, levels in enumerate(grid.design.cells) if levels == {**OWN, **cell})
    rows = []
    for outcome in outcomes:
        found = grid.changes(outcome)[number]
        was = grid.estimates(outcome)[grid.design.own_cell].mean
        reading = verdict(found, smallest(outcome))
        rows.append((outcome, UNITS[outcome], was, found.mean, found.low, found.high, reading))
    columns = ["outcome", "unit", "today", "change", "low", "high", "reads as"]
    return pd.DataFrame(rows, columns=columns).set_index("outcome").round(2)


OWN = {"council.funding": 1.0, "assessment.threshold": 2}
UNITS = {outcome.name: outcome.unit for outcome in cc.OUTCOMES}

# %% [markdown]
# ## The two maps
#
# Left how much, right the change against today's money and rule (outlined), in the same worlds.

# %%
grid.plot("isolation")

# %%
grid.plot("funded")

# %% [markdown]
# ## What funding does
#
# Same rule, same people, same luck; 70% and 130% of today's money.

# %%
WATCHED = [
    "isolation", "latent", "requests", "eligible", "funded", "unmet_hours", "unpaid_hours", "own_hours", "carer_strain",
    "crises", "breaches",
]  # fmt: skip
less = changes(WATCHED, {"council.funding": 0.7})
less

# %%
more = changes(WATCHED, {"council.funding": 1.3})
more

# %%
words = {
    "funded": "people funded",
    "unmet_hours": "unmet need",
    "isolation": "isolation",
    "unpaid_hours": "unpaid care",
}


def in_words(table: pd.DataFrame) -> str:
    """The main lines of a table as one sentence."""
    rows = {name: table.loc[name] for name in words}
    return "; ".join(
        f"{words[name]} {row['change']:+,.1f} on {row['today']:,.1f}: {row['reads as']}" for name, row in rows.items()
    )


print(f"With 70% of today's money, {in_words(less)}.")
print(f"With 130%, {in_words(more)}.")
if {less.loc["isolation", "reads as"], more.loc["isolation", "reads as"]} == {"no change that matters"}:
    print(
        "Isolation hardly follows hours of care, as Fox (2012) expects. How far that was put in: see the last sections."
    )
else:
    print("Isolation moves with money, or may do: not what Fox (2012) expects of hours of service alone.")

# %% [markdown]
# ## What eligibility does
#
# Same money; everybody with one failed outcome, and only people with six.

# %%
generous = changes(WATCHED, {"assessment.threshold": 1})
generous

# %%
strict = changes(WATCHED, {"assessment.threshold": 6})
strict

# %%
words |= {"eligible": "people eligible", "latent": "people in need", "crises": "crises"}
print(f"With a threshold of six, {in_words(strict)}.")

# %% [markdown]
# Where the same money meets fewer eligible people, those who remain may get more of what they were found to need, and
# the number funded falls by less than the number eligible, or not at all. Where it meets more people than it can pay
# for, the rule moves the line between *not eligible* and *eligible but not paid*: `breaches`. A council that keeps to
# a generous rule without the money breaks the law; one that tightens the rule does not. The need is the same.
#
# How much a threshold can do at all depends on who comes to be assessed. Of everybody in need, and of those whom the
# council has assessed:

# %%
seen = cc.CareCommons(today, rng=1).run().place.citizens
failed = np.bitwise_count(seen.deficits)
in_need = seen.alive & (seen.level > 0)
who = {"of all in need": in_need, "of those assessed": in_need & seen.assessed}
shares = pd.DataFrame(
    {f"{k} or more": {name: (failed[rows] >= k).mean() for name, rows in who.items()} for k in (1, 2, 4, 6)}
)
shares.map("{:.0%}".format)

# %%
moved = shares.loc["of those assessed", "2 or more"] - shares.loc["of those assessed", "6 or more"]
print(f"Between a threshold of two and of six stand {moved:.0%} of those assessed: the most that moving it can decide.")
if "no change that matters" in (strict.loc["funded", "reads as"], generous.loc["funded", "reads as"]):
    print(
        "In part it decides nothing: money runs out before the rule does, and every rule serves the worst need first."
    )

# %% [markdown]
# If that is so, the rule should matter more where there is more money. Mean people funded and mean breaches over the
# worlds, by money and rule:

# %%
cells = pd.DataFrame(grid.design.cells)
for outcome in ("funded", "breaches"):
    cells[outcome] = [found.mean for found in grid.estimates(outcome)]
by_money = cells.pivot(index="council.funding", columns="assessment.threshold", values=["funded", "breaches"])
by_money.round(1)

# %%
falls = by_money["funded"][2] - by_money["funded"][6]
for money, fall in falls.items():
    print(f"{money:.0%} of today's money: a threshold of six instead of two, {-fall:+.1f} people funded")
if falls.iloc[-1] > falls.iloc[0]:
    print("The threshold matters more where money is not short. (Means of few worlds, without an interval.)")
else:
    print("In these few worlds the threshold does not matter more where there is more money.")

# %% [markdown]
# ## Has demand fallen, or only its recording?
#
# The funnel under four rules at today's money. The lower rows are written by the rule. The first is not: need can
# answer only to what follows from a rule for the people concerned.

# %%
funnel = pd.DataFrame(
    {
        f"{levels['assessment.threshold']} outcomes": {
            step: grid.estimates(step)[k].mean
            for step in ("latent", "expressed", "requests", "waiting", "eligible", "funded")
        }
        for k, levels in enumerate(grid.design.cells)
        if levels["council.funding"] == 1.0
    }
)
funnel.round(1)

# %%
two, six = funnel["2 outcomes"], funnel["6 outcomes"]
for step, named in (
    ("latent", "people in need"), ("requests", "requests a month"), ("waiting", "people waiting"),
    ("eligible", "people eligible"), ("funded", "people funded"),
):  # fmt: skip
    rise = six[step] / two[step] - 1
    print(f"{named}: {two[step]:.1f} with a threshold of two, {six[step]:.1f} with six ({rise:+.0%})")
if six["eligible"] < two["eligible"] and six["requests"] > two["requests"]:
    print("Fewer are found eligible, and more requests come in: who is turned down still needs, and asks again.")

# %% [markdown]
# Rules are not the only lever on recorded demand, and perhaps not the strongest. A door half shut (harder to reach,
# longer on hold) takes half of the requests away without any decision that could be appealed against:

# %%
door = cc.compare(today, today.but({"name": "half-shut door", "asking.door": 0.5}), seeds=range(1, REPLICATES + 1))
recorded = ["latent", "need_hours", "requests", "expressed", "eligible", "funded", "unmet_hours"]
door.table.loc[recorded, ["a", "b", "difference", "low", "high"]].round(2)

# %% [markdown]
# Now funded care, in the same worlds side by side: a threshold of six, and 70% of the money, against today. The
# difference is taken apart person by person: *prevented* where the need is less, *met elsewhere* where unpaid help,
# groups or own money give more, *deterred* where somebody in need is kept away, turned down or not paid for, *delayed*
# where he waits for an assessment. The parts sum to the whole; a share with a minus sign goes the other way.

# %%
tighter = cc.compare(
    today, today.but({"name": "six outcomes", "assessment.threshold": 6}), seeds=range(1, REPLICATES + 1)
)
tighter.attribution.round(2)

# %%
poorer = cc.compare(
    today, today.but({"name": "70% of the money", "council.funding": 0.7}), seeds=range(1, REPLICATES + 1)
)
poorer.attribution.round(2)


# %%
def read(comparison, what: str) -> None:
    """Say where the difference went."""
    parts = comparison.attribution
    total = parts.loc["total"]
    size = (
        f"{total['hours_a_month']:+,.0f} hours of funded care a month ({total['low']:+,.0f} to {total['high']:+,.0f})"
    )
    if total["low"] <= 0 <= total["high"]:
        print(f"{what}: not surely different: {size}.")
        return
    names = ("prevented", "met_elsewhere", "deterred", "delayed")
    shares = ", ".join(f"{parts.loc[name, 'share']:.0%} {name.replace('_', ' ')}" for name in names)
    print(f"{what}: {size}, of which {shares}.")
    if total["high"] < 0:
        still_there = parts.loc[["deterred", "delayed"], "share"].sum()
        print(f"  The need behind {min(max(still_there, 0), 1):.0%} of it is still there, and nobody else meets it.")


read(tighter, "Six outcomes instead of two")
read(poorer, "70% of the money")
read(door, "A half-shut door")

# %% [markdown]
# The text of 2013 says that communities cannot make up for rationing. Its refutation would be: of the care that is no
# longer funded, at least half is met elsewhere.

# %%
for name, comparison in (("tighter rule", tighter), ("less money", poorer), ("half-shut door", door)):
    parts = comparison.attribution
    total = parts.loc["total"]
    if total["high"] < 0:
        offset = parts.loc["met_elsewhere", "share"]
        reading = "refuted" if offset >= 0.5 else "not refuted"
        print(f"{name}: {offset:.0%} met elsewhere; the claim is {reading} in these worlds.")
    else:
        print(f"{name}: no sure fall in funded care, so nothing to make up for.")

# %% [markdown]
# ## The refuting reading
#
# Each result above hangs on mechanisms of which the evidence leaves even the sign open. Does unpaid care step in when
# paid care goes (`informal_care.crowding` below 0), stay as it was (0), or falter because paid care had relieved the
# carers (above 0)? Does being turned away keep people away (`asking.discouragement`), and do isolation and unmet need
# make needs worse? The same cut under each:

# %%
ASSUMPTIONS = {
    "as found": {},
    "unpaid care does not step in": {"informal_care.crowding": 0.0},
    "paid care relieves carers": {"informal_care.crowding": 0.5},
    "nobody is discouraged": {"asking.discouragement": 0.0, "asking.fear": 0.0},
    "need worsens more when unmet or isolated": {"need.unmet_effect": 2.0, "need.isolation_effect": 2.0},
    "care does nothing for getting about": {"ties.without_care": 0.0},
    "without care nobody gets about": {"ties.without_care": 1.0},
    "paid visits count as ties": {"wellbeing.professional_weight": 1.0},
}
rows = {}
for words, changed in ASSUMPTIONS.items():
    base = today.but(changed)
    found = cc.compare(base, base.but({"council.funding": 0.7}), seeds=range(1, REPLICATES + 1))
    names = ("isolation", "requests", "unmet_hours", "unpaid_hours", "latent")
    differences = {name: found.paired[name].difference for name in names}
    rows[words] = {name: f"{d.mean:+.2f} ({d.low:+.2f} to {d.high:+.2f})" for name, d in differences.items()}
    rows[words]["met elsewhere"] = f"{found.attribution.loc['met_elsewhere', 'share']:.0%}"
with_each = pd.DataFrame(rows).T.rename_axis("70% of the money, if ...")
with_each

# %%
signs = with_each["unpaid_hours"].str.extract(r"^([+-]).*\(([+-]).* to ([+-])")
sure = signs[(signs[1] == signs[2])][1].unique()
if len(sure) > 1:
    print("Whether unpaid people do more or less when the money goes has either sign: quote it with its assumption.")
else:
    print("Unpaid care has the same sign, or none that can be told, under each of these. There are others.")

# %% [markdown]
# A column that keeps its sign and size from row to row is a finding about these mechanisms. One that does not is a
# finding about the row.

# %% [markdown]
# ## Who bears it
#
# Means hide who pays. The same cut by deprivation, in one world, at the end (1 is the most deprived fifth):

# %%
arms = {
    name: cc.CareCommons(scenario, rng=1).run().by("unmet_each", "deprivation")["value"]
    for name, scenario in (("today", today), ("70%", today.but({"council.funding": 0.7})))
}
pd.DataFrame(arms).dropna().assign(change=lambda table: table["70%"] - table["today"]).round(2)

# %% [markdown]
# ## What this cannot tell you
#
# - **Size.** 1,500 citizens and five worlds keep this notebook quick. `carecommons sweep
#   experiments/funding_eligibility.toml` is the sweep to quote from.
# - **Prevention.** Money for groups does nothing yet in this version, and what equipment does against the growth of
#   need was put in (`need.equipment`, grade D). So the promise of the texts of 2012 and 2019 that early help pays for
#   itself is not tested here: neither shown nor refuted.
# - **Isolation and services.** By default a paid visit is no tie (`wellbeing.professional_weight` is 0); care acts on
#   isolation only because people whose need is met get about more (`ties.without_care`, grade D). How far services
#   heal isolation is therefore put in as much as found; the last rows above show what changes when it is put in
#   differently.
# - **The market.** Prices, wages and vacancies do not answer to money here. A council that doubles its spending finds
#   the same fee, and no more hours than `provision.*` allows.
# - **Trends.** Needs, prices and grants stand still; only people age and come and go.
# - **Truth.** "Follows from these mechanisms, in these worlds" is all that any line above says. Which figures of
#   England the model meets, and which it was tuned to: `docs/validation.md`.

# %%
print(f"scenario {today.digest}, {len(grid.design.cells)} cells, {REPLICATES} worlds, carecommons {cc.__version__}")
assert np.isfinite(grid.summary["isolation"]).all()

# %% [markdown]
# *Data: contains public sector information licensed under the Open Government Licence v3.0.*
