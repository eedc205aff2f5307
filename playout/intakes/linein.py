"""The line-input child: takes one input of this machine and gives its sound on a pipe, for relays and live talks."""

from __future__ import annotations

import os
import sys
import threading

from playout.intakes.capture import open_capture
from playout.intakes.intake import Intake, Voice, end_with_parent
from playout.intakes.pcmpipe import PcmPipe
from playout.isolation import ask_for_priority, die_with_parent, leave_network
from schedules.errors import OutputError

CUSHION_S = 0.15
HELD_S = 0.1
"""A voice that is heard later than this would disturb its speaker; a device gives small pieces in time."""

_PAUSE_S = 1.0


def capture(kind: str, device: str, intake: Intake, voice: Voice, stopping: threading.Event) -> None:
    """Take the input again and again until `stopping` is set."""
    while not stopping.is_set():
        voice.say({"event": "trying"})
        try:
            opened = open_capture(kind, device)
            try:
                while not stopping.is_set():
                    intake.offer(opened.read())
            finally:
                opened.close()
        except OutputError as error:
            intake.trouble("no_input", str(error))
            voice.say({"event": "trouble", "cause": "no_input", "detail": str(error)})
        stopping.wait(_PAUSE_S)


def main(arguments: list[str]) -> None:
    """Take one input: arguments are its kind, its device, the descriptor of the pipe, and the parent's process id."""
    kind, device, descriptor, parent = arguments
    die_with_parent(int(parent))
    leave_network(os.environ)
    ask_for_priority()
    stopping = threading.Event()
    voice = Voice()
    intake = Intake(
        pipe=PcmPipe(int(descriptor), held_s=CUSHION_S), say=voice.say, held_s=HELD_S, again_s=HELD_S, fresh=True
    )
    end_with_parent(stopping)
    threading.Thread(target=capture, args=(kind, device, intake, voice, stopping), name="input", daemon=True).start()
    voice.say({"event": "opened"})
    intake.run(stopping)
    # Not by returning: the other thread may be waiting for the device.
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
