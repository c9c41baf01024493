"""The mutual audit: what the evidence of a round says of each record. Pure functions of that evidence."""

from loop.audit.real import calibration, flag, records_of, resolve
from loop.audit.synthetic import judge_synthetic, source_of

__all__ = ["calibration", "flag", "judge_synthetic", "records_of", "resolve", "source_of"]
