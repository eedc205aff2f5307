"""Emergency orders on their way down: signed one by one, drills with a key of their own."""

from __future__ import annotations

import json
from dataclasses import dataclass

from nacl.signing import SigningKey, VerifyKey
from pydantic import ValidationError

from link.codec import canonical, dump, load
from link.keys import sign, verify
from schedules.emergency import EmergencyOrder, EmergencyStop
from schedules.errors import SignatureInvalid

SCHEMA = 1

_KINDS: dict[str, type[EmergencyOrder] | type[EmergencyStop]] = {"order": EmergencyOrder, "stop": EmergencyStop}


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderKeys:
    """The keys that orders are checked with: one for what is real, one for drills."""

    real: VerifyKey
    drill: VerifyKey


def seal_order(order: EmergencyOrder | EmergencyStop, key: SigningKey) -> bytes:
    """Return the signed document; `key` is that of drills where the order is one."""
    kind = next(name for name, shape in _KINDS.items() if isinstance(order, shape))
    body = {"schema": SCHEMA, "kind": kind, "drill": order.drill, kind: dump(order)}
    return canonical({"body": body, "signature": sign(key, canonical(body))})


def unseal_order(document: bytes, keys: OrderKeys) -> EmergencyOrder | EmergencyStop:
    """Return what a document orders; raises SignatureInvalid unless the key of its kind signed exactly this."""
    try:
        data = json.loads(document)
        body, signature = data["body"], data["signature"]
        drill, schema, kind = body["drill"], body["schema"], body["kind"]
    except (ValueError, KeyError, TypeError) as error:
        raise SignatureInvalid("not a signed order") from error
    verify(keys.drill if drill is True else keys.real, canonical(body), str(signature))
    if schema != SCHEMA or kind not in _KINDS:
        raise SignatureInvalid(f"unknown order {kind!r} of schema {schema!r}")
    try:
        order = load(_KINDS[kind], body[kind])
    except (ValidationError, KeyError) as error:
        raise SignatureInvalid("signed, but not an order that this version understands") from error
    if order.drill is not drill:
        raise SignatureInvalid("signed as one kind, but of the other")
    return order
