"""The emotion network in PyTorch; skipped where torch is not installed."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs torch, running does not")

PATH = Path(__file__).resolve().parents[2] / "models" / "emotion" / "network.py"
_spec = importlib.util.spec_from_file_location("emotion_network", PATH)
assert _spec is not None
assert _spec.loader is not None
network = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = network
_spec.loader.exec_module(network)


def test_network_is_light() -> None:
    net = network.EmotionNet()
    assert sum(p.numel() for p in net.parameters()) <= 1_000_000
    assert network.count_macs(net) <= 60_000_000


def test_macs_are_those_counted_by_hand_when_network_is_small() -> None:
    layers = torch.nn.Sequential(torch.nn.Conv2d(1, 4, 3, 2, 1), torch.nn.Conv2d(4, 2, 1))
    assert network.count_macs(layers) == 24 * 24 * (4 * 9 + 2 * 4)


def test_logits_stay_when_light_changes_evenly() -> None:
    torch.manual_seed(0)
    net = network.EmotionNet().eval()
    face = torch.rand(2, 1, 48, 48) * 2 - 1
    with torch.no_grad():
        assert torch.allclose(net(face), net(face * 0.4 + 0.3), atol=1e-3)


def test_place_is_mean_of_calibrated_distribution() -> None:
    torch.manual_seed(0)
    net = network.EmotionNet().eval()
    deployed = network.Deployed(net, temperature=0.5).eval()
    face = torch.rand(1, 1, 48, 48)
    with torch.no_grad():
        logits, place = deployed(face)
        assert torch.allclose(logits, net(face))
    shares = np.exp(logits[0].numpy() / 0.5)
    shares /= shares.sum()
    expected = shares @ np.array([network.CIRCUMPLEX[e] for e in network.EMOTIONS])
    assert place[0].numpy() == pytest.approx(expected, abs=1e-5)
