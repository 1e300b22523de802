"""carecommons: what community-led care does, simulated; the public face."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from carecommons.agents import Carer, Citizen, CommunityGroup, Council, MicroEnterprise
    from carecommons.analysis.adapters import to_ema, to_salib
    from carecommons.analysis.appraisal import appraise
    from carecommons.cycle import CYCLE, Cycle
    from carecommons.errors import CareCommonsError, InputError
    from carecommons.experiments.compare import compare
    from carecommons.experiments.comparison import Comparison, Stop
    from carecommons.experiments.design import Design
    from carecommons.experiments.difference import diff
    from carecommons.experiments.engines import Engine
    from carecommons.experiments.load import load
    from carecommons.experiments.reproduction import Reproduction, reproduce
    from carecommons.experiments.sequential import Precision
    from carecommons.experiments.sweep import Sweep, sweep
    from carecommons.founding.profile import places
    from carecommons.model import CareCommons
    from carecommons.outcomes.catalogue import OUTCOMES
    from carecommons.outcomes.outcome import Outcome
    from carecommons.params import FIXED, LEVER, UNCERTAIN, param
    from carecommons.processes.behaviour import Behaviour
    from carecommons.processes.process import Process
    from carecommons.rules.means_test import means_test
    from carecommons.scenario import Scenario

__version__ = "0.1.0"

_HOMES = {
    "Behaviour": "processes.behaviour",
    "Carer": "agents", "Citizen": "agents", "CommunityGroup": "agents", "Council": "agents",
    "MicroEnterprise": "agents",
    "appraise": "analysis.appraisal", "to_ema": "analysis.adapters", "to_salib": "analysis.adapters",
    "CYCLE": "cycle", "Cycle": "cycle",
    "CareCommonsError": "errors", "InputError": "errors",
    "Comparison": "experiments.comparison", "Stop": "experiments.comparison", "compare": "experiments.compare",
    "Design": "experiments.design", "diff": "experiments.difference", "Engine": "experiments.engines",
    "Precision": "experiments.sequential", "load": "experiments.load",
    "Reproduction": "experiments.reproduction", "reproduce": "experiments.reproduction",
    "Sweep": "experiments.sweep", "sweep": "experiments.sweep",
    "places": "founding.profile",
    "CareCommons": "model",
    "OUTCOMES": "outcomes.catalogue", "Outcome": "outcomes.outcome",
    "FIXED": "params", "LEVER": "params", "UNCERTAIN": "params", "param": "params",
    "Process": "processes.process",
    "means_test": "rules.means_test",
    "Scenario": "scenario",
}  # fmt: skip

__all__ = [
    "CYCLE",
    "FIXED",
    "LEVER",
    "OUTCOMES",
    "UNCERTAIN",
    "Behaviour",
    "CareCommons",
    "CareCommonsError",
    "Carer",
    "Citizen",
    "CommunityGroup",
    "Comparison",
    "Council",
    "Cycle",
    "Design",
    "Engine",
    "InputError",
    "MicroEnterprise",
    "Outcome",
    "Precision",
    "Process",
    "Reproduction",
    "Scenario",
    "Stop",
    "Sweep",
    "__version__",
    "appraise",
    "compare",
    "diff",
    "load",
    "means_test",
    "param",
    "places",
    "reproduce",
    "sweep",
    "to_ema",
    "to_salib",
]


def __getattr__(name: str) -> Any:
    """Import what is asked for when it is asked for, so that `--help` is quick."""
    if name not in _HOMES:
        raise AttributeError(f"module 'carecommons' has no attribute '{name}'")
    value = getattr(import_module(f"carecommons.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
