"""What of the user's own a job needs on another machine: code, input files, folders of weights.

Files travel by content, below the folder that the job's references start from; folders of weights
do not, and are to be there under the same path. Knows nothing of how a parcel travels. Not seen:
files that code opens by a path of its own making. Name them as parameters of the type `InputFile`.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path

from harness import registry
from harness.errors import StrategyError
from harness.files.python_file import PREFIX, names_file, path_of
from harness.run.job import Job
from harness.strategy import INPUT_FILE, MODEL_NAME, Strategy, marked

OUTSIDE = "outside"
"""Begins the names of folders for files that do not lie below the job's own folder."""


@dataclass
class Luggage:
    """A job with what of the user's own it needs elsewhere."""

    job: Job
    """Its strategy and parameters name files below the folder of one's own."""
    files: dict[str, Path] = field(default_factory=dict)
    """Path below the folder of one's own → the file here."""
    own_params: list[str] = field(default_factory=list)
    """Its parameters that are paths below that folder."""
    folders: list[str] = field(default_factory=list)
    """Whole paths of folders that are to be there too."""
    four_bits: bool = False
    """Whether it loads its model in 4 bits."""


def luggage(job: Job) -> Luggage:
    """Return what a job needs besides its rows and what lies in the run folder.

    Raises:
        StrategyError: a file that a part of its strategy needs lies where it cannot be sent from.
        HarnessError: its strategy, or a part, cannot be found.
    """
    return _Packing(job).luggage()


class _Packing:
    """One job's files, as they are found."""

    def __init__(self, job: Job):
        self.base = Path(job.strategy_base)
        self.found = Luggage(job)

    def luggage(self) -> Luggage:
        job = self.found.job
        for reference in (job.strategy, job.metric):
            if names_file(reference):
                self._take_code(path_of(reference, self.base))
        strategy = registry.find(job.strategy, self.base)
        params = strategy.Params(**job.params)
        self._take_params(strategy, job)
        for built in registry.with_parts(strategy, params, self.base):
            needs = registry.declared(built.strategy, built.params).needs
            self.found.four_bits |= "four_bits" in needs
            if built.strategy.__module__.startswith(PREFIX):
                self._take_code(Path(str(sys.modules[built.strategy.__module__].__file__)))
            if built.params is not params:
                for name, value in marked(built.params, INPUT_FILE):
                    self._take_below(Path(value), f"parameter '{name}' of a part")
                self.found.folders += _folders(built.params)
        own = {name: self._reference(getattr(job, name)) for name in ("strategy", "metric")}
        self.found.job = self.found.job.model_copy(update=own)
        return self.found

    def _take_params(self, strategy: type[Strategy], job: Job) -> None:
        """Take the files that the job's own parameters name, wherever they lie."""
        params = strategy.Params(**job.params)
        changed = {}
        for name, value in marked(params, INPUT_FILE):
            changed[name] = self._take(Path(value))
            self.found.own_params.append(name)
        self.found.folders += _folders(params)
        self.found.job = job.model_copy(update={"params": job.params | changed})

    def _reference(self, reference: str) -> str:
        """Return a reference to a file as it is written below the folder of one's own."""
        if not names_file(reference):
            return reference
        name = reference.rsplit(":", 1)[1]
        return f"{self._take(path_of(reference, self.base))}:{name}"

    def _take_code(self, file: Path) -> None:
        """Take a file of code with all that it imports from beside it."""
        self._take(file)
        for other in registry.files_of(file):
            if other.is_relative_to(self.base.resolve()):
                self._take(other)
            elif other.parent == file.parent:
                self.found.files[f"{Path(self._take(file)).parent}/{other.name}"] = other

    def _take(self, file: Path) -> str:
        """Take one file; return its path below the folder of one's own."""
        file = file.resolve()
        if file.is_relative_to(self.base.resolve()):
            name = file.relative_to(self.base.resolve()).as_posix()
        else:
            known = {place.parent: Path(name).parent for name, place in self.found.files.items()}
            folder = known.get(file.parent, Path(f"{OUTSIDE}-{len(self.found.files)}"))
            name = (folder / file.name).as_posix()
        self.found.files[name] = file
        return name

    def _take_below(self, file: Path, what: str) -> None:
        if not file.resolve().is_relative_to(self.base.resolve()):
            raise StrategyError(
                f"{what}: {file} lies outside the task's folder, so it cannot be sent to another"
                f" machine → move it into {self.base}"
            )
        self._take(file)


def _folders(params: object) -> list[str]:
    """Return the folders of weights that parameters name by whole paths."""
    named = marked(params, MODEL_NAME)  # type: ignore[arg-type]
    return [value for _, value in named if Path(value).is_absolute()]
