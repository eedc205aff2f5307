"""Benchmarks of the station, and the sound laboratory that they and the tests measure in."""
