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
# # A month in one place
#
# Derby, drawn small: two thousand adults instead of two hundred thousand, with as much money, as many assessors and as
# many hours of care for each of them as in the city. We let two years pass, look around, then take one month apart and
# see who does what in it.
#
# Five texts on care and community stand behind the questions of this notebook, and they do not agree:
#
# - *Community Sourcing and Social Care* (Yapp and Howells, Centre for Welfare Reform, 2013): some problems can only be
#   solved where they are.
# - *Five questions with one answer* (Fox, 2012): services do not cure isolation, ties do; mutual help lowers the need
#   for services.
# - *Turning the welfare state upside down? .. not just yet* (2013, on Glasby and others): for some people it is the
#   community that isolates, and a service that shelters; what communities can carry has limits.
# - *How can Community Power create a brighter social care future?* (Social Care Future and New Local, after 2021):
#   people need both; the unequal take part unequally.
# - *Turning Communities into Catalysts for Change* (NLGN, 2019): connection and prevention before demand.
#
# The model holds mechanisms for both sides, each with a switch, and says which numbers were found and which were
# assumed.

# %%
import matplotlib.pyplot as plt
import networkx as nx
import numpy as np
import pandas as pd
from IPython.display import display

import carecommons as cc
from carecommons.place.ledger import Account, Giver
from carecommons.place.luck import Luck
from carecommons.place.population import CARE_ACT_OUTCOMES, Contact

CITIZENS = 2_000
scenario = cc.Scenario(place="derby", citizens=CITIZENS, months=36)
model = cc.CareCommons(scenario, rng=1).run(24)
people = model.place.citizens

# %% [markdown]
# ## Who lives here
#
# Age and sex are those of Derby (ONS, mid-2023), so are deprivation, tenure and impairment. Who lives with whom and
# who knows whom is built from shares that are partly known and partly assumed.

# %%
here = people.alive
years = people.age[here] // 12
band = pd.cut(years, [17, 34, 49, 64, 74, 84, 110], labels=["18-34", "35-49", "50-64", "65-74", "75-84", "85+"])
about = pd.DataFrame({
    "adults": 1,
    "alone": people.home_size[here] == 1,
    "in need": people.level[here] > 0,
    "gives care": people.given[here] > 0,
    "isolated": people.isolated[here],
    "lonely": people.lonely[here],
}).groupby(band, observed=True)  # fmt: skip
per_cent = "{:.0%}".format
shares = about.mean().drop(columns="adults").map(per_cent)
pd.concat([about["adults"].sum(), shares], axis=1).rename_axis("age")

# %% [markdown]
# *Isolated* and *lonely* are different things here, on purpose. Isolation is counted from ties: how many people
# somebody sees, can talk to and can call on, as in the LSNS-6. Loneliness is a feeling: what there is against what one
# wishes for. A person can be the one without the other.

# %%
cross = pd.crosstab(
    pd.Series(people.isolated[here], name="").map({True: "isolated", False: "not isolated"}),
    pd.Series(people.lonely[here], name="").map({True: "lonely", False: "not lonely"}),
    normalize="all",
)
cross.map("{:.1%}".format)

# %% [markdown]
# ## One person
#
# Somebody with more than a little need whom nobody pays to help. Agents are windows on the model's columns, opened
# when one looks.

# %%
someone = model.citizens.select(
    lambda person: person.level >= 2 and person.from_council + person.from_own == 0 and len(person.ties) >= 4, at_most=1
)[0]
hours = 60 * 365.25 / 84  # minutes a month of an hour a week


def told(person) -> str:
    """A person in a few sentences."""
    failed = ", ".join(person.outcomes_failed)
    helped = sum(tie.minutes_received for tie in person.ties) / hours
    return (
        f"A {('woman', 'man')[person.sex]} of {person.age_years} who cannot manage: {failed}. "
        f"Help needed: {person.need / hours:.0f} hours a week; {len(person.carers)} people give {helped:.0f}. "
        f"Council: {'has asked' if person.asked else 'never asked'}, {person.route.name.lower().replace('_', ' ')}. "
        f"Network {person.network} of 30{', isolated' if person.isolated else ''}; "
        f"contact: {Contact(person.contact).name.lower().replace('_', ' ')}."
    )


