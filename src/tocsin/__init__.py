"""Tocsin: receives security alerts, keeps every one, shows them at once and sends them on."""

from importlib.metadata import version

__version__ = version("tocsin")
