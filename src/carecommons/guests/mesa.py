"""Mesa, brought in without a change to how processes are started."""

from carecommons.guests import undisturbed

with undisturbed():
    import mesa
    from mesa.agent import AgentSet

__all__ = ["AgentSet", "mesa"]
