"""The mutual audit: what the evidence of a round says of each record. Pure functions of that evidence."""

from loop.audit.real import Evaluation, calibration, evaluation, flag, records_of, resolve, worst_of
from loop.audit.synthetic import judge_synthetic, source_of

__all__ = [
    "Evaluation",
    "calibration",
    "evaluation",
    "flag",
    "judge_synthetic",
    "records_of",
    "resolve",
    "source_of",
    "worst_of",
]
