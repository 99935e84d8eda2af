"""What the base model is asked to guess at each step: a pure function of the text, the seed and the step's number.

    sentences   <s> a line </s>                            the words of the line from <s> alone
    pairs       <s> a sentence </s></s> the same one </s>  parallel rows: translation language modelling
                <s> a sentence </s>                        ... or the words of its translation from <s> alone
    packed      <s> line </s> line </s> line ...           one language, up to the longest sequence

Because a step's batch depends on nothing that happened before, a run that was killed goes on exactly as it would have.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from adapeff_sim.training.pretraining_settings import KINDS
from adapeff_sim.training.tokenizer import END, FIRST_WORD_PIECE, MASK, PAD, START, sampling_shares

POOL_STEPS = 16
"""Batches that are drawn together, so that the lines of each may be of like length."""
NOTHING = np.zeros(0, np.uint16)
COMMON_SHARE = 1e-4
"""A piece more frequent than this counts less among the words that <s> must tell, by the root of the ratio."""


@dataclass(frozen=True, slots=True)
class EncodedText:
    """The training text as pieces: lines by language, and the parallel rows by language."""

    lines: Mapping[str, Sequence[np.ndarray]]
    parallel: Sequence[Mapping[str, np.ndarray]]
    piece_shares: np.ndarray
    """Share of each piece in the text (vocabulary,), smoothed so that none is zero."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Masked pieces and what belongs there, as numpy arrays."""

    pieces: np.ndarray
    """(sequences, length) int64, padded."""
    attended: np.ndarray
    """(sequences, length) int64, 1 where there is text."""
    places: np.ndarray
    """(masked,) index of each masked place in the flattened pieces."""
    hidden_pieces: np.ndarray
    """(masked,) the piece that stood there."""
    told_by: np.ndarray
    """(words,) the sequence whose <s> must tell a word."""
    words: np.ndarray
    """(words,) the piece it must tell."""
    word_weights: np.ndarray
    """(words,) float32, how much that word counts."""

    @property
    def tokens(self) -> int:
        """Pieces of text in the batch, without padding."""
        return int(self.attended.sum())


def encoded_text(
    lines: Mapping[str, Sequence[np.ndarray]], parallel: Sequence[Mapping[str, np.ndarray]], vocabulary: int
) -> EncodedText:
    """Leave empty lines out and count the pieces."""
    kept = {language: [line for line in found if len(line)] for language, found in lines.items()}
    smoothed = sum(piece_counts(found, vocabulary) for found in kept.values()) + np.full(vocabulary, 0.5)
    return EncodedText(kept, parallel, smoothed / smoothed.sum())


def piece_counts(lines: Sequence[np.ndarray], vocabulary: int) -> np.ndarray:
    """How often each piece occurs in the lines, shape (vocabulary,)."""
    return np.bincount(np.concatenate([NOTHING, *lines]), minlength=vocabulary)


class BatchSettings(Protocol):
    """What of the settings decides a batch."""

    @property
    def seed(self) -> int:
        """Start of every random draw."""

    @property
    def batch_tokens(self) -> int:
        """Pieces in a batch, padding included."""

    @property
    def longest(self) -> int:
        """Pieces in the longest sequence."""

    @property
    def masked_share(self) -> float:
        """Share of the pieces to hide."""

    @property
    def temperature(self) -> float:
        """1 takes languages as they come, 0 all alike."""

    @property
    def kind_shares(self) -> Mapping[str, float]:
        """Share of the pieces of each of KINDS."""


Question = tuple[np.ndarray, np.ndarray]
"""A sequence of pieces, and the words that its <s> must tell."""


