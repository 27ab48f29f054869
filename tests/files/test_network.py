"""What the environment says of the way to a server."""

from __future__ import annotations

import ssl

import pytest

from harness.files.network import is_loopback, proxy_for, setting_at_fault

VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    for name in (*VARIABLES, *map(str.lower, VARIABLES), "SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("http://localhost:8000/v1", True),
        ("http://my.localhost/v1", True),
        ("http://127.0.0.1/v1", True),
        ("http://127.8.9.1/v1", True),
        ("http://0.0.0.0:8000/v1", True),  # what servers print of themselves
        ("http://[::1]:8000/v1", True),
        ("http://10.0.0.1/v1", False),
        ("http://localhost.example.org/v1", False),
        ("https://api.example.org/v1", False),
    ],
)
def test_which_servers_are_on_this_machine(url, own):
    assert is_loopback(url) is own


@pytest.mark.parametrize(
    ("variables", "proxy"),
    [
        ({}, None),
        ({"HTTPS_PROXY": "http://u:secret@p:1"}, "the proxy http://p:1 (HTTPS_PROXY)"),
        ({"https_proxy": "p:1", "HTTPS_PROXY": "q:1"}, "the proxy p:1 (https_proxy)"),
        ({"ALL_PROXY": "socks5://p:1"}, "the proxy socks5://p:1 (ALL_PROXY)"),
        ({"HTTP_PROXY": "http://p:1"}, None),  # of another scheme
        ({"HTTPS_PROXY": "http://p:1", "NO_PROXY": "example.org"}, None),
        ({"HTTPS_PROXY": ""}, None),
    ],
)
def test_the_proxy_is_named_without_its_password(monkeypatch, variables, proxy):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert proxy_for("https://api.example.org/v1") == proxy


@pytest.mark.parametrize(
    ("problem", "words"),
    [
        (ValueError("Unknown scheme"), "is no address (Unknown scheme) → correct or unset"),
        (
            ssl.SSLCertVerificationError("CERTIFICATE_VERIFY_FAILED"),
            "→ name the file of its certificate authority in SSL_CERT_FILE",
        ),
        (KeyError("a bug"), None),
    ],
)
def test_which_setting_is_at_fault(monkeypatch, problem, words):
    monkeypatch.setenv("HTTPS_PROXY", "garbage")
    found = setting_at_fault(problem, "https://api.example.org/v1")
    assert found is None if words is None else words in found
