"""What FlexTok's published checkpoints call the tensors that our modules hold."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from tokcodec.errors import DamagedModelError
from tokcodec.register.flextok.shape import DECODER, ENCODER

PUBLISHED = {  # what a name begins with: here, there
    "vae.": "vae.vae.",
    "encoder.patches.proj.": f"{ENCODER}patch_emb.patch_proj.",
    "encoder.patches.places": f"{ENCODER}posemb_module.posembs",
    "encoder.registers": f"{ENCODER}register_module.registers",
    "encoder.blocks.": f"{ENCODER}transformer.blocks.",
    "encoder.out.": f"{ENCODER}to_latents.proj.",
    "decoder.embed.": f"{DECODER}from_latents.proj.",
    "decoder.places": f"{DECODER}registers_posemb_module.posembs",
    "decoder.dropped": f"{DECODER}nested_dropout.dropout_mask_token",
    "decoder.nothing": f"{DECODER}latent_dropout.nullcond",
    "decoder.patches.proj.": f"{DECODER}noise_patch_emb.patch_proj.",
    "decoder.patches.places": f"{DECODER}patches_posemb_module.posembs",
    "decoder.time.": f"{DECODER}time_embedder.",
    "decoder.blocks.": f"{DECODER}transformer.blocks.",
    "decoder.modulation.": f"{DECODER}to_patches.modulation.",
    "decoder.out.": f"{DECODER}to_patches.proj.",
}
INSIDE = {".modulation.": ".adaLN_modulation.1."}
EARLIER = {  # names in older checkpoints: of diffusers' attention, of wrapped blocks
    ".query.": ".to_q.",
    ".key.": ".to_k.",
    ".value.": ".to_v.",
    ".proj_attn.": ".to_out.0.",
    "._checkpoint_wrapped_module.": ".",
}
NAMED = 5  # names in a message


def published(name: str) -> str:
    """Our name of a tensor to the published one."""
    here = next(start for start in PUBLISHED if name.startswith(start))
    return _replaced(PUBLISHED[here] + name.removeprefix(here), INSIDE)


def ours(weights: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Weights by their published names to weights by our names.

    Args:
        weights: those of a checkpoint.
        wanted: the tensors that they are for, by our names; only shapes count.

    Raises:
        DamagedModelError: tensors are missing, foreign, misshapen or hold whole numbers.
    """
    found = {_replaced(name, EARLIER): tensor for name, tensor in weights.items()}
    names = {published(name): name for name in wanted}
    shapes = {name: tuple(wanted[here].shape) for name, here in names.items()}
    faults = {
        "missing": names.keys() - found.keys(),
        "foreign": found.keys() - names.keys(),
        "of another shape": {
            f"{name} ({tuple(found[name].shape)} instead of {shape})"
            for name, shape in shapes.items()
            if name in found and tuple(found[name].shape) != shape
        },
        "not of floating-point numbers": {
            name for name in names if name in found and not found[name].is_floating_point()
        },
    }
    if any(faults.values()):
        said = "; ".join(f"{what}: {_listed(names)}" for what, names in faults.items() if names)
        raise DamagedModelError(f"the weights do not fit a FlexTok of this configuration; {said}")
    return {here: found[name] for name, here in names.items()}


def _replaced(name: str, changes: Mapping[str, str]) -> str:
    for before, after in changes.items():
        name = name.replace(before, after)
    return name


def _listed(names: set[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(sorted(names)[:NAMED]) + more
