"""FlexTok: every prefix is a picture, one seed one picture, and no checkpoint but a whole one."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

import tokcodec

torch = pytest.importorskip("torch")

from safetensors.torch import save_file  # noqa: E402
from torch import Tensor  # noqa: E402

from tests.register.flextok import tiny as tiny_flextok  # noqa: E402
from tokcodec.errors import ArgumentError, DamagedModelError, TokensError  # noqa: E402
from tokcodec.register.flextok.decoder import Condition  # noqa: E402
from tokcodec.register.flextok.shape import shape_of  # noqa: E402
from tokcodec.register.flextok.tokenizer import FlexTok, flextok_from  # noqa: E402

SIDE = tiny_flextok.SIDE

Vectors = dict[str, Tensor]


@pytest.fixture(scope="module")
def model() -> FlexTok:
    return flextok_from(tiny_flextok.config(), tiny_flextok.weights(), SIDE)


@pytest.fixture
def pictures(photograph: Callable) -> Tensor:
    """Two photographs, (2, 3, SIDE, SIDE)."""
    both = [photograph(name, SIDE, SIDE) for name in ("astronaut", "chelsea")]
    return torch.from_numpy(np.stack(both)).permute(0, 3, 1, 2) / 255


# ---- sizes


def published_config(encoder: int, decoder: int) -> dict:
    """With so many blocks, and all else as in the published models."""
    config = tiny_flextok.config()
    del config["vae"]["block_out_channels"], config["vae"]["norm_num_groups"]
    for part, depth in (("encoder", encoder), ("decoder", decoder)):
        modules, short = config[part]["module_dict"], part[:3]
        modules[f"{short}_transformer"] = {"dim": 64 * depth, "depth": depth}
    config["encoder"]["module_dict"]["enc_register_module"] = {"n_max": 256}
    config["encoder"]["module_dict"]["enc_posemb_module"] = {"max_sizes": [16, 16]}
    config["decoder"]["module_dict"]["dec_patches_posemb_module"] = {"max_sizes": [16, 16]}
    return config


@pytest.mark.parametrize(
    ("depths", "millions", "guidance"),
    [((12, 12), 341.6, 15), ((18, 18), 949.7, 7.5), ((18, 28), 2540.9, 7.5)],
)
def test_published_models_have_as_many_parameters(
    depths: tuple[int, int], millions: float, guidance: float
) -> None:
    with torch.device("meta"):
        model = FlexTok(shape_of(published_config(*depths)))
    assert (model.side, model.length, model.guidance) == (256, 256, guidance)
    assert sum(p.numel() for p in model.parameters()) / 1e6 == pytest.approx(millions, abs=0.06)


# ---- tokens


def test_what_it_says_of_itself(model: FlexTok) -> None:
    assert (model.side, model.length, model.shortest) == (80, 16, 1)
    assert (model.levels, model.vocabulary) == ((8, 8, 8, 5, 5, 5), 64000)
    assert flextok_from(tiny_flextok.config(), tiny_flextok.weights()).side == 96


def test_the_first_tokens_do_not_depend_on_the_rest(model: FlexTok, pictures: Tensor) -> None:
    whole = model.ids(pictures)
    assert whole.shape == (2, 16)
    assert whole.dtype == torch.int64
    assert not torch.equal(whole[0], whole[1])
    for count in range(1, 17):
        assert torch.equal(model.ids(pictures, count), whole[:, :count])


def test_a_register_is_blind_to_those_after_it(pictures: Tensor) -> None:
    weights = tiny_flextok.weights()
    model = flextok_from(tiny_flextok.config(), weights, SIDE)
    before = model.encoder(model.latents(pictures))
    weights["encoder.module_dict.enc_register_module.registers"][9] += 1
    after = model.encoder(model.latents(pictures))
    assert torch.equal(before[:, :9], after[:, :9])
    assert (before[:, 9:] != after[:, 9:]).any(-1).all()


# ---- pictures


def test_every_prefix_is_a_picture(model: FlexTok, pictures: Tensor) -> None:
    ids = model.ids(pictures)
    drawn = [model.pixels(ids[:, :k], steps=2) for k in range(1, 17)]
    for picture in drawn:
        assert picture.shape == (2, 3, SIDE, SIDE)
        assert picture.dtype == torch.float32
        assert 0 <= picture.min() < picture.max() <= 1
    assert all((one != two).any() for one, two in pairwise(drawn))


def test_one_register_stands_for_all_that_were_dropped(model: FlexTok, pictures: Tensor) -> None:
    latents, values = model.latents(pictures), model.fsq.values(model.ids(pictures))
    short = model.decoder.known(values[:, :3])
    written_out = [short.registers, short.registers[:, -1:].expand(-1, 12, -1)]
    long = Condition(torch.cat(written_out, 1))
    assert short.registers.shape[1] == 4
    assert long.registers.shape[1] == 16
    found = [model.decoder(latents, 0.3, condition) for condition in (short, long)]
    torch.testing.assert_close(*found, rtol=0, atol=2e-5)


def test_the_noise_is_that_of_the_format(model: FlexTok) -> None:
    assert model.noise(0).shape == (1, 16, 10, 10)
    found = model.noise(0)[0, 0, 0, :3]
    torch.testing.assert_close(found, torch.tensor([0.15853384, 2.9828794, -1.9256920]))


def test_a_seed_is_a_picture(model: FlexTok, pictures: Tensor) -> None:
    ids = model.ids(pictures)[:, :4]
    first = model.pixels(ids, steps=3)
    torch.rand(5)  # what others draw does not matter
    assert torch.equal(first, model.pixels(ids, steps=3, seed=0))
    assert (first - model.pixels(ids, steps=3, seed=1)).abs().max() > 0.01


def test_steps_and_guidance_count(model: FlexTok, pictures: Tensor) -> None:
    ids = model.ids(pictures)[:, :4]
    ways: list[dict] = [
        {},
        {"steps": 7},
        {"guidance": 1},
        {"guidance": 2.5},
        {"guidance": 0},
        {"projected": False},
    ]
    drawn = [model.pixels(ids, **{"steps": 4} | way) for way in ways]
    for i, one in enumerate(drawn):
        assert all((one - other).abs().max() > 1e-3 for other in drawn[:i])


@pytest.mark.parametrize("projected", [True, False])
def test_numbers_may_be_numpys(model: FlexTok, pictures: Tensor, projected: bool) -> None:
    ids = model.ids(pictures)[:, :4]
    plain = model.pixels(ids, steps=2, guidance=2.5, projected=projected)
    for kind in (np.float32, np.float64):
        way: dict = {"steps": np.int64(2), "guidance": kind(2.5), "projected": projected}
        assert torch.equal(model.pixels(ids, **way), plain)


def test_guidance_one_is_the_network_alone(model: FlexTok, pictures: Tensor) -> None:
    ids = model.ids(pictures)[:, :4]
    alone = model.pixels(ids, steps=3, guidance=1)
    nearly = model.pixels(ids, steps=3, guidance=1 + 1e-9, projected=False)
    torch.testing.assert_close(alone, nearly, rtol=0, atol=1e-5)


def test_a_batch_is_its_pictures(model: FlexTok, pictures: Tensor) -> None:
    ids = model.ids(pictures)
    assert torch.equal(ids, torch.cat([model.ids(p[None]) for p in pictures]))
    together = model.pixels(ids[:, :6], steps=3)
    alone = torch.cat([model.pixels(i[None, :6], steps=3) for i in ids])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-5)


def test_half_the_bits(pictures: Tensor) -> None:
    model = flextok_from(tiny_flextok.config(), tiny_flextok.weights(), SIDE)
    ids = model.ids(pictures)[:, :6]
    exact = model.pixels(ids, steps=2)
    rough = model.to(torch.bfloat16).pixels(ids, steps=2)
    assert rough.dtype == torch.float32
    assert 0 < (rough - exact).abs().mean() < 0.03
    assert model.ids(pictures).shape == (2, 16)


# ---- what is refused


@pytest.mark.parametrize("seed", [-1, 2**64, 0.5, "1", None, True])
def test_seeds_that_are_none(model: FlexTok, seed: object) -> None:
    with pytest.raises(ArgumentError, match="seed"):
        model.pixels(torch.zeros(1, 1, dtype=torch.int64), seed=seed)


@pytest.mark.parametrize(
    "wrong",
    [
        {"steps": 0},
        {"steps": 10**6},
        {"steps": 2.5},
        {"steps": True},
        {"guidance": -1},
        {"guidance": float("nan")},
        {"guidance": "much"},
        {"guidance": True},
        {"temperature": 1},
    ],
)
def test_arguments_without_meaning(model: FlexTok, wrong: dict) -> None:
    with pytest.raises(ArgumentError, match=next(iter(wrong))):
        model.pixels(torch.zeros(1, 1, dtype=torch.int64), **wrong)


@pytest.mark.parametrize("ids", [[[64000]], [[-1]], [[]], [[0] * 17], [0]])
def test_tokens_that_are_none(model: FlexTok, ids: list) -> None:
    with pytest.raises(TokensError, match="token"):
        model.pixels(torch.tensor(ids, dtype=torch.int64), steps=1)


@pytest.mark.parametrize("shape", [(1, 3, 80, 96), (1, 1, 80, 80), (3, 80, 80)])
def test_pictures_of_another_shape(model: FlexTok, shape: tuple[int, ...]) -> None:
    with pytest.raises(ArgumentError, match="pictures are"):
        model.ids(torch.zeros(shape))


@pytest.mark.parametrize("count", [0, 17])
def test_counts_that_are_none(model: FlexTok, pictures: Tensor, count: int) -> None:
    with pytest.raises(ArgumentError, match="count"):
        model.ids(pictures, count)


@pytest.mark.parametrize("side", [0, 88, 112])
def test_sides_without_places(side: int) -> None:
    with pytest.raises(ArgumentError, match="multiple of 16 up to 96"):
        flextok_from(tiny_flextok.config(), tiny_flextok.weights(), side)


MASK = "decoder.module_dict.dec_nested_dropout.dropout_mask_token"


def without(weights: Vectors) -> None:
    del weights[MASK]


def with_more(weights: Vectors) -> None:
    weights["encoder.module_dict.enc_transformer.blocks.3.attn.wq.weight"] = torch.zeros(64, 64)


def with_wrong_shape(weights: Vectors) -> None:
    weights[MASK] = torch.zeros(95)


def with_whole_numbers(weights: Vectors) -> None:
    weights[MASK] = torch.zeros(96, dtype=torch.int64)


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (without, f"missing: {MASK}"),
        (with_more, "foreign: encoder.module_dict.enc_transformer.blocks.3.attn.wq.weight"),
        (with_wrong_shape, f"of another shape: {MASK} \\(\\(95,\\) instead of \\(96,\\)\\)"),
        (with_whole_numbers, f"not of floating-point numbers: {MASK}"),
        (Vectors.clear, "missing: .* and 300 more"),
    ],
)
def test_weights_that_do_not_fit(harm: Callable[[Vectors], None], message: str) -> None:
    weights = tiny_flextok.weights()
    harm(weights)
    with pytest.raises(DamagedModelError, match=message):
        flextok_from(tiny_flextok.config(), weights)


WRONG = [
    ("vae.scaling_factor", None),
    ("vae.scaling_factor", 0),
    ("vae.scaling_factor", float("inf")),
    ("vae.norm_num_groups", 5),
    ("encoder", "__import__('os').getcwd()"),
    ("encoder", "[" * 100_000),
    ("encoder.module_dict.enc_transformer.depth", 10**9),
    ("encoder.module_dict.enc_transformer.dim", 65),
    ("encoder.module_dict.enc_transformer.dim", True),
    ("encoder.module_dict.enc_patch_emb.patch_sizes", [4, 4]),
    ("decoder.module_dict.dec_patches_posemb_module.max_sizes", [6]),
    ("decoder.module_dict.dec_transformer", None),
    ("regularizer.levels", []),
    ("regularizer.levels", "8"),
    ("regularizer.levels", [8, 8, 8, 5, 5, 1]),
]


@pytest.mark.parametrize(("path", "value"), WRONG)
def test_configurations_that_make_no_sense(path: str, value: object) -> None:
    config = tiny_flextok.config()
    *folders, name = path.split(".")
    entry = config
    for folder in folders:
        entry = entry[folder]
    if value is None:
        del entry[name]
    else:
        entry[name] = value
    with pytest.raises(DamagedModelError, match=re.escape(name) if value is None else None):
        flextok_from(config, tiny_flextok.weights())


# ---- checkpoints as others wrote them


def test_a_configuration_as_safetensors_metadata(pictures: Tensor, model: FlexTok) -> None:
    config = {name: str(part) for name, part in tiny_flextok.config().items()}
    read = flextok_from(config, tiny_flextok.weights(), SIDE)
    assert torch.equal(read.ids(pictures), model.ids(pictures))


def test_the_order_of_a_configuration_means_nothing(pictures: Tensor, model: FlexTok) -> None:
    config = tiny_flextok.config()
    for part in ("encoder", "decoder"):
        modules = config[part]["module_dict"]
        config[part]["module_dict"] = dict(sorted(modules.items(), reverse=True))
    read = flextok_from(config, tiny_flextok.weights(), SIDE)
    assert torch.equal(read.ids(pictures), model.ids(pictures))


def test_names_of_older_checkpoints(pictures: Tensor, model: FlexTok) -> None:
    older = [(".to_q.", ".query."), (".to_k.", ".key."), (".to_v.", ".value.")]
    older += [
        (".to_out.0.", ".proj_attn."),
        (".blocks.1.", ".blocks.1._checkpoint_wrapped_module."),
    ]
    weights = {}
    for name, tensor in tiny_flextok.weights().items():
        for now, before in older:
            name = name.replace(now, before)
        weights[name] = tensor
    assert weights.keys() != tiny_flextok.weights().keys()
    read = flextok_from(tiny_flextok.config(), weights, SIDE)
    assert torch.equal(read.ids(pictures), model.ids(pictures))


@pytest.mark.parametrize("inside", [True, False])
def test_a_checkpoint_becomes_a_codec(tmp_path: Path, photograph: Callable, inside: bool) -> None:
    """With its configuration in the file's metadata, or sorted beside it."""
    config = tiny_flextok.config()
    metadata = {name: str(part) for name, part in config.items()} if inside else {}
    save_file(tiny_flextok.weights(), tmp_path / "model.safetensors", metadata)
    if not inside:
        (tmp_path / "config.json").write_text(json.dumps(config, sort_keys=True))
    codec = tokcodec.load(tmp_path)
    picture = photograph("coffee", 96, 96)
    square = torch.from_numpy(picture.copy()).permute(2, 0, 1)[None] / 255
    whole = flextok_from(config, tiny_flextok.weights())
    assert codec.tokenize(picture).ids.tolist() == whole.ids(square)[0].tolist()
    data = codec.encode(picture, budget=5)
    first = np.asarray(codec.decode(data, steps=2))
    assert first.shape == (96, 96, 3)
    assert (first != np.asarray(codec.decode(data, steps=2, seed=1))).any()
