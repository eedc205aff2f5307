"""Simulated days of real stations: their own code on a simulated clock, disk, player and link, all from one seed."""

from playout.simulation.report import Happening, SimulationReport, SlotOutcome, Violation
from playout.simulation.resident import Options
from playout.simulation.simulation import simulate
from playout.simulation.station import Machine

__all__ = ["Happening", "Machine", "Options", "SimulationReport", "SlotOutcome", "Violation", "simulate"]