print(told(someone))

# %% [markdown]
# The people around: whom this person knows (thick lines are close ties), and who of them know one another. Red lines
# carry care this month.

# %%
graph = model.graph()
centre = someone.unique_id
near = nx.ego_graph(graph, centre)
colours = {
    "partner": "#b3446c", "kin": "#b3446c", "friend": "#0072b2", "neighbour": "#4c9f70", "workmate": "#c08a2d",
    "peer": "#7b6bb0",
}  # fmt: skip
edges = list(near.edges(data=True))
figure, axes = plt.subplots(figsize=(6.5, 5))
where = nx.spring_layout(near, seed=4, weight="strength")
nx.draw_networkx_edges(
    near, where, ax=axes, edgelist=[(a, b) for a, b, _ in edges],
    width=[1 + 4 * facts["strength"] for _, _, facts in edges],
    edge_color=["#d55e00" if facts["minutes"] else "#c9d2da" for _, _, facts in edges],
)  # fmt: skip
what = {node: near.edges[centre, node]["kind"] if node != centre else "" for node in near}
nx.draw_networkx_nodes(near, where, ax=axes, node_size=520, node_color=[colours.get(what[n], "#1f2a36") for n in near])
beside = {node: (x, y - 0.11) for node, (x, y) in where.items()}
nx.draw_networkx_labels(
    near, beside, {n: f"{what[n]} {near.nodes[n]['age']}".strip() for n in near}, font_size=8, ax=axes
)
axes.margins(0.12)
axes.set_axis_off()
axes.set_title("one person, those around with their ages, and who helps (red)", loc="left", fontsize=11)
plt.show()

# %% [markdown]
# ## The month, step by step
#
# A month is a list of processes. Each reads some columns and writes others, and they meet nowhere else:

# %%
print(model.cycle)

# %% [markdown]
# We run the next month by hand, one process at a time, and note whose columns each changed. This is all that
# `model.step()` does, besides writing down the outcomes.

# %%
place = model.place.copy()
place.month += 1
place.ledger.open_month()
luck = Luck(model.world, place.month)
rows = []
for process in model.processes:
    before = place.citizens.copy()
    process.step(place, luck)
    changed = {name: int((getattr(before, name) != getattr(place.citizens, name)).sum()) for name in before.names()}
    changed.pop("age")  # everybody's, every month
    most = sorted((name for name in changed if changed[name]), key=lambda name: -changed[name])[:4]
    what_happens = " ".join(type(process).__doc__.split("\n\n")[0].split())
    rows.append((process.section(), what_happens, ", ".join(f"{name} {changed[name]}" for name in most)))
with pd.option_context("display.max_colwidth", None):
    display(pd.DataFrame(rows, columns=["process", "what happens", "people whose ... changed"]).set_index("process"))

# %% [markdown]
# By hand or by `step`, it is the same month, to the last column:

# %%
model.step()
now = model.place.citizens
same = all(np.array_equal(getattr(place.citizens, name), getattr(now, name)) for name in now.names())
assert same
print("the same" if same else "not the same")

# %% [markdown]
# ## Demand is a funnel
#
# *Demand* is at least five different numbers, and most quarrels about it are about which one is meant. Who falls out
# between two steps did not stop needing anything.

# %%
month = model.series.iloc[-1]
steps = ["latent", "expressed", "eligible", "funded"]
words = ["in need", "have asked the council", "found eligible", "get care it arranged"]
figure, axes = plt.subplots(figsize=(7, 2.4))
axes.barh(words[::-1], [month[s] for s in steps][::-1], color=["#173a63", "#4694a8", "#8cc3b5", "#d3e3c6"])
for y, step in enumerate(steps[::-1]):
    axes.text(month[step], y, f"  {month[step]:.0f}", va="center")
