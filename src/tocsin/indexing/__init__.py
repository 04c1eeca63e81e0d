"""Indexing: what alertgroups are found by, worked out right after they are stored."""
