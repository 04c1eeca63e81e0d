"""What a plug-in may lean on: secrets, paths in the data folder, HTTP out, letters, durable line files."""
