"""From config.yaml to what a station uses of its machine: outputs with their amplifiers and ears, inputs, limits."""

from __future__ import annotations

from audio.speech import Espeak, Piper, SpeechEngine
from config import Ear, Health, Output, Speech, StationOutputs
from playout.specs import AmplifierSpec, EarSpec, HealthSpec, InputSpec, OutputSpec


def outputs_of(station: StationOutputs) -> tuple[OutputSpec, ...]:
    """Return the outputs of a station."""
    return tuple(_output(output) for output in station.outputs)


def inputs_of(station: StationOutputs) -> tuple[InputSpec, ...]:
    """Return the microphones and lines of a station."""
    return tuple(InputSpec(name=one.name, kind=one.kind, device=one.device) for one in station.inputs)


def health_of(health: Health) -> HealthSpec:
    """Return when this machine is not well."""
    return HealthSpec(disk_low=health.disk_low_percent / 100, hot_c=health.hot_c)


def _output(output: Output) -> OutputSpec:
    amplifier = output.amplifier
    return OutputSpec(
        name=output.name,
        kind=output.kind,
        device=output.device,
        volume_db=output.volume_db,
        groups=output.groups,
        format=output.format,
        kbps=output.kbps,
        user=output.user,
        password_file=output.password_file,
        ttl=output.ttl,
        amplifier=None
        if amplifier is None
        else AmplifierSpec(
            kind=amplifier.kind,
            on=amplifier.on,
            off=amplifier.off,
            before_s=amplifier.before_s,
            after_s=amplifier.after_s,
            feedback=amplifier.feedback,
        ),
        ear=_ear(output.ear, output),
        sensor=output.sensor,
    )


def _ear(ear: Ear | None, output: Output) -> EarSpec | None:
    if ear is None:
        # What a sink plays can always be heard on its monitor.
        monitored = output.kind == "pulse" and output.device is not None
        return EarSpec(kind="pulse", device=f"{output.device}.monitor") if monitored else None
    if ear.kind == "none" or ear.device is None:
        return None
    return EarSpec(kind=ear.kind, device=ear.device, delay_s=ear.delay_s)


def voices_of(config: Speech) -> dict[str, SpeechEngine]:
    """Return the voices that this machine may have: espeak-ng always, Piper where it is named."""
    voices: dict[str, SpeechEngine] = {"espeak": Espeak()}
    if config.piper is not None:
        piper = Piper(program=config.piper.program, model=config.piper.model, label=config.piper.label)
        voices[piper.name] = piper
    return voices
