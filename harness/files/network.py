"""What the environment says of the way to a server: proxies and certificate authorities.

The clients read these variables themselves (HTTPS_PROXY and its kin, SSL_CERT_FILE); here they are
named, where a connection fails because of them. Knows nothing of models.
"""

from __future__ import annotations

import os
import ssl
from ipaddress import ip_address
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")


def is_loopback(url: str) -> bool:
    """Tell whether an address is of this very machine; 0.0.0.0, which servers print, is too."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def proxy_for(url: str) -> str | None:
    """Name the proxy that the environment sets for an address, without its password.

    Returns:
        "the proxy http://proxy:3128 (HTTPS_PROXY)"; None where there is none.
    """
    parts = urlsplit(url)
    proxies = getproxies()
    if not parts.hostname or proxy_bypass(parts.hostname):
        return None
    for kind in (parts.scheme, "all"):
        if proxy := proxies.get(kind):
            names = (f"{kind}_proxy", f"{kind}_proxy".upper())  # in small letters it counts first
            variable = next((name for name in names if os.environ.get(name)), names[1])
            return f"the proxy {_without_password(proxy)} ({variable})"
    return None


def through(url: str) -> str:
    """Return " through the proxy …" where an address is reached by one, else nothing."""
    proxy = proxy_for(url)
    return f" through {proxy}" if proxy else ""


def setting_at_fault(problem: BaseException, url: str) -> str | None:
    """Return reason and remedy where a connection failed by what the environment sets.

    Args:
        problem: what making a client, or connecting, raised.
        url: where to.
    """
    set_ones = [name for name in CERTIFICATES if os.environ.get(name)]
    absent = [name for name in set_ones if not os.path.exists(os.environ[name])]
    named = absent or set_ones
    # Of a file that is missing, ssl says neither name nor purpose.
    if named and isinstance(problem, OSError) and problem.errno and problem.filename is None:
        setting = " and ".join(f"{name}={os.environ[name]}" for name in named)
        what = f"the certificates of {setting} cannot be used ({_reason(problem)})"
        return f"{what} → correct or unset {' and '.join(named)}"
    if _is_untrusted(problem):
        what = f"its certificate is not trusted ({_reason(problem)})"
        return f"{what} → name the file of its certificate authority in SSL_CERT_FILE"
    proxy = proxy_for(url)
    if proxy and isinstance(problem, ImportError):
        return f"{proxy} wants a package that is missing → `pip install socksio`, or unset it"
    if proxy and (isinstance(problem, ValueError) or type(problem).__name__ == "InvalidURL"):
        return f"{proxy} is no address ({_reason(problem)}) → correct or unset the variable"
    return None


def _is_untrusted(problem: BaseException) -> bool:
    return isinstance(problem, ssl.SSLError) or "CERTIFICATE_VERIFY_FAILED" in str(problem)


def _reason(problem: BaseException) -> str:
    return str(problem).strip().split("\n")[0] or type(problem).__name__


def _without_password(proxy: str) -> str:
    scheme, there, rest = proxy.rpartition("://")
    return scheme + there + rest.rpartition("@")[2]
