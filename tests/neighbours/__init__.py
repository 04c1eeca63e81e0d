"""The neighbours Tocsin lives with, real ones, for tests: PostgreSQL, a running server, receivers that misbehave."""
