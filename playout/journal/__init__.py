"""The station's only record: written, kept over bad disks, checked and salvaged."""