class BatchMaker:
    """Draws the batch of any step: questions for a pool of steps at once, ordered by length, cut, and shuffled."""

    def __init__(self, text: EncodedText, settings: BatchSettings) -> None:
        self._text, self._settings = text, settings
        self._languages = list(text.lines)
        sizes = {language: sum(map(len, found)) for language, found in text.lines.items()}
        shares = sampling_shares(sizes, settings.temperature)
        self._shares = np.array([shares[language] for language in self._languages])
        self._kinds = [kind for kind in KINDS if kind != "pairs" or text.parallel]
        self._word_weights = np.minimum(1.0, np.sqrt(COMMON_SHARE / text.piece_shares)).astype(np.float32)
        self._pool_number = -1
        self._pool: list[list[Question]] = []

    def batch(self, step: int) -> Batch:
        """The batch of step number `step`."""
        pool_number, place = divmod(step, POOL_STEPS)
        if pool_number != self._pool_number:
            self._pool, self._pool_number = self._drawn(pool_number), pool_number
        draw = np.random.default_rng([self._settings.seed, pool_number, place])
        sequences, told = zip(*self._pool[place], strict=True)
        return masked(sequences, told, self._settings.masked_share, draw, self._word_weights)

    def _drawn(self, pool_number: int) -> list[list[Question]]:
        """Exactly POOL_STEPS batches of questions of like length, in random order."""
        draw = np.random.default_rng([self._settings.seed, pool_number])
        weights = np.array([self._settings.kind_shares[kind] for kind in self._kinds])
        batches: list[list[Question]] = []
        questions: list[Question] = []
        while len(batches) < POOL_STEPS:
            for kind, share in zip(self._kinds, weights / weights.sum(), strict=True):
                left = share * self._settings.batch_tokens * POOL_STEPS * 1.15
                while left > 0:
                    questions.append(getattr(self, f"_{kind}")(draw))
                    left -= len(questions[-1][0])
            batches = self._cut(sorted(questions, key=lambda question: -len(question[0])))
        return [batches[place] for place in draw.permutation(len(batches))[:POOL_STEPS]]

    def _cut(self, questions: Sequence[Question]) -> list[list[Question]]:
        """Cut questions ordered from long to short into batches of full size; the last few are left over."""
        batches = []
        start = 0
        while start < len(questions):
            count = max(1, self._settings.batch_tokens // _padded(len(questions[start][0])))
            if start + count <= len(questions):
                batches.append(list(questions[start : start + count]))
            start += count
        return batches

    def _lines_of_one_language(self, draw: np.random.Generator) -> Sequence[np.ndarray]:
        return self._text.lines[self._languages[draw.choice(len(self._languages), p=self._shares)]]

    def _sentences(self, draw: np.random.Generator) -> Question:
        """A line whose words <s> must tell."""
        found = self._lines_of_one_language(draw)
        line = found[int(draw.integers(len(found)))][: self._settings.longest - 2]
        return sequence(line), line

    def _pairs(self, draw: np.random.Generator) -> Question:
        """A parallel row in two languages; either both are in sight, or <s> of one must tell the other."""
        row = self._text.parallel[int(draw.integers(len(self._text.parallel)))]
        half = self._settings.longest // 2 - 2
        first, second = (row[language][:half] for language in draw.choice(list(row), 2, replace=False))
        if draw.random() < 0.5:
            return sequence(first, second), np.concatenate([first, second])
        return sequence(first), second

    def _packed(self, draw: np.random.Generator) -> Question:
        """A sequence of the greatest length, of lines of one language; nothing is asked of <s>."""
        found = self._lines_of_one_language(draw)
        pieces = [np.array([START])]
        length = 1
        while length < self._settings.longest:
            pieces += [found[int(draw.integers(len(found)))], np.array([END])]
            length += len(pieces[-2]) + 1
        return np.concatenate(pieces)[: self._settings.longest], NOTHING


def _padded(length: int) -> int:
    """Lengths go up in eights, so that few shapes occur: kernels are prepared once for each."""
    return -(-length // 8) * 8


def sequence(line: np.ndarray, second: np.ndarray | None = None) -> np.ndarray:
    """A line, or a pair of lines, between the special pieces."""
    parts = [[START], line, [END]] if second is None else [[START], line, [END, END], second, [END]]
    return np.concatenate([np.asarray(part, np.int64) for part in parts])


def masked(
    sequences: Sequence[np.ndarray],
    told: Sequence[np.ndarray],
    share: float,
    draw: np.random.Generator,
    word_weights: np.ndarray,
    always_mask: bool = False,
) -> Batch:
    """Hide a share of the pieces: 80 % behind <mask>, 10 % behind a random piece, 10 % left as they are."""
    length = _padded(max(map(len, sequences)))
    pieces = np.full((len(sequences), length), PAD, np.int64)
    for row, content in zip(pieces, sequences, strict=True):
        row[: len(content)] = content
    attended = (pieces != PAD).astype(np.int64)
    flat = pieces.reshape(-1)
    candidates = draw.permutation(np.flatnonzero(flat > MASK))
    count = int(len(candidates) * share)
    places = np.sort(candidates[: max(1, count - count % 16 if count > 64 else count)])
    hidden_pieces = flat[places].copy()
    fate = draw.random(len(places)) * (0.8 if always_mask else 1.0)
    random_pieces = draw.integers(FIRST_WORD_PIECE, len(word_weights), len(places))
    flat[places] = np.where(fate < 0.8, MASK, np.where(fate < 0.9, random_pieces, hidden_pieces))
    words = np.concatenate([np.asarray(line, np.int64) for line in told])
    told_by = np.repeat(np.arange(len(told)), [len(line) for line in told])
    return Batch(pieces, attended, places, hidden_pieces, told_by, words, word_weights[words])
