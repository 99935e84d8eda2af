"""What counting words is worth on rows of the helpdesk: TF-IDF and logistic regression, without any model.

A text is its words and pairs of words (Chinese: one to three characters), weighted by TF-IDF fitted on the training
rows. A pair of texts is what they share: their cosine, the share of their words that both have, the same of the shorter
one, and the products of their weights. A question's choices are such pairs; the one that best fits is taken.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from adapeff_sim.data.examples import AnyExample, ChoiceExample, PairExample, TextExample

WORDS = r"[^\s.,!?;:…،؟؛।¿¡()\"«»]+"
UNSPACED = ("zh",)
STRENGTH = 10.0  # inverse regularisation on texts
PAIR_STRENGTH = 1.0  # on pairs, where products of weights are many and small
PLAIN = 3.0  # the weight of cosine and overlaps beside the products


class WordCounts:
    """Logistic regression on word counts, fitted to the rows of one task in one language."""

    def __init__(self, rows: Sequence[AnyExample], language: str) -> None:
        self.unspaced = language in UNSPACED
        self.bag = bag_of_words(language)
        self.bag.fit([text for row in rows for text in _texts(row)])
        pairs = not isinstance(rows[0], TextExample)
        self.model = LogisticRegression(C=PAIR_STRENGTH if pairs else STRENGTH, max_iter=500)
        seen = [label for row in rows for label in _labels(row)]
        self.model.fit(self._features(rows), seen)

    def accuracy(self, rows: Sequence[AnyExample]) -> float:
        """The share of rows whose label is found, 0 to 1."""
        fits = self.model.predict_proba(self._features(rows))
        right, start = 0, 0
        for row in rows:
            if isinstance(row, ChoiceExample):
                mine = fits[start : start + len(row.choices), list(self.model.classes_).index("True")]
                right += int(np.argmax(mine)) == row.label
                start += len(row.choices)
            else:
                right += [self.model.classes_[np.argmax(fits[start])]] == _labels(row)
                start += 1
        return right / len(rows)

    def _features(self, rows: Sequence[AnyExample]) -> Any:
        if isinstance(rows[0], TextExample):
            return self.bag.transform([text for row in rows for text in _texts(row)])
        pairs = [pair for row in rows for pair in _pairs(row)]
        first, second = (self.bag.transform([pair[i] for pair in pairs]) for i in (0, 1))
        products = first.multiply(second)
        plain = [[*self._overlap(*pair), cosine] for pair, cosine in zip(pairs, products.sum(axis=1).A1, strict=True)]
        return hstack([products, csr_matrix(PLAIN * np.array(plain))]).tocsr()

    def _overlap(self, first: str, second: str) -> tuple[float, float]:
        """The words of both texts among those of either, and among those of the shorter one."""
        one, two = (set(text.lower() if self.unspaced else text.lower().split()) for text in (first, second))
        return len(one & two) / len(one | two), len(one & two) / min(len(one), len(two))


def bag_of_words(language: str) -> TfidfVectorizer:
    """Words and pairs of words; one to three characters where words are not marked."""
    if language in UNSPACED:
        return TfidfVectorizer(analyzer="char", ngram_range=(1, 3))
    return TfidfVectorizer(token_pattern=WORDS, ngram_range=(1, 2))


def _labels(row: AnyExample) -> list[str]:
    """The label, or for each choice whether it is the right one."""
    if isinstance(row, ChoiceExample):
        return [str(i == row.label) for i in range(len(row.choices))]
    assert isinstance(row, TextExample | PairExample), f"word counts know no {type(row).__name__}"
    return [row.label]


def _pairs(row: AnyExample) -> list[tuple[str, str]]:
    if isinstance(row, PairExample):
        return [(row.premise, row.hypothesis)]
    assert isinstance(row, ChoiceExample)
    return [(row.premise, choice) for choice in row.choices]


def _texts(row: AnyExample) -> list[str]:
    if isinstance(row, TextExample):
        return [row.text]
    return list({text: None for pair in _pairs(row) for text in pair})
