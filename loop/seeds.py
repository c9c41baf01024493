"""Seeds: every random draw has one, derived from the campaign's and a purpose. Nothing is stored or advanced."""

from __future__ import annotations

import hashlib

from loop.types import canonical_json


def derive(seed: int, *purpose: str | int) -> int:
    """A 63-bit seed for a purpose, such as `derive(campaign.seed, "propose", round)`."""
    digest = hashlib.sha256(canonical_json([seed, *purpose]).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
