"""The campaign file: reading it, finding every fault in it at once, and guarding what a resume may not change."""

from loop.campaign.load import load
from loop.campaign.model import Campaign, Execution, OracleSpec, PluginSpec, Stop

__all__ = ["Campaign", "Execution", "OracleSpec", "PluginSpec", "Stop", "load"]
