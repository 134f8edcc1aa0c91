"""A simulator of Proxmox VE for tests. See docs/simulator.md for what it does and what it does not."""
from .schema import SchemaMissing
from .simulator import Simulator

__all__ = ["SchemaMissing", "Simulator"]
