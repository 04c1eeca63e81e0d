"""Which destination gets which alertgroup and when, what holds it back, and which alertgroup repeats another.

Data and pure functions: `routes.py` decides, `spans.py` reads times as people write them, `repeats.py` folds.
"""

from tocsin.rules.routes import Decision, Owed, Rulebook

__all__ = ["Decision", "Owed", "Rulebook"]
