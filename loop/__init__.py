"""nanocomposite-loop: a closed discovery loop for nanoparticle-reinforced polymers.

An oracle plug-in needs only the names exported here.
"""

from loop.types import Check, Design, Estimate, OracleFailure, Outcome, Task

__all__ = ["Check", "Design", "Estimate", "OracleFailure", "Outcome", "Task"]
__version__ = "0.1.0"
