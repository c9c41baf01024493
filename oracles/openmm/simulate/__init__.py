"""From a film to its frames: platforms, stages, segments, energies."""
