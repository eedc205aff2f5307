"""Where a relay comes from: the list of addresses and inputs that the authority allows, and no others."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

SourceCode = str


class SourceKind(StrEnum):
    """How a source is taken in: one endless answer (also of Icecast), HLS, or an input of the station's own machine."""

    HTTP = "http"
    HLS = "hls"
    LINE = "line"


class StreamFormat(StrEnum):
    """What comes in an endless answer; nothing is guessed from its bytes."""

    MP3 = "mp3"
    AAC = "aac"
    OGG = "ogg"


@dataclass(frozen=True, slots=True, kw_only=True)
class RelaySource:
    """A source that items of a session may name.

    address: http or https URL of a stream; for a line the name of the input in the station's config.yaml.
    hosts: further hosts that its playlists and redirects may lead to; the one of the address is always among them.
    format: of an `http` source; HLS says itself what it carries.
    """

    code: SourceCode
    name: str
    kind: SourceKind
    address: str
    hosts: tuple[str, ...] = ()
    format: StreamFormat | None = None
