"""Measurements by hand: `ask` writes a sheet, `tell` takes it back, `drain_inbox` lets a running loop take it in."""

from loop.sheets.inbox import drain_inbox
from loop.sheets.telling import Told, tell
from loop.sheets.writing import ask

__all__ = ["Told", "ask", "drain_inbox", "tell"]
