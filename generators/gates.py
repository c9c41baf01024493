"""What a trained network must be able to do before it may propose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from generators.decoding import Decoder
from loop.seeds import derive

if TYPE_CHECKING:
    import numpy as np

    from generators.encoding import Encoding
    from generators.network import Network
    from loop.types import Design

PRIOR_SAMPLES = 500
NEIGHBOURS = 5
COVERAGE_DROP = 0.1


@dataclass(frozen=True, slots=True)
class Gates:
    """Measured on held-out designs and on prior samples, nothing known of the objectives.

    `reconstruction`: share of designs whose categories all come back. `numeric_error`: mean absolute error of the
    numbers, as a fraction of their range. `validity`, `validity_unmasked`: share of prior samples that break no rule,
    as a pool draws them, and as the network alone would, no rule enforced. `round_trip`: median distance in latent
    space between a design and its own decoding. `coverage`: share of held-out designs with a valid prior sample among
    their neighbours. `molecules`: share of designs whose generated molecules all come back, symbol by symbol, which
    `reconstruction` leaves out and without which `round_trip` is not asked: there are more molecules than could ever be
    learnt by heart.
    """

    reconstruction: float
    numeric_error: float
    validity: float
    validity_unmasked: float
    round_trip: float
    coverage: float
    molecules: float = 1.0

    def failed(self, *, reconstructs: bool = True) -> tuple[str, ...]:
        """The gates that did not pass, as `name value, limit`. A family that is not trained to reconstruct must cover
        the space instead."""
        rules = [
            ("validity", self.validity >= 0.95, "at least 0.95"),
            ("validity_unmasked", self.validity_unmasked >= 0.3, "at least 0.3"),
        ]
        if reconstructs:
            rules += [
                ("reconstruction", self.reconstruction >= 0.98, "at least 0.98"),
                ("molecules", self.molecules >= 0.25, "at least 0.25"),
                ("numeric_error", self.numeric_error <= 0.03, "at most 0.03"),
                ("round_trip", self.round_trip <= 0.3, "at most 0.3"),
            ]
        else:
            rules.append(("coverage", self.coverage >= 0.6, "at least 0.6"))
        return tuple(f"{name} {getattr(self, name):.3f}, {limit}" for name, passed, limit in rules if not passed)

    def collapsed_from(self, before: Gates) -> tuple[str, ...]:
        """Empty, or the coverage lost since `before` where that is too much."""
        lost = before.coverage - self.coverage
        return (f"coverage fell by {lost:.2f}, at most {COVERAGE_DROP}",) if lost > COVERAGE_DROP else ()


DIVERGED = Gates(
    reconstruction=0.0,
    numeric_error=1.0,
    validity=0.0,
    validity_unmasked=0.0,
    round_trip=1e9,
    coverage=0.0,
    molecules=0.0,
)


def measure(network: Network, encoding: Encoding, held_out: Sequence[Design], seed: int) -> Gates:
    """Judge the network on designs it was not trained on. One that diverged passes nothing."""
    import numpy as np

    if not network.finite:
        return DIVERGED
    fields = encoding.fields(held_out)
    rows = encoding.rows(fields)
    unknown = np.zeros((len(rows), network.shape.condition))
    latent, _ = network.encode(rows, unknown)
    heads = network.decode(latent, unknown)
    matches = (heads.logits.argmax(2) == fields.choices) | ~fields.free_choices
    symbols = np.array([p.name in encoding.symbols for p in encoding.categorical], dtype=bool)
    errors = np.abs(heads.mean - fields.numbers)[fields.free_numbers]
    decoded = encoding.decode(encoding.nearest(heads))
    again, _ = network.encode(encoding.encode(decoded), unknown)
    moved, back = np.linalg.norm(again - latent, axis=1), matches[:, symbols].all(1)
    valid = prior_samples(network, Decoder(encoding), seed)
    unmasked = prior_samples(network, Decoder(encoding, masked=False), seed)
    return Gates(
        reconstruction=float(matches[:, ~symbols].all(1).mean()),
        numeric_error=float(errors.mean()) if errors.size else 0.0,
        validity=len(valid) / PRIOR_SAMPLES,
        validity_unmasked=len(unmasked) / PRIOR_SAMPLES,
        round_trip=float(np.median(moved[back])) if back.any() else float(np.median(moved)),
        coverage=coverage(rows, encoding.encode(valid)) if valid else 0.0,
        molecules=float(back.mean()),
    )


def prior_samples(network: Network, decoder: Decoder, seed: int) -> list[Design]:
    """The valid ones of PRIOR_SAMPLES designs that the decoder draws from the prior."""
    import numpy as np

    rng = np.random.default_rng(derive(seed, "gates"))
    unknown = np.zeros((PRIOR_SAMPLES, network.shape.condition))
    heads = network.decode(network.sample_prior(unknown, rng), unknown)
    designs, _ = decoder.draw(heads, rng)
    return [design for design in designs if not decoder.encoding.space.violations(design)]


def coverage(real: np.ndarray, generated: np.ndarray) -> float:
    """Share of the real rows with a generated row no farther than their own fifth real neighbour: coverage of Naeem
    et al., ICML 2020 (arXiv 2002.09797)."""
    import numpy as np
    from scipy.spatial.distance import cdist

    nearest = min(NEIGHBOURS, len(real) - 1)
    radius = np.sort(cdist(real, real), axis=1)[:, nearest]  # column 0 is the row itself
    return float((cdist(real, generated).min(1) <= radius).mean())
