"""FlexTok computes what the published code computes, part by part and as a whole."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from safetensors.torch import load_file  # noqa: E402
from torch import Tensor  # noqa: E402

from tests.register.flextok import tiny as tiny_flextok  # noqa: E402
from tokcodec.register.flextok.flow import ProjectedGuidance, classifier_free  # noqa: E402
from tokcodec.register.flextok.tokenizer import FlexTok, flextok_from  # noqa: E402

KEPT = Path(__file__).parents[1] / "vectors" / "flextok" / "io.safetensors"
WHOLE = os.environ.get("TOKCODEC_VECTORS")
TOLERANCES = {"tokens": 0, "fsq": 0, "sample": 5e-5, "recon": 1e-4, "vae_decode": 1e-4, "apg": 1e-5}
GUIDANCES = {
    "g1": lambda: None,
    "cfg3": lambda: classifier_free(3),
    "apg7.5": lambda: ProjectedGuidance(7.5),
}

Vectors = dict[str, Tensor]


def tiny(longest: float = 1.0) -> FlexTok:
    config = tiny_flextok.config()
    config["decoder"]["module_dict"]["dec_time_embedder"]["max_timestep"] = longest
    return flextok_from(config, tiny_flextok.weights(), tiny_flextok.SIDE)


@torch.inference_mode()
def computed(given: Vectors) -> Vectors:
    """All that the vectors hold, from the pictures and the noise among them."""
    model = tiny()
    inputs = ("image", "noise", "fsq_probe_in", "apg_cond", "apg_uncond")
    made = {name: given[name] for name in inputs}
    made["vae_latents"] = latents = model.latents(given["image"])
    made["noised_half"] = half = 0.5 * given["noise"] + 0.5 * latents
    made["latents"] = model.encoder(latents)
    made["tokens"] = ids = model.ids(given["image"])
    made["quantized"] = made["fsq_embedding"] = model.fsq.values(ids)
    made["vae_decode_of_vae_latents"] = model.seen(latents)
    made["fsq_probe_ids"] = probe = model.fsq.ids(model.fsq.digits(given["fsq_probe_in"]))
    made["fsq_probe_quantized"] = model.fsq.values(probe)
    made["apg_out_g7.5"] = guided(given["apg_cond"], given["apg_uncond"])
    times = {"t0.04": latents, "t0.5": half, "t1": given["noise"]}
    for name in given.keys() - made.keys():
        kind, *how = name.split("_")
        if kind == "velocity":
            network = (tiny(1000.0) if how[2:] else model).decoder
            known = network.unknown(len(ids))
            if how[0] != "uncond":
                known = network.known(model.fsq.values(first(ids, how[0])))
            made[name] = network(times[how[1]], float(how[1][1:]), known)
        elif kind in ("sample", "recon"):
            keep, guidance, steps = how[-3:]
            start, way = given["noise"], GUIDANCES[guidance]()
            drawn = model.drawn(first(ids, keep), start, int(steps[1:]), way)
            made[name] = drawn if kind == "sample" else model.seen(drawn)
    return made | inside(model, latents, half)


def first(ids: Tensor, keep: str) -> Tensor:
    return ids[:, : int(keep.removeprefix("keep"))]


def guided(conditional: Tensor, free: Tensor) -> Tensor:
    """Three steps of one picture."""
    guidance = ProjectedGuidance(7.5)
    steps = zip(conditional, free, strict=True)
    return torch.cat([guidance(c[None], u[None]) for c, u in steps])


def inside(model: FlexTok, latents: Tensor, half: Tensor) -> Vectors:
    """What goes into and comes out of the transformers."""
    seen: Vectors = {}

    def keep(name: str) -> Callable:
        return lambda _, given, out: seen.update({f"{name}_in": given[0], f"{name}_out": out})

    places = [("enc", model.encoder), ("dec", model.decoder)]
    hooks = [
        part.blocks[i].register_forward_hook(keep(f"{name}{i}"))  # type: ignore[union-attr]
        for name, part in places
        for i in (0, -1)
    ]
    values = model.fsq.values(model.fsq.ids(model.fsq.digits(model.encoder(latents))))
    model.decoder(half, 0.5, model.decoder.known(values[:, :4]))
    for hook in hooks:
        hook.remove()
    length = seen["enc0_in"].shape[1]
    return {
        "dbg_enc_in": seen["enc0_in"],
        "dbg_enc_out": seen["enc-1_out"],
        "dbg_dec_in": apart(seen["dec0_in"], length),
        "dbg_dec_out": apart(seen["dec-1_out"], length),
        "dbg_dec_temb_t0.5": model.decoder.time(0.5).expand(len(latents), -1),
    }


def apart(x: Tensor, length: int) -> Tensor:
    """The register that stands for all dropped ones, written as often as it counts."""
    return torch.cat([x, x[:, -1:].expand(-1, length - x.shape[1], -1)], 1)


def assert_equal(given: Vectors) -> None:
    made = computed(given)
    for name, tensor in given.items():
        tolerance = next((t for kind, t in TOLERANCES.items() if name.startswith(kind)), 2e-5)
        torch.testing.assert_close(made[name], tensor, rtol=0, atol=tolerance, msg=name)


def test_parity() -> None:
    assert_equal(load_file(KEPT))


@pytest.mark.skipif(not WHOLE, reason="needs TOKCODEC_VECTORS, the folder of all parity vectors")
def test_parity_with_all_that_was_stored() -> None:
    folder = Path(str(WHOLE)) / "flextok"
    stored, ours = load_file(folder / "model.safetensors"), tiny_flextok.weights()
    assert ours.keys() == stored.keys()
    for name, tensor in stored.items():
        torch.testing.assert_close(ours[name], tensor, rtol=0, atol=1e-6, msg=name)
    given = load_file(folder / "io.safetensors")
    assert len(given) == 48
    assert_equal(given)
