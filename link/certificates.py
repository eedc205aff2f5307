"""The authority's own certificates: a private root for phones to trust, and what the pages are served with under it."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from schedules.errors import Conflict, Refused, Unknown
from schedules.findings import Finding, Severity
from schedules.text import Text

ROOT_DAYS = 3650
# Browsers take certificates of roots that a person added for up to 825 days, some only for 398.
SERVED_DAYS = 397
RENEW_BEFORE = timedelta(days=30)
# Who steals the root's key must not be able to stand in for the rest of the world on an officer's phone.
_LOCAL_NAMES = ("localhost", "local", "lan", "internal", "home.arpa")
_LOCAL_NETS = ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "::1/128", "fc00::/7")
_EARLIER = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates:
    """What lies in the folder. names: for which the pages' certificate is good; fingerprint: of the root, SHA-256."""

    authority: str
    fingerprint: str
    root_until: datetime
    names: tuple[str, ...]
    until: datetime | None

    def due(self, now: datetime) -> bool:
        """Return whether the pages' certificate should be made anew."""
        return self.until is not None and self.until - now < RENEW_BEFORE


def root_file(folder: Path) -> Path:
    """Return where the root's certificate lies: what phones install."""
    return folder / "root.crt"


def served_files(folder: Path) -> tuple[Path, Path]:
    """Return where the pages' certificate and its key lie."""
    return folder / "served.crt", folder / "served.key"


def make_root(folder: Path, *, authority: str, domains: Sequence[str], now: datetime) -> Certificates:
    """Make the private root, good for names of this network and of `domains` only. Raises Conflict where one is."""
    if root_file(folder).exists():
        raise Conflict(
            _finding(
                "root_known",
                "Đã có chứng chỉ gốc. Điện thoại đã cài nó, nên không làm lại.",
                "There is a root already. Phones have it installed, so it is not made again.",
            )
        )
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, authority[:60]),
            x509.NameAttribute(NameOID.COMMON_NAME, f"Loa – {authority}"[:60]),
        ]
    )
    permitted: list[x509.GeneralName] = [x509.DNSName(one) for one in (*_LOCAL_NAMES, *map(_domain, domains))]
    permitted += [x509.IPAddress(ipaddress.ip_network(one)) for one in _LOCAL_NETS]
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLIER)
        .not_valid_after(now + timedelta(days=ROOT_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(sign_certificates=True), critical=True)
        .add_extension(identifier, critical=False)
        .add_extension(x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    _keep_key(folder / "root.key", key)
    _keep(root_file(folder), made.public_bytes(serialization.Encoding.PEM), 0o644)
    return read(folder)


def issue(folder: Path, names: Sequence[str], now: datetime) -> Certificates:
    """Make the pages' certificate for these names and addresses. Raises Unknown without a root, Refused for names
    that the root does not cover.
    """
    root, key = _root(folder)
    if not names:
        raise Refused(_finding("names_missing", "Hãy ghi ít nhất một tên hoặc địa chỉ.", "Give a name or an address."))
    names = tuple(dict.fromkeys(names))
    alternatives = [_general_name(one) for one in names]
    permitted = root.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees or []
    outside = [
        name for name, one in zip(dict.fromkeys(names), alternatives, strict=True) if not _covers(permitted, one)
    ]
    if outside:
        told = ", ".join(outside)
        raise Refused(
            Finding(
                code="name_not_covered",
                severity=Severity.ERROR,
                message=Text(
                    f"Chứng chỉ gốc không bao gồm: {told}. Chưa làm gì.",
                    f"The root does not cover: {told}. Nothing was made.",
                ),
                hint=Text(
                    "Tên trong mạng: dùng .local, .lan, .internal hoặc địa chỉ IP nội bộ. Tên khác: khai khi làm gốc "
                    "bằng loa tls init --domain.",
                    "Inside the network use .local, .lan, .internal or a private address. Other names are given when "
                    "the root is made: loa tls init --domain.",
                ),
            )
        )
    served = ec.generate_private_key(ec.SECP256R1())
    until = min(now + timedelta(days=SERVED_DAYS), root.not_valid_after_utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:60])]))
        .issuer_name(root.subject)
        .public_key(served.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(max(now - _EARLIER, root.not_valid_before_utc))
        .not_valid_after(until)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(sign_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(served.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    certificate, key_file = served_files(folder)
    _keep_key(key_file, served)
    _keep(certificate, made.public_bytes(serialization.Encoding.PEM), 0o644)
    return read(folder)


def renew(folder: Path, now: datetime) -> bool:
    """Make the pages' certificate anew where it ends soon; returns whether it was. Raises Unknown without a root."""
    known = read(folder)
    if not known.due(now):
        return False
    issue(folder, known.names, now)
    return True


def read(folder: Path) -> Certificates:
    """Return what lies in the folder. Raises Unknown without a root."""
    root, _key = _root(folder)
    names: tuple[str, ...] = ()
    until: datetime | None = None
    certificate, _served_key = served_files(folder)
    if certificate.exists():
        served = x509.load_pem_x509_certificate(certificate.read_bytes())
        found = served.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = tuple(str(one.value) for one in found)
        until = served.not_valid_after_utc
    return Certificates(
        authority=str(root.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value),
        fingerprint=root.fingerprint(hashes.SHA256()).hex(":").upper(),
        root_until=root.not_valid_after_utc,
        names=names,
        until=until,
    )


def _root(folder: Path) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    try:
        root = x509.load_pem_x509_certificate(root_file(folder).read_bytes())
        key = serialization.load_pem_private_key((folder / "root.key").read_bytes(), None)
    except FileNotFoundError as error:
        raise Unknown(
            _finding(
                "no_root",
                "Chưa có chứng chỉ gốc. Hãy chạy: loa tls init",
                "There is no root yet. Run: loa tls init",
            )
        ) from error
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return root, key


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(_domain(name))


def _domain(name: str) -> str:
    try:
        folded = name.strip().strip(".").lower().encode("idna").decode()
    except UnicodeError as error:
        raise Refused(
            _finding("name_wrong", f"Tên “{name}” không dùng được.", f"The name “{name}” cannot be used.")
        ) from error
    if not folded or not all(part.replace("-", "").isalnum() for part in folded.split(".")):
        raise Refused(_finding("name_wrong", f"Tên “{name}” không dùng được.", f"The name “{name}” cannot be used."))
    return folded


def _covers(permitted: Sequence[x509.GeneralName], name: x509.GeneralName) -> bool:
    if isinstance(name, x509.IPAddress):
        nets = [one.value for one in permitted if isinstance(one, x509.IPAddress)]
        address = name.value
        return any(
            isinstance(net, ipaddress.IPv4Network | ipaddress.IPv6Network)
            and isinstance(address, ipaddress.IPv4Address | ipaddress.IPv6Address)
            and address in net
            for net in nets
        )
    suffixes = [str(one.value) for one in permitted if isinstance(one, x509.DNSName)]
    asked = str(name.value)
    return any(asked == suffix or asked.endswith(f".{suffix}") for suffix in suffixes)


def _usage(*, sign_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not sign_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=sign_certificates,
        crl_sign=sign_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _keep_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    _keep(path, pem, 0o600)


def _keep(path: Path, content: bytes, mode: int) -> None:
    fresh = path.with_suffix(f"{path.suffix}.tmp")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _finding(code: str, vi: str, en: str) -> Finding:
    return Finding(code=code, severity=Severity.ERROR, message=Text(vi, en))
