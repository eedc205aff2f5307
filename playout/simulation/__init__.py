"""Simulated days of real stations: their own code on a simulated clock, disk, player and link, all from one seed."""

from playout.simulation.report import Happening, SimulationReport, SlotOutcome, Violation

__all__ = ["Happening", "SimulationReport", "SlotOutcome", "Violation"]
