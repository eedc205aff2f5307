"""The errors of Loa, one root, split by who must act."""

from __future__ import annotations

from schedules.findings import Finding


class LoaError(Exception):
    """Root of every error that Loa raises on purpose."""


class Refused(LoaError):
    """Something asked for cannot be done; `findings` say why, all at once."""

    def __init__(self, *findings: Finding) -> None:
        self.findings = findings
        super().__init__("; ".join(finding.message.en for finding in findings))


class ConfigError(Refused):
    """The operator must mend config.yaml or the environment."""


class IngestRefused(Refused):
    """The uploader must bring another recording, or another photo."""


class SegmentUnplayable(Refused):
    """The file on disk is not the approved one, or cannot be read: it must not air."""


class NotAllowed(Refused):
    """The person may not do this; somebody else may."""


class Unknown(Refused):
    """There is no such thing, or none that this person may know of."""


class Conflict(Refused):
    """It was changed meanwhile, or stands in a state in which this cannot be done."""


class TooMany(Refused):
    """A limit is reached; `retry_after_s` seconds later it may go on, None where something must be cleared first."""

    def __init__(self, *findings: Finding, retry_after_s: float | None = None) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(*findings)


class OutputError(LoaError):
    """A loudspeaker output cannot take sound now."""


class JournalBroken(LoaError):
    """A journal's chain does not verify; `seq` is the first bad row."""

    def __init__(self, seq: int, reason: str) -> None:
        self.seq = seq
        self.reason = reason
        super().__init__(f"row {seq}: {reason}")


class SignatureInvalid(LoaError):
    """A signed document is not from the key it names, or was changed."""


class SandboxUnavailable(LoaError):
    """This machine cannot confine a decoder: its administrator must act, no recording is to blame."""


class IntentMissing(LoaError):
    """The authority has decided nothing for this station, or cannot be asked and no document of it is kept."""