axes.set_xlabel(f"adults of {month['people']:.0f}")
axes.spines[["top", "right"]].set_visible(False)
plt.show()

# %% [markdown]
# ## Who gives, who pays
#
# Every minute of care has one giver or payer, every penny goes from one account to another. Nothing is created by
# moving it from one line to the next.

# %%
ledger = model.place.ledger
hours_by = pd.Series({giver.name.lower().replace("_", " "): ledger.minutes[giver] / 60 for giver in Giver})
pd.DataFrame({"hours this month": hours_by.map("{:,.0f}".format), "share": (hours_by / hours_by.sum()).map(per_cent)})

# %%
paid = [
    (a.name.lower().replace("_", " "), b.name.lower().replace("_", " "), ledger.flows[a, b] / 100)
    for a in Account for b in Account if ledger.flows[a, b]
]  # fmt: skip
pd.DataFrame(paid, columns=["from", "to", "pounds"]).set_index(["from", "to"]).map("{:,.0f}".format)

# %% [markdown]
# Unpaid care is the largest line by far, as in every account of care in England. It has no price here unless you set
# one; a policy that shifts work into that line looks cheap in every account that leaves it out.

# %% [markdown]
# ## Does the community heal isolation, or cause it?
#
# Fox (2012) and the texts of 2019 and after 2021 say that ties heal what services cannot. The text of 2013 on Glasby
# and others answers: not for those whom their neighbours shut out. The model takes no side: how neighbourhoods receive
# people who meet stigma runs from -1 (shut out) to 1 (welcome), and the default is 0. Three Derbys, the same people in
# each:

# %%
worlds = {}
for receptiveness in (-1.0, 0.0, 1.0):
    changed = {"people.receptiveness": receptiveness, "people.receptiveness_spread": 0.0}
    worlds[receptiveness] = cc.CareCommons(scenario.but(changed), rng=1).run().by("isolation", "stigma")["value"]
table = pd.DataFrame(worlds).T.rename_axis("receptiveness")
table["difference"] = table["meets stigma"] - table["others"]
table.round(1)

# %%
at_worst, at_best = table.loc[-1.0, "meets stigma"], table.loc[1.0, "meets stigma"]
print(
    f"Of people who meet stigma {at_worst:.1f}% are isolated where neighbourhoods shut them out, {at_best:.1f}% where "
    f"they are welcome; of others {table['others'].min():.1f} to {table['others'].max():.1f}% throughout."
)
if at_worst > at_best:
    print(
        "So the same word, community, stands for a cause and for a cure. How much of each is in England, nobody knows."
    )
else:
    print("In this one small world the two cannot be told apart; run more worlds before you say anything.")

# %% [markdown]
# This is one world of two thousand people and one assumption (`ties.stigma_effect`, grade D). It shows what the model
# can tell apart, not how large it is.

# %% [markdown]
# ## What this month cannot tell you
#
# - **What will happen in Derby.** Age, sex, tenure and deprivation are Derby's; ties, habits of asking and the
#   council's practice are England's at best.
# - **Why somebody is lonely.** Loneliness is felt contact against a wish for it, plus weights that were set so that
#   published shares come out.
# - **What groups and prevention do for need.** In this version groups bring company and a little help, and the grants
#   that they get change nothing. That equipment slows the growth of need is an assumption (`need.equipment`, grade D).
# - **Anything about a real person.** The one above is nobody.
# - **How sure it is.** One run shows what a course can look like. For what to expect, and how surely, see
#   `funding_and_eligibility`.

# %%
in_need = now.deficits[now.alive & (now.level > 0)]
failed = [((in_need >> bit) & 1).mean() for bit in range(len(CARE_ACT_OUTCOMES))]
pd.Series(failed, CARE_ACT_OUTCOMES, name="of people in need, cannot").map(per_cent).to_frame()

# %% [markdown]
# *Data: contains public sector information licensed under the Open Government Licence v3.0 (ONS; MHCLG).*
