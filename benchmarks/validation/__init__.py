"""The physics against references outside this project; `python -m benchmarks.validation` writes docs/validation.md."""
