"""Writes the bill of materials (CycloneDX 1.5, JSON) from the lock files: every package, version and hash."""

from __future__ import annotations

import base64
import json
import re
import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
_LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def components(root: Path = ROOT) -> list[dict[str, Any]]:
    """Return every locked package of Python and of the pages, in order of its address (purl)."""
    found = [*_python(root / "requirements.txt"), *_pages(root / "webui" / "frontend" / "package-lock.json")]
    return sorted(found, key=lambda one: str(one["purl"]))


def _python(lock: Path) -> Iterator[dict[str, Any]]:
    text = lock.read_text("utf-8").replace("\\\n", " ")
    for line in text.splitlines():
        named = _LOCKED.match(line)
        if named is None:
            continue
        name, version = named[1].lower(), named[2]
        yield {
            "type": "library",
            "name": name,
            "version": version,
            "purl": f"pkg:pypi/{name}@{version}",
            "hashes": [{"alg": "SHA-256", "content": found} for found in _HASH.findall(line)],
            "licenses": _licence(name),
        }


def _licence(name: str) -> list[dict[str, Any]]:
    """Return what the installed package says of its licence; nothing for one of another platform."""
    try:
        about = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return []
    said = about.get("License-Expression") or about.get("License") or ""
    return [{"license": {"name": said.splitlines()[0][:100]}}] if said.strip() else []


def _pages(lock: Path) -> Iterator[dict[str, Any]]:
    for path, about in json.loads(lock.read_text("utf-8"))["packages"].items():
        if not path:
            continue
        name = path.rpartition("node_modules/")[2]
        algorithm, _dash, digest = str(about["integrity"]).partition("-")
        yield {
            "type": "library",
            "name": name,
            "version": about["version"],
            "purl": f"pkg:npm/{name.replace('@', '%40')}@{about['version']}",
            "hashes": [{"alg": algorithm.upper().replace("SHA", "SHA-"), "content": base64.b64decode(digest).hex()}],
            "licenses": [{"license": {"name": about["license"]}}] if "license" in about else [],
        }


def main() -> int:
    """Print the document."""
    document = {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "components": components()}
    json.dump(document, sys.stdout, indent=1, ensure_ascii=False)
    sys.stdout.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
