"""What programs speak to: SCOT's routes of alertgroups and alerts, and those of Tocsin itself."""
