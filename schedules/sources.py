"""Where a relay comes from: the list of addresses and inputs that the authority allows, and no others."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

SourceCode = str

_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\]"
_ADDRESS = re.compile(rf"https?://({_HOST})(?::[0-9]{{1,5}})?(?:/[!-\"$-~]*)?")


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

    @property
    def host(self) -> str | None:
        """The host of its address, lower case, an IPv6 address without brackets; None where it has none."""
        return host_of(self.address)


def host_of(address: str) -> str | None:
    """Return the host of an http or https URL, lower case, or None: for names and passwords in it, and for others."""
    match = _ADDRESS.fullmatch(address)
    return match[1].strip("[]").lower() if match else None


def is_host(name: str) -> bool:
    """Return whether `name` could be a host by itself, without port and path."""
    return re.fullmatch(_HOST, name) is not None
