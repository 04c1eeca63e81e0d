"""Bytes to alertgroups. One module a parser; its name is the `type` to write under `[parsers.NAME]`."""
