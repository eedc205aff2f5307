"""One step a file; each does one thing and says why."""
