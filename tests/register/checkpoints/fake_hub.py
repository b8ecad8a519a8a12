"""A stand-in for huggingface_hub: folders for repositories, and a cache like its own."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import ModuleType, SimpleNamespace


class EntryNotFoundError(Exception):
    pass


class LocalEntryNotFoundError(EntryNotFoundError, FileNotFoundError):
    pass


class RepositoryNotFoundError(OSError):
    pass


class GatedRepoError(RepositoryNotFoundError):
    pass


class RevisionNotFoundError(OSError):
    pass


class HFValidationError(ValueError):
    pass


KINDS = (
    EntryNotFoundError, LocalEntryNotFoundError, RepositoryNotFoundError, GatedRepoError,
    RevisionNotFoundError, HFValidationError,
)  # fmt: skip


class Hub:
    """Repositories (folders by name), and a cache that is filled as huggingface_hub fills its own:
    files lie under their hash, with a link to them.
    """

    def __init__(self, cache: Path, repositories: dict[str, Path]) -> None:
        self.cache, self.repositories = cache, repositories
        self.online = True
        self.asked: list[str] = []

    def hf_hub_download(self, repo_id, filename, revision=None, local_files_only=False):
        cached = self.cache / repo_id / (revision or "main") / filename
        if cached.exists():
            return str(cached)
        if local_files_only:
            raise LocalEntryNotFoundError(filename)
        self.asked.append(f"{repo_id}/{filename}")
        if not self.online:
            raise LocalEntryNotFoundError("no connection")
        if repo_id == "owner/gated":
            raise GatedRepoError(repo_id)
        if revision == "gone":
            raise RevisionNotFoundError(revision)
        if repo_id not in self.repositories:
            raise RepositoryNotFoundError(repo_id)
        source = self.repositories[repo_id] / filename
        if not source.exists():
            raise EntryNotFoundError(filename)
        data = source.read_bytes()
        blob = self.cache / hashlib.sha256(data).hexdigest()
        blob.write_bytes(data)
        cached.parent.mkdir(parents=True, exist_ok=True)
        cached.symlink_to(blob)
        return str(cached)

    def module(self) -> ModuleType:
        """To take the package's place in `sys.modules`."""
        module = ModuleType("huggingface_hub")
        module.hf_hub_download = self.hf_hub_download
        module.errors = SimpleNamespace(**{kind.__name__: kind for kind in KINDS})
        return module
