"""What we fetch. One module a source; its name is the `type` to write under `[sources.NAME]`."""
