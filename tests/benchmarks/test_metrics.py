"""Metrics against golden values, second implementations and common sense."""

from __future__ import annotations

import os
import subprocess
import sys
import types
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter
from scipy.signal import fftconvolve
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from benchmarks import metrics
from benchmarks.metrics import HIGHER_IS_BETTER, METRICS, measure
from tokcodec.errors import ArgumentError, InputError, TokCodecWarning

torch = pytest.importorskip("torch")

from safetensors.torch import load_file, save_file  # noqa: E402

from benchmarks.metrics.dists import Dists  # noqa: E402
from benchmarks.metrics.features import alexnet  # noqa: E402
from benchmarks.metrics.lpips import Lpips  # noqa: E402
from benchmarks.metrics.ssimulacra2 import Ssimulacra2  # noqa: E402
from benchmarks.metrics.weights import FOLDER  # noqa: E402

NETWORKS = ("lpips_alex", "lpips_vgg", "dists")
WEIGHTS = Path(os.environ.get(FOLDER) or Path(__file__).parents[3] / "shared" / "metrics")
MIN_SIDE = {"psnr": 1, "ms_ssim": 11, "lpips_alex": 31, "lpips_vgg": 16, "dists": 16}
MIN_SIDE["ssimulacra2"] = 113


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """No metric made, no original kept; weights found where this machine has them."""
    monkeypatch.setattr(metrics, "_made", {})
    monkeypatch.setattr(metrics, "_kept", {})
    monkeypatch.setenv(FOLDER, str(WEIGHTS))


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No weights and no packages; gives the cache folder that is looked into."""
    monkeypatch.setenv(FOLDER, str(tmp_path / "none"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setitem(sys.modules, "lpips", None)
    monkeypatch.setitem(sys.modules, "DISTS_pytorch", None)
    cache = tmp_path / "tokcodec" / "metrics"
    cache.mkdir(parents=True)
    return cache


def need(name: str) -> None:
    files = {"dists": ("dists", "lpips_vgg")}.get(name, (name,)) if name in NETWORKS else ()
    for file in files:
        if not (WEIGHTS / f"{file}.safetensors").is_file():
            pytest.skip(f"no {file}.safetensors; {FOLDER} names the folder that has it")


def blurred(rgb: np.ndarray, radius: float) -> np.ndarray:
    return np.asarray(Image.fromarray(rgb).filter(ImageFilter.GaussianBlur(radius)))


def noisy(rgb: np.ndarray, sigma: float) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, 1, rgb.shape)
    return np.clip(np.rint(rgb + sigma * noise), 0, 255).astype(np.uint8)


def waves(height: int, width: int, step: int) -> np.ndarray:
    """A pattern in integers, the same everywhere; `step` coarsens its values."""
    y, x, c = np.ogrid[:height, :width, :3]
    pattern = (x * (7 + 2 * c) + y * 3 + (x * y) // 16 + 40 * c) % 256
    pattern = np.minimum(pattern, 255 - pattern) * 2
    return (pattern // step * step).astype(np.uint8)


@pytest.mark.parametrize("name", METRICS)
def test_ideal_value(name: str, photograph: Callable) -> None:
    need(name)
    a = photograph("astronaut", 128, 120)
    ideal = {"psnr": float("inf"), "ms_ssim": 1.0, "ssimulacra2": 100.0}.get(name, 0.0)
    assert measure(name, a, a.copy()) == pytest.approx(ideal, abs=1e-6)


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize(("worsen", "steps"), [(blurred, (0.6, 1.2, 3)), (noisy, (4, 12, 36))])
def test_worse_with_blur_and_noise(
    name: str, worsen: Callable, steps: tuple[float, ...], photograph: Callable
) -> None:
    need(name)
    a = photograph("chelsea", 144, 120)
    values = [measure(name, a, worsen(a, step)) for step in steps]
    assert None not in values
    assert values == sorted(values, reverse=HIGHER_IS_BETTER[name])
    assert len(set(values)) == len(steps)


@pytest.mark.parametrize("name", METRICS)
def test_least_size(name: str) -> None:
    need(name)
    side = MIN_SIDE[name]
    a, b = waves(side, side + 20, 1), waves(side, side + 20, 16)
    value = measure(name, a, b)
    assert value is not None
    assert np.isfinite(value)
    assert value != pytest.approx(measure(name, a, a))
    if side > 1:
        assert measure(name, a[1:], b[1:]) is None
        assert measure(name, a[1:].transpose(1, 0, 2), b[1:].transpose(1, 0, 2)) is None


def test_psnr_is_scikit_images(photograph: Callable) -> None:
    a = photograph("coffee", 75, 50)
    b = blurred(a, 2)
    assert measure("psnr", a, b) == pytest.approx(peak_signal_noise_ratio(a, b), abs=1e-9)


def plain_ms_ssim(a: np.ndarray, b: np.ndarray, weights: tuple[float, ...]) -> float:
    """MS-SSIM of one channel, straight from the paper's formulas."""
    t = np.arange(-5, 6)
    window = np.exp(-(t[:, None] ** 2 + t**2) / (2 * 1.5**2))
    window /= window.sum()
    x, y, result = a.astype(float), b.astype(float), 1.0
    for i, weight in enumerate(weights):
        if i:
            x, y = (np.pad(v, [(0, s % 2) for s in v.shape], mode="edge") for v in (x, y))
            x, y = ((v[::2, ::2] + v[1::2, ::2] + v[::2, 1::2] + v[1::2, 1::2]) / 4 for v in (x, y))
        mx, my, xx, yy, xy = (fftconvolve(v, window, "valid") for v in (x, y, x * x, y * y, x * y))
        terms = (2 * (xy - mx * my) + 58.5225) / (xx - mx * mx + yy - my * my + 58.5225)
        if i == len(weights) - 1:
            terms = terms * (2 * mx * my + 6.5025) / (mx * mx + my * my + 6.5025)
        result *= max(terms.mean(), 0) ** (weight / sum(weights))
    return result


