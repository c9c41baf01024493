"""Constants of nature (2019 SI, exact) in the units of a simulation: nm, ps, kJ/mol, e, K."""

GAS_CONSTANT = 8.31446261815324e-3
"""kJ/mol/K."""
FARADAY = 96.48533212331
"""kJ/mol in one e V."""
