"""The private root: what it signs, what it refuses, who can read its key, and when its certificates are renewed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from link import certificates
from schedules.errors import Conflict, Refused, Unknown

NOW = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path):
    """A folder with a root for this network and one domain."""
    certificates.make_root(tmp_path / "tls", authority="Xã Long Hiệp", domains=("longhiep.vn",), now=NOW)
    return tmp_path / "tls"


def served(folder):
    """Return the pages' certificate."""
    return x509.load_pem_x509_certificate(certificates.served_files(folder)[0].read_bytes())


def test_keys_are_for_their_owner_alone(folder):
    """Both private keys are 0600, the folder 0700; what phones install is readable."""
    certificates.issue(folder, ("loa.lan",), NOW)
    modes = {path.name: oct(path.stat().st_mode & 0o777) for path in folder.iterdir()}
    assert modes == {"root.key": "0o600", "root.crt": "0o644", "served.key": "0o600", "served.crt": "0o644"}
    assert oct(folder.stat().st_mode & 0o777) == "0o700"


def test_a_certificate_is_good_for_its_names_and_as_long_as_browsers_allow(folder):
    """Names and addresses of this network stand in it; it ends within 398 days and is for servers only."""
    made = certificates.issue(folder, ("loa.lan", "192.168.1.10", "trạm.longhiep.vn", "loa.lan"), NOW)
    assert made.names == ("loa.lan", "192.168.1.10", "xn--trm-tgz.longhiep.vn")
    certificate = served(folder)
    assert timedelta(days=390) < certificate.not_valid_after_utc - certificate.not_valid_before_utc
    assert certificate.not_valid_after_utc - certificate.not_valid_before_utc < timedelta(days=398)
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    root = x509.load_pem_x509_certificate(certificates.root_file(folder).read_bytes())
    certificate.verify_directly_issued_by(root)
    assert root.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 0


@pytest.mark.parametrize("name", ["google.com", "8.8.8.8", "evillonghiep.vn", "longhiep.vn.evil.com", "2001:4860::1"])
def test_the_root_signs_for_this_network_only(folder, name):
    """Whoever gets the root's key cannot stand in for the rest of the world on an officer's phone."""
    with pytest.raises(Refused):
        certificates.issue(folder, ("loa.lan", name), NOW)
    assert not certificates.served_files(folder)[0].exists()


@pytest.mark.parametrize("name", ["", "..", "a b.lan", "*.lan", "a/b.lan", "x" * 70 + ".lan"])
def test_what_is_no_name_is_refused(folder, name):
    """A name that no browser would ask for is told at once."""
    with pytest.raises(Refused):
        certificates.issue(folder, (name,), NOW)


def test_a_root_is_made_once(folder, tmp_path):
    """Phones have it installed: it is not made again, and nothing is issued without one."""
    with pytest.raises(Conflict):
        certificates.make_root(folder, authority="Khác", domains=(), now=NOW)
    with pytest.raises(Unknown):
        certificates.issue(tmp_path / "nothing", ("loa.lan",), NOW)
    with pytest.raises(Refused):
        certificates.issue(folder, (), NOW)


def test_a_certificate_is_renewed_before_it_ends(folder):
    """A month before its end it is made anew for the same names; earlier it stays."""
    certificates.issue(folder, ("loa.lan",), NOW)
    first = served(folder).serial_number
    assert not certificates.renew(folder, NOW + timedelta(days=300))
    assert served(folder).serial_number == first
    assert certificates.renew(folder, NOW + timedelta(days=370))
    assert served(folder).serial_number != first
    assert certificates.read(folder).names == ("loa.lan",)
