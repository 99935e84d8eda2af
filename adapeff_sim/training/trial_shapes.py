"""Which shapes are timed for a calibration: those that rates are fitted to, and those held out."""

from dataclasses import dataclass

from adapeff_sim.estimation.encoder import EncoderShape
from adapeff_sim.estimation.flops import NetworkShape, Trained

TINY = EncoderShape(layers=2, hidden=128, inner=512, heads=2, vocabulary=8000, positions=514, types=1)
NARROW = EncoderShape(layers=4, hidden=192, inner=768, heads=3, vocabulary=12000, positions=514, types=1)
SMALL = EncoderShape(layers=4, hidden=256, inner=1024, heads=4, vocabulary=16000, positions=514, types=1)
MIDDLE = EncoderShape(layers=6, hidden=384, inner=1536, heads=12, vocabulary=32000, positions=514, types=1)
WIDE = EncoderShape(layers=3, hidden=768, inner=3072, heads=12, vocabulary=8000, positions=514, types=1)
BASE = EncoderShape(layers=12, hidden=768, inner=3072, heads=12, vocabulary=250002, positions=514, types=1)
LARGE = EncoderShape(layers=24, hidden=1024, inner=4096, heads=16, vocabulary=250002, positions=514, types=1)

HOW: dict[str, tuple[tuple[str, ...], bool, Trained]] = {
    "full": ((), False, "model"),
    "head": ((), False, "head"),
    "seq_bn": (("seq_bn",), False, "adapter"),
    "double_seq_bn": (("double_seq_bn",), False, "adapter"),
    "lora": (("lora",), False, "adapter"),
    "fuse 2": (("seq_bn",) * 2, True, "fusion"),
    "fuse 3": (("seq_bn",) * 3, True, "fusion"),
    "bare answers": ((), False, "nothing"),
    "seq_bn answers": (("seq_bn",), False, "nothing"),
    "fuse 2 answers": (("seq_bn",) * 2, True, "nothing"),
    "fuse 3 answers": (("seq_bn",) * 3, True, "nothing"),
}
FITTED = [
    ("tiny", "full", 8, 16),
    ("tiny", "seq_bn", 32, 32),
    ("tiny", "fuse 3", 32, 16),
    ("small", "full", 32, 16),
    ("small", "full", 32, 48),
    ("small", "full", 8, 32),
    ("small", "seq_bn", 32, 16),
    ("small", "seq_bn", 32, 48),
    ("small", "seq_bn", 8, 32),
    ("small", "fuse 2", 32, 32),
    ("small", "fuse 3", 8, 16),
    ("small", "lora", 32, 32),
    ("small", "head", 32, 32),
    ("middle", "full", 16, 32),
    ("middle", "seq_bn", 32, 32),
    ("middle", "fuse 3", 16, 24),
    ("wide", "full", 8, 32),
    ("wide", "seq_bn", 16, 32),
    ("tiny", "bare answers", 1, 16),
    ("tiny", "fuse 3 answers", 16, 16),
    ("small", "bare answers", 1, 16),
    ("small", "bare answers", 32, 32),
    ("small", "seq_bn answers", 1, 32),
    ("small", "seq_bn answers", 8, 16),
    ("small", "fuse 3 answers", 1, 16),
    ("small", "fuse 3 answers", 32, 16),
    ("middle", "seq_bn answers", 4, 32),
    ("wide", "bare answers", 2, 32),
    ("wide", "seq_bn answers", 16, 32),
]
FITTED_WIDELY = [
    ("base", "full", 32, 64),
    ("base", "seq_bn", 32, 64),
    ("base", "fuse 3", 32, 64),
    ("large", "full", 16, 64),
    ("large", "seq_bn", 32, 128),
    ("base", "seq_bn answers", 8, 64),
    ("large", "bare answers", 32, 64),
]
HELD_OUT = [
    ("small", "full", 32, 24),
    ("small", "seq_bn", 32, 24),
    ("small", "fuse 2", 16, 24),
    ("narrow", "full", 32, 32),
    ("narrow", "double_seq_bn", 32, 32),
    ("middle", "lora", 16, 40),
    ("small", "bare answers", 4, 24),
    ("small", "seq_bn answers", 16, 24),
    ("narrow", "fuse 2 answers", 2, 32),
]


@dataclass(frozen=True, slots=True)
class Trial:
    """A network and a batch to time; one that is held out is predicted and not fitted to."""

    name: str
    network: NetworkShape
    sequences: int
    length: int
    is_held_out: bool = False


def trials(device: str) -> list[Trial]:
    """What is timed on a device: small shapes everywhere, large ones where they do not take minutes."""
    shapes = {"tiny": TINY, "small": SMALL, "middle": MIDDLE, "wide": WIDE, "narrow": NARROW}
    fitted = list(FITTED)
    if device == "cuda":
        shapes |= {"base": BASE, "large": LARGE}
        fitted += FITTED_WIDELY
    return [
        Trial(f"{size} {how} {sequences}x{length}", NetworkShape(shapes[size], *HOW[how]), sequences, length, held)
        for rows, held in ((fitted, False), (HELD_OUT, True))
        for size, how, sequences, length in rows
    ]
