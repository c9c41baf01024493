"""The commented file that `loop init` writes."""

from __future__ import annotations

from loop.campaign.schema import SCHEMA_LINE

TEMPLATE = """\
name: {name}              # results go to runs/{name}/ beside this file
seed: 2026                # every random draw derives from it

space:                    # what a design may be; each parameter is one of choices, integer, real, fixed, smiles
  oxide:            {{choices: [magnetite, hematite, corundum, periclase]}}
  hydroxyl_density: {{real: [0, 8], unit: 1/nm^2, step: 0.5}}
  polymer:          {{choices: [PVDF, PEO, PE]}}       # catalogue name or repeat-unit SMILES
  chain_length:     {{integer: [8, 24]}}               # repeat units
  temperature:      {{fixed: 400, unit: K}}

constraints:              # {{if: ..., then: ...}} or {{forbid: ...}}; a value, a list of values, or {{min: 1, max: 2}}
  - {{forbid: {{oxide: periclase, hydroxyl_density: {{min: 6}}}}}}

objectives:               # goal: maximize, minimize or target (with target: value); threshold: worst acceptable value
                          # goal: at_least or at_most keeps a property within its threshold and asks for no more
  - {{property: adhesion_energy, goal: maximize, threshold: 60, unit: mJ/m^2}}
  - {{property: interphase_dipole, goal: maximize}}

oracles:                  # who answers: openmm (simulation), measurement (you), table (a CSV), or module:Class
  screen: {{kind: openmm, fidelity: screen, replicates: 3, time_limit: 10 min}}
                          # fidelities: [smoke, screen] in place of fidelity: screen counts, smoke informs the search
  # lab:  {{kind: measurement, properties: {{beta_fraction: "1"}}}}     # loop ask / loop tell

generator:   {{kind: cvae}}
acquisition: {{kind: qlognehvi}}   # one goal: qlognei; five or more: parego; see docs/acquisitions.md

initial: 8                # designs of the first round, spread over the space
batch: 4                  # designs of every later round
stop: {{evaluations: 24}}   # or rounds, hours, stalled_rounds, hypervolume, ...: whichever comes first
execution: {{engine: local, schedule: rounds}}       # slots: one per core
"""


def template(name: str) -> str:
    """A complete campaign file, ready to run."""
    return f"{SCHEMA_LINE}\n{TEMPLATE.format(name=name)}"
