"""Where the token embeddings start: which pieces stand near each other, and in translations of each other.

        pieces x pieces              pieces x parallel rows
    [ PPMI of the window  |  weight * PPMI of the same row ]   --randomized SVD-->   pieces x hidden

Masked language modelling alone spends thousands of steps on word frequencies before it learns any meaning; counted
neighbours give it the meaning to start from. A row of parallel text is one context for all its languages, so that
words that translate each other start close together.

Sources: Levy, Goldberg and Dagan 2015 (PPMI, window weighting, context smoothing); Levy, Søgaard and Goldberg 2017
(sentence ids as features across languages).
"""

from collections.abc import Sequence

import numpy as np
from scipy import sparse
from sklearn.utils.extmath import randomized_svd

from adapeff_sim.training.tokenizer import FIRST_WORD_PIECE

WINDOW_PIECES = 5
CONTEXT_SMOOTHING = 0.75
EMBEDDING_SPREAD = 0.05
"""Standard deviation of the numbers in an embedding: large enough for the tied output layer to tell words apart."""

Lines = Sequence[np.ndarray]


def cooccurrence_embeddings(
    lines: Lines, parallel: Sequence[Lines], vocabulary: int, hidden: int, seed: int, parallel_weight: float = 3.0
) -> np.ndarray:
    """Embeddings of every piece, shape (vocabulary, hidden), float32; pieces never seen start small and random.

    `parallel` holds, for each row, the same sentence in each of its languages, encoded.
    """
    blocks = [_ppmi(window_counts(lines, vocabulary))]
    if parallel:
        blocks.append(_ppmi(row_counts(parallel, vocabulary)) * parallel_weight)
    factors = sparse.hstack(blocks, format="csr").astype(np.float32)
    rank = min(hidden, vocabulary - 1)
    left, strengths, _ = randomized_svd(factors, rank, n_iter=4, random_state=seed)
    found = (left * np.sqrt(strengths)).astype(np.float32)
    return _scaled(found, hidden, seed)


def window_counts(lines: Lines, vocabulary: int) -> sparse.csr_matrix:
    """How often two pieces stand within the window in one line, nearer ones counting 1/distance, both ways."""
    stream, line_of = _joined(lines)
    counts = sparse.csr_matrix((vocabulary, vocabulary), dtype=np.float32)
    for distance in range(1, WINDOW_PIECES + 1):
        together = line_of[distance:] == line_of[:-distance]
        first, second = stream[:-distance][together], stream[distance:][together]
        weights = np.full(len(first), 1.0 / distance, np.float32)
        counts = counts + sparse.csr_matrix((weights, (first, second)), shape=counts.shape)
    return (counts + counts.T).tocsr()


def row_counts(parallel: Sequence[Lines], vocabulary: int) -> sparse.csr_matrix:
    """How often each piece occurs in each parallel row, in whatever language; shape (vocabulary, rows)."""
    rows = [np.concatenate(list(row)) for row in parallel]
    stream, row_of = _joined(rows)
    ones = np.ones(len(stream), np.float32)
    return sparse.csr_matrix((ones, (stream, row_of)), shape=(vocabulary, len(rows)))


def _joined(lines: Lines) -> tuple[np.ndarray, np.ndarray]:
    """All pieces in one array without special and byte pieces, and the number of the line of each."""
    stream = np.concatenate(list(lines)).astype(np.int64)
    line_of = np.repeat(np.arange(len(lines)), [len(line) for line in lines])
    words = stream >= FIRST_WORD_PIECE
    return stream[words], line_of[words]


def _ppmi(counts: sparse.csr_matrix) -> sparse.csr_matrix:
    """Positive pointwise mutual information in nats, the contexts' frequencies smoothed."""
    found = counts.tocoo()
    of_piece = np.asarray(counts.sum(axis=1)).ravel()
    of_context = np.asarray(counts.sum(axis=0)).ravel() ** CONTEXT_SMOOTHING
    share = of_context / of_context.sum()
    with np.errstate(divide="ignore"):
        values = np.log(found.data / (of_piece[found.row] * share[found.col]))
    positive = values > 0
    shape = counts.shape
    return sparse.csr_matrix((values[positive], (found.row[positive], found.col[positive])), shape=shape)


def _scaled(found: np.ndarray, hidden: int, seed: int) -> np.ndarray:
    """Bring every piece to the same spread, and fill what was never counted with smaller noise."""
    draw = np.random.default_rng(seed)
    embeddings = draw.normal(0.0, EMBEDDING_SPREAD / 2.5, (len(found), hidden)).astype(np.float32)
    lengths = np.linalg.norm(found, axis=1)
    seen = lengths > 1e-6 * lengths.max()
    target = EMBEDDING_SPREAD * np.sqrt(hidden)
    embeddings[seen, : found.shape[1]] = found[seen] / lengths[seen, None] * target
    return embeddings
