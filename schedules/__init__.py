"""The pure core: what should air when, and whether the duty was done. No files, SQL, network, clock or dice."""
