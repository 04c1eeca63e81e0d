"""Where alertgroups go. One module a destination; its name is the `type` to write under `[destinations.NAME]`."""
