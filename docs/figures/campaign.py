"""Draw the figure of the README from the records of a run.

loop run campaigns/quickstart.yaml && loop export campaigns/quickstart.yaml -o quickstart.csv
python docs/figures/campaign.py quickstart.csv docs/figures/campaign.svg
"""

import sys

import matplotlib.pyplot as plt
import pandas as pd

COLOURS = {"magnetite": "#1b4f72", "hematite": "#c0392b", "corundum": "#7f8c8d", "periclase": "#27864b"}
MARKERS = {"PVDF": "o", "PEO": "s", "PE": "^"}


def main(records: str, picture: str) -> None:
    plt.rcParams.update({"font.size": 10, "svg.hashsalt": "campaign"})
    table = pd.read_csv(records)
    figure, axes = plt.subplots(figsize=(7.2, 3.8), layout="constrained")
    for row in table.itertuples():
        axes.errorbar(
            row.adhesion_energy,
            row.interphase_dipole,
            xerr=row.adhesion_energy_se,
            yerr=row.interphase_dipole_se,
            marker=MARKERS[row.polymer],
            color=COLOURS[row.oxide],
            markersize=7,
            markerfacecolor=COLOURS[row.oxide] if row.round else "white",
            elinewidth=1,
            linestyle="none",
        )
    for oxide, colour in COLOURS.items():
        axes.plot([], [], "o", color=colour, label=oxide)
    for polymer, marker in MARKERS.items():
        axes.plot([], [], marker, color="black", label=polymer)
    axes.plot([], [], "o", color="black", markerfacecolor="white", label="initial designs")
    axes.axhline(0, color="#cccccc", linewidth=1, zorder=0)
    axes.set_xlabel("adhesion energy [mJ/m²]")
    axes.set_ylabel("first-layer dipole [D per monomer]")
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    figure.savefig(picture, metadata={"Date": None})


if __name__ == "__main__":
    main(*sys.argv[1:])
