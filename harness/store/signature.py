"""Signs what this user's runs recorded, so that their own folders are told from those of others.

The key is a file of random bytes that only the user may read, made at the first run. Who has no
folder to keep one in signs nothing, and then every folder counts as somebody else's. Not covered:
whoever can read this user's files can sign as this user.
"""

from __future__ import annotations

import hmac
import os
import secrets
import stat
from pathlib import Path

PURPOSE = b"harness run record\0"
KEY_BYTES = 32


def key_file() -> Path | None:
    """Return where the key is kept: $XDG_CONFIG_HOME/harness, else ~/.config/harness."""
    config = os.environ.get("XDG_CONFIG_HOME", "")
    try:
        around = Path(config) if Path(config).is_absolute() else Path("~/.config").expanduser()
    except RuntimeError:  # this user has no home
        return None
    return around / "harness" / "signing.key"


def sign(line: bytes) -> str | None:
    """Return this user's signature of a record's line; None where no key can be kept."""
    key = _key() or _new_key()
    return None if key is None else _signature(key, line)


def is_signed(line: bytes, signature: str | None) -> bool:
    """Tell whether a signature of a record's line is this user's."""
    key = _key()
    if key is None or signature is None or not signature.isascii():
        return False
    return hmac.compare_digest(signature, _signature(key, line))


def _signature(key: bytes, line: bytes) -> str:
    return hmac.digest(key, PURPOSE + line, "sha256").hex()


def _key() -> bytes | None:
    """Return the key; None where there is none, or others could have written or read it."""
    file = key_file()
    try:
        if file is None:
            return None
        with file.open("rb") as stream:
            found = os.fstat(stream.fileno())
            private = not found.st_mode & (stat.S_IRWXG | stat.S_IRWXO)
            key = stream.read(KEY_BYTES + 1)
    except OSError:
        return None
    return key if private and found.st_uid == os.geteuid() and len(key) == KEY_BYTES else None


def _new_key() -> bytes | None:
    """Make the key; of several processes that do so at once, one's stays."""
    file = key_file()
    if file is None or file.exists():
        return None
    part = file.with_name(f".{secrets.token_hex(4)}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        place = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(place, "wb") as stream:
            stream.write(secrets.token_bytes(KEY_BYTES))
        try:
            os.link(part, file)  # unlike a rename, it takes no other process's place
        except FileExistsError:
            pass
        finally:
            part.unlink()
    except OSError:
        return None
    return _key()
