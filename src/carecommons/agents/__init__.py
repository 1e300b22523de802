"""The people, organisations and council of a place as Mesa agents; with model.py the door to Mesa."""

from carecommons.agents.agentset import Windows
from carecommons.agents.inhabited import Inhabited
from carecommons.agents.windows import (
    Bond,
    Carer,
    Citizen,
    CommunityGroup,
    Council,
    GoneError,
    MicroEnterprise,
    Window,
)

__all__ = [
    "Bond", "Carer", "Citizen", "CommunityGroup", "Council", "GoneError", "Inhabited", "MicroEnterprise", "Window",
    "Windows",
]  # fmt: skip
