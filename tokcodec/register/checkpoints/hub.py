"""Owner and name on the Hugging Face hub to the files of a tokenizer, downloaded once. Loads no
torch.

What is in huggingface_hub's cache is used without asking the hub again, so a model stays what it
was, and works without a network. That cache gives a file its name only when it is complete.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from tokcodec.errors import ArgumentError, InputError, UnknownModelError, first_line
from tokcodec.register.checkpoints import shards

PREFIX = "hf-hub:"
WEIGHTS = ("model.safetensors", shards.INDEX, "pytorch_model.bin")  # in this order
CONFIG = "config.json"
_ADDRESS = re.compile(r"([\w.-]+/[\w.-]+)(?:@([\w./-]+))?", re.ASCII)


def fetch(address: str) -> tuple[Path, Path | None]:
    """Files of weights, or the index of several beside it, and, if there is one, of the
    configuration.

    Args:
        address: "owner/name", or "owner/name@revision".

    Raises:
        ArgumentError: huggingface_hub is missing, or this is no address.
        UnknownModelError: the hub has no such model, or none for you, or it has no weights.
        InputError: the hub cannot be reached, and the model is not in the cache.
    """
    match = _ADDRESS.fullmatch(address)
    if match is None:
        raise ArgumentError(f"a model on the hub is {PREFIX}owner/name, not {PREFIX}{address}")
    repository, revision = match.groups()
    place = {"repo_id": repository, "revision": revision}
    for name in WEIGHTS:
        weights = _file(place, name, local_files_only=True)
        if weights is not None and _whole(place, weights, local_files_only=True):
            return weights, _file(place, CONFIG, local_files_only=True)
    config = _file(place, CONFIG)  # first: whoever has the weights has it, too
    for name in WEIGHTS:
        weights = _file(place, name)
        if weights is not None:
            if not _whole(place, weights):
                raise UnknownModelError(f"{repository} on the hub lacks a part of {name}")
            return weights, config
    raise UnknownModelError(f"{repository} on the hub has none of {', '.join(WEIGHTS)}")


def _whole(place: dict[str, Any], weights: Path, local_files_only: bool = False) -> bool:
    """Whether all files that an index names are there, downloaded if they may be; of a file that is
    no index: yes.
    """
    if not shards.is_index(weights):
        return True
    names = sorted({path.name for path in shards.listed(weights).values()})
    return all(_file(place, name, local_files_only) is not None for name in names)


def announced(path: Path) -> str | None:
    """SHA-256 that a file in the cache should have: large files are kept under it as their name."""
    name = path.resolve().name
    return name if re.fullmatch("[0-9a-f]{64}", name) else None


def _file(place: dict[str, Any], name: str, local_files_only: bool = False) -> Path | None:
    """A file of a repository, or None if there is none of that name."""
    try:
        from huggingface_hub import errors, hf_hub_download
    except ImportError:
        raise ArgumentError(
            "models from the hub need huggingface_hub: pip install 'tokcodec[hub]'"
        ) from None
    repository = place["repo_id"]
    try:
        return Path(hf_hub_download(filename=name, local_files_only=local_files_only, **place))
    except errors.LocalEntryNotFoundError as e:
        if local_files_only:
            return None
        raise InputError(
            f"the hub cannot be reached, and {repository} is not in the cache; load it once with "
            "a network, or give the folder of a copy"
        ) from e
    except errors.EntryNotFoundError:
        return None
    except errors.GatedRepoError as e:
        raise UnknownModelError(
            f"{repository} asks you to accept its terms on huggingface.co, and to log in"
        ) from e
    except (errors.RepositoryNotFoundError, errors.RevisionNotFoundError) as e:
        raise UnknownModelError(
            f"the hub has no {repository}, or not for you (of the revision asked for)"
        ) from e
    except errors.HFValidationError as e:
        raise ArgumentError(f"{repository} is no name on the hub: {e}") from e
    except Exception as e:  # disk, the hub's own errors, or its HTTP library's, whichever that is
        raise InputError(
            f"cannot download {name} of {repository}; try again later: {first_line(e)}"
        ) from e
