"""From frames to numbers with error bars, and the gates they must pass."""