@pytest.mark.parametrize(
    ("size", "scales"),
    [((161, 203), 5), ((160, 203), 4), ((81, 90), 4), ((80, 41), 3), ((40, 40), 2), ((20, 99), 1)],
)
def test_ms_ssim_by_the_formulas(size: tuple[int, int], scales: int, photograph: Callable) -> None:
    a = photograph("astronaut", *size)
    b = noisy(blurred(a, 1), 6)
    weights = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)[:scales]
    expected = np.mean([plain_ms_ssim(a[..., c], b[..., c], weights) for c in range(3)])
    assert measure("ms_ssim", a, b) == pytest.approx(expected, abs=1e-6)


def test_ms_ssim_of_pytorch_msssim() -> None:
    """Values of pytorch-msssim 1.0.0, whose window is in float32."""
    a = waves(176, 192, 1)
    assert measure("ms_ssim", a, waves(176, 192, 32)) == pytest.approx(0.9967198, abs=1e-5)
    assert measure("ms_ssim", a, np.roll(a, 1, axis=1)) == pytest.approx(0.9355376, abs=1e-5)


def test_smallest_ms_ssim_is_ssim(photograph: Callable) -> None:
    a = photograph("astronaut", 12, 11)
    b = blurred(a, 1)
    options = {"gaussian_weights": True, "use_sample_covariance": False, "channel_axis": 2}
    assert measure("ms_ssim", a, b) == pytest.approx(structural_similarity(a, b, **options))


def reference_noise(side: int) -> np.ndarray:
    """The noise picture of the values below: a linear congruential generator from seed 42."""
    state, values = 42, []
    for _ in range(side * side * 3):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        values.append(state >> 33 & 255)
    return np.array(values, np.uint8).reshape(side, side, 3)


