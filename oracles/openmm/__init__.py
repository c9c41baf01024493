"""Molecular dynamics of polymer films on oxide surfaces with OpenMM."""

from oracles.openmm.oracle import OpenMMOracle

__all__ = ["OpenMMOracle"]
