"""What Loa is made of: every package locked with its hash and named, and no secret of anybody in the project."""

from __future__ import annotations

import importlib.util
import os
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
_MADE = {"node_modules", "dist", "out", "data", "__pycache__"}
_SECRETS = re.compile(
    rb"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----[\r\n]+[A-Za-z0-9+/=]{20}|AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36}"
    rb"|xox[abprs]-[A-Za-z0-9-]{10,}|\b\d{9,10}:AA[A-Za-z0-9_-]{33}\b|glpat-[A-Za-z0-9_-]{20}"
)


def _ours(folder: str, below: list[str]) -> bool:
    """Return true, having taken what is fetched, built or written at run time off the way down."""
    below[:] = [name for name in below if not name.startswith(".") and name not in _MADE]
    return not Path(folder).is_relative_to(ROOT / "data")


def _sbom():
    given = importlib.util.spec_from_file_location("sbom", ROOT / "tools" / "sbom.py")
    module = importlib.util.module_from_spec(given)
    given.loader.exec_module(module)
    return module


def test_s49_the_bill_of_materials_names_every_locked_package_with_its_hash() -> None:
    """S49: what the lock files install is what the bill names, each with a version and at least one hash."""
    components = _sbom().components(ROOT)
    locked = re.findall(r"^([A-Za-z0-9._-]+)==", (ROOT / "requirements.txt").read_text("utf-8"), re.M)
    named = {one["name"] for one in components if one["purl"].startswith("pkg:pypi/")}

    assert {name.lower() for name in locked} == named
    assert {"flask", "sqlalchemy", "python-vlc", "apscheduler", "pydub"} <= named
    assert any(one["purl"].startswith("pkg:npm/htmx.org@") for one in components)
    for one in components:
        assert one["version"] and one["hashes"], one["purl"]
        assert all(re.fullmatch(r"[0-9a-f]{64,128}", digest["content"]) for digest in one["hashes"]), one["purl"]


def test_s49_no_secret_is_in_the_project() -> None:
    """S49: no private key and no token of a service, in any file that is committed."""
    found = [
        str(Path(folder, name).relative_to(ROOT))
        for folder, below, names in os.walk(ROOT)
        for name in names
        if _ours(folder, below) and _SECRETS.search(Path(folder, name).read_bytes())
    ]

    assert [] == found
    assert _SECRETS.search(b"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA")