# Scores that the reference program (cloudinary/ssimulacra2 2.1, C++) gives for synthetic pictures,
# as recorded in the test data of imazen/ssimulacra2. It filters in float32 with a recursion, which
# costs it a tenth where a picture is flat.
def test_ssimulacra2_of_the_reference() -> None:
    metric = Ssimulacra2()
    gray = np.full((64, 64, 3), 128, np.uint8)
    gradient = np.broadcast_to((np.arange(64) * 255 // 63)[None, :, None], (64, 64, 3))
    gradient = gradient.astype(np.uint8)
    assert metric.compare(metric.prepare(gradient), gray) == pytest.approx(-64.5687, abs=0.005)
    noise = reference_noise(64)
    assert metric.compare(metric.prepare(noise), gray) == pytest.approx(-47.3357, abs=0.005)


@pytest.mark.parametrize(
    ("side", "shift", "score"),
    [(128, 20, 54.2788), (128, 50, -9.8238), (256, 20, 59.7789), (256, 50, -0.3909)],
)
def test_ssimulacra2_of_flat_pictures(side: int, shift: int, score: float) -> None:
    a, b = (np.full((side, side, 3), v, np.uint8) for v in (128, 128 + shift))
    assert measure("ssimulacra2", a, b) == pytest.approx(score, abs=0.1)


@pytest.mark.parametrize(
    ("name", "tolerance"), [("lpips_alex", 1e-5), ("lpips_vgg", 1e-3), ("dists", 1e-3)]
)
def test_golden_values(name: str, tolerance: float) -> None:
    """Values of the official packages; the VGG weights are in half precision here."""
    need(name)
    path = WEIGHTS / f"golden_{name}.safetensors"
    if not path.is_file():
        pytest.skip(f"no {path.name} beside the weights")
    golden = load_file(path)
    a, b = golden["a"], golden["b"]
    if name == "dists":
        metric, expected = Dists(), golden["dists"]
    else:
        metric, expected = Lpips(name.removeprefix("lpips_")), golden["lpips"]
        a, b = (a + 1) / 2, (b + 1) / 2  # they are in -1..1
    found = metric.distance(metric.activations(a), metric.activations(b))
    np.testing.assert_allclose(found, expected, rtol=0, atol=tolerance)


@pytest.mark.parametrize("name", NETWORKS)
def test_missing_weights_give_none_and_one_warning(
    name: str, nowhere: Path, astronaut: np.ndarray
) -> None:
    with pytest.warns(TokCodecWarning, match=f"no {name}, its column stays empty") as caught:
        assert measure(name, astronaut, astronaut) is None
    assert len(caught) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert measure(name, astronaut, astronaut) is None


def test_missing_package_gives_none(monkeypatch: pytest.MonkeyPatch, astronaut: np.ndarray) -> None:
    monkeypatch.delitem(sys.modules, "benchmarks.metrics.ms_ssim", raising=False)
    monkeypatch.setitem(sys.modules, "skimage.metrics", None)
    with pytest.warns(TokCodecWarning, match="no ms_ssim"):
        assert measure("ms_ssim", astronaut, astronaut) is None
    assert measure("psnr", astronaut, astronaut) == float("inf")


def test_without_torch_the_others_work() -> None:
    program = (
        "import sys, warnings; sys.modules['torch'] = None; warnings.simplefilter('ignore')\n"
        "import numpy as np\n"
        "from benchmarks.metrics import METRICS, measure\n"
        "a = np.arange(120 * 120 * 3, dtype=np.uint8).reshape(120, 120, 3)\n"
        "print(*[name for name in METRICS if measure(name, a, a) is not None])\n"
    )
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", program]
    run = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["psnr", "ms_ssim", "ssimulacra2"]


def test_unusable_files_give_none(nowhere: Path, astronaut: np.ndarray) -> None:
    (nowhere / "lpips_alex.safetensors").write_bytes(b"no tensors")
    save_file({"features.0.weight": torch.zeros(3)}, nowhere / "lpips_vgg.safetensors")
    with pytest.warns(TokCodecWarning, match="lpips_alex.safetensors cannot be read"):
        assert measure("lpips_alex", astronaut, astronaut) is None
    with pytest.warns(TokCodecWarning, match="no weights of LPIPS with vgg"):
        assert measure("lpips_vgg", astronaut, astronaut) is None


def random_lpips() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    tensors = {k: v.clone() for k, v in alexnet().state_dict().items() if k.startswith("stages")}
    named: dict[str, torch.Tensor] = {}
    for i, layer in enumerate(dict.fromkeys(k.rpartition(".")[0] for k in tensors)):
        for part in ("weight", "bias"):
            named[f"features.{i}.{part}"] = tensors[f"{layer}.{part}"].contiguous()
    for i, channels in enumerate((64, 192, 384, 256, 256)):
        named[f"lin.{i}.weight"] = torch.rand(1, channels, 1, 1)
    return named


class FakeLPIPS:
    """Random weights under the names that the package lpips has for AlexNet."""

    def __init__(self, net: str, verbose: bool) -> None:
        assert (net, verbose) == ("alex", False)

    def state_dict(self) -> dict[str, torch.Tensor]:
        named = random_lpips()
        state = {"scaling_layer.shift": torch.zeros(1, 3, 1, 1)}
        for i, (piece, layer) in enumerate([(1, 0), (2, 3), (3, 6), (4, 8), (5, 10)]):
            for part in ("weight", "bias"):
                state[f"net.slice{piece}.{layer}.{part}"] = named[f"features.{i}.{part}"]
        state |= {f"lin{i}.model.1.weight": named[f"lin.{i}.weight"] for i in range(5)}
        return state | {f"lins.{i}.model.1.weight": named[f"lin.{i}.weight"] for i in range(5)}


def test_weights_from_cache_and_package_agree(
    nowhere: Path, monkeypatch: pytest.MonkeyPatch, astronaut: np.ndarray
) -> None:
    b = blurred(astronaut, 1)
    save_file(random_lpips(), nowhere / "lpips_alex.safetensors")
    cached = measure("lpips_alex", astronaut, b)
    assert cached is not None
    assert cached > 0

    (nowhere / "lpips_alex.safetensors").unlink()
    monkeypatch.setattr(metrics, "_made", {})
    monkeypatch.setitem(sys.modules, "lpips", types.SimpleNamespace(LPIPS=FakeLPIPS))
    assert measure("lpips_alex", astronaut, b) == pytest.approx(cached, rel=1e-6)


def test_original_is_prepared_once(monkeypatch: pytest.MonkeyPatch, photograph: Callable) -> None:
    prepared = []
    plain = Ssimulacra2.prepare
    monkeypatch.setattr(
        Ssimulacra2, "prepare", lambda self, a: prepared.append(a) or plain(self, a)
    )
    a = photograph("rocket", 120, 120).copy()
    first = measure("ssimulacra2", a, blurred(a, 1))
    measure("ssimulacra2", a.copy(), blurred(a, 2))
    assert len(prepared) == 1

    other = photograph("coffee", 120, 120)
    a[:] = other  # the same array, another picture
    second = measure("ssimulacra2", a, blurred(a, 1))
    assert len(prepared) == 2
    assert second != first
    assert measure("ssimulacra2", other, blurred(other, 1)) == second

    monkeypatch.setattr(metrics, "KEPT_PIXELS", 100)
    for _ in range(2):
        assert measure("ssimulacra2", a[:-1], blurred(a[:-1], 1)) is not None
    assert len(prepared) == 4


def test_bad_input(astronaut: np.ndarray) -> None:
    with pytest.raises(ArgumentError, match="no metric 'ssim'; there are psnr, "):
        measure("ssim", astronaut, astronaut)
    for a, b in (
        (astronaut, astronaut[1:]),
        (astronaut / 255, astronaut / 255),
        (astronaut[..., 0], astronaut[..., 0]),
        (astronaut[:0], astronaut[:0]),
    ):
        with pytest.raises(InputError):
            measure("psnr", a, b)
