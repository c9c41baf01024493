"""From a design to a film: slab, hydroxyls, ligands, chains, and whether it can be built."""
