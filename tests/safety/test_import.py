"""To import the package, or to run a place in it, changes nothing for who else lives in the interpreter."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any, Final

import batch
import pytest

# What an interpreter has one of. numpy, scipy, pandas and matplotlib are imported first: what they set, they set
# wherever they are used.
STATE: Final = """
import decimal, faulthandler, gc, json, locale, logging, multiprocessing, os, random, signal, socket, sys, threading
import warnings, csv, builtins
import numpy, pandas, scipy.stats, matplotlib
from pandas._config import config

def flat(table, prefix=""):
    for key, value in table.items():
        if isinstance(value, dict):
            yield from flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, repr(value)

def state():
    mask = os.umask(0)
    os.umask(mask)
    return {
        "start method": multiprocessing.get_start_method(allow_none=True),
        "warnings": [repr(each) for each in warnings.filters] + [repr(warnings.showwarning)],
        "logging": [logging.root.level, repr(logging.root.handlers), logging.root.manager.disable,
                    repr(logging.getLoggerClass()), repr(logging.lastResort), repr(logging.raiseExceptions)],
        "signals": {str(each): repr(signal.getsignal(each)) for each in sorted(signal.valid_signals())},
        "alarms": [signal.getitimer(signal.ITIMER_REAL), signal.getitimer(signal.ITIMER_VIRTUAL)],
        "random": repr(random.getstate()), "numpy.random": repr(numpy.random.get_state()),
        "backend": repr(dict.get(matplotlib.rcParams, "backend")),
        "pictures": {key: repr(dict.get(matplotlib.rcParams, key)) for key in matplotlib.rcParams},
        "locale": locale.setlocale(locale.LC_ALL), "environment": dict(os.environ), "folder": os.getcwd(), "mask": mask,
        "sys.path": list(sys.path), "finders": [repr(each) for each in (*sys.meta_path, *sys.path_hooks)],
        "decimal": repr(decimal.getcontext()), "numpy errors": numpy.geterr(),
        "numpy print": repr(numpy.get_printoptions()),
        "pandas": dict(flat(config._global_config)), "threads": [each.name for each in threading.enumerate()],
        "children": [each.pid for each in multiprocessing.active_children()],
        "hooks": [repr(each) for each in (sys.excepthook, sys.displayhook, sys.unraisablehook, threading.excepthook,
                                          sys.gettrace(), sys.getprofile())],
        "streams": [id(each) for each in (sys.stdin, sys.stdout, sys.stderr)],
        "recursion": sys.getrecursionlimit(), "switch": sys.getswitchinterval(), "digits": sys.get_int_max_str_digits(),
        "gc": [gc.isenabled(), gc.get_threshold()], "faults": faulthandler.is_enabled(),
        "socket": socket.getdefaulttimeout(), "csv": csv.field_size_limit(), "builtins": sorted(vars(builtins)),
        "stack": threading.stack_size(),
    }

random.seed(5)
numpy.random.seed(5)
before = json.loads(json.dumps(state()))
{work}
after = json.loads(json.dumps(state()))
print(json.dumps({key: [before[key], after[key]] for key in before if before[key] != after[key]}))
"""

IMPORT: Final = "import carecommons"
FACE: Final = f"{IMPORT}\nfor name in carecommons.__all__:\n    getattr(carecommons, name)"
OPTIONAL: Final = ("SALib", "pyarrow", "xarray", "distributed", "dask", "ema_workbench", "sklearn")
ALL: Final = f"""
import importlib, pkgutil
{IMPORT}
for module in pkgutil.walk_packages(carecommons.__path__, "carecommons."):
    if not module.name.endswith("__main__"):
        importlib.import_module(module.name)
"""
RUN: Final = f"""
{FACE}
scenario = carecommons.Scenario(place="derby", citizens=60, months=2)
carecommons.CareCommons(scenario, rng=1).run().series
carecommons.compare(scenario, scenario.but({{"council.funding": 0.9}}), range(2))
carecommons.sweep(scenario, {{"council.funding": [0.9, 1.0]}}, replicates=2, jobs=1).summary
"""


def changed(work: str) -> dict[str, list[Any]]:
    """What of the interpreter's state is not as it was before the work, in a process of its own."""
    done = subprocess.run([sys.executable, "-c", STATE.replace("{work}", work)], env=batch.environment(),
                          capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, list[Any]] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("work", [IMPORT, FACE, ALL, RUN], ids=["package", "public face", "every module", "a run"])
def test_nothing_is_other_than_before(work: str) -> None:
    assert changed(work) == {}


def test_a_change_would_be_seen() -> None:
    assert set(changed("import random, os\nrandom.random()\nos.environ['X'] = '1'")) == {"random", "environment"}


def test_the_package_itself_imports_nothing_that_takes_long() -> None:
    heavy = "import json, sys\nimport carecommons\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", heavy], env=batch.environment(), capture_output=True, text=True,
                          check=True)  # fmt: skip
    loaded = {name.partition(".")[0] for name in json.loads(done.stdout)}
    assert not loaded & {
        "mesa",
        "numpy",
        "pandas",
        "numba",
        "matplotlib",
        "networkx",
        "pydantic",
        "scipy",
        "rich",
        *OPTIONAL,
    }
