"""What a base model has to beat on a task: the majority class, and TF-IDF with logistic regression.

Both are scored with the program's own metrics, so that a row of a table is one measure.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from word_counts import WordCounts, bag_of_words

from adapeff_sim.data.examples import PRIMARY, AnyExample, PairExample, TaskKind, TokensExample
from adapeff_sim.training.metrics import gold_of, scores

Rows = Sequence[AnyExample]
INVERSE_REGULARISATION = 10.0
NEIGHBOURS = 2  # words to each side that a tagger may look at


def majority(kind: TaskKind, train: Rows, test: Rows, language: str) -> float:
    """The primary metric, 0 to 1, of always giving the commonest answer of the training rows; tags are all ``O``."""
    if kind is TaskKind.TAGGING:
        said: list[Any] = [("O",) * len(row.tokens) for row in test if isinstance(row, TokensExample)]
    else:
        commonest, _ = Counter(gold_of(row) for row in train).most_common(1)[0]
        said = [commonest] * len(test)
    return _score(kind, test, said, language)


def tfidf(kind: TaskKind, train: Rows, test: Rows, language: str) -> float:
    """The primary metric, 0 to 1, of TF-IDF with logistic regression; words and pairs of words, or characters.

    A pair is read as both texts, and what they share and where they differ; a tagger reads each word, its shape and
    its neighbours. Raises KeyError for choice and span tasks, which have no such baseline.
    """
    if kind is TaskKind.CLASSIFICATION:
        return WordCounts(train, language).accuracy(test)
    answer = {TaskKind.PAIR: _pairs, TaskKind.TAGGING: _tags}[kind]
    return _score(kind, test, answer(train, test, language), language)


def _score(kind: TaskKind, test: Rows, said: Sequence[Any], language: str) -> float:
    return scores(kind, [gold_of(row) for row in test], said, language)[PRIMARY[kind]]


def _fitted(features: Any, labels: Sequence[str]) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=INVERSE_REGULARISATION, max_iter=1000).fit(features, labels)


def _pairs(train: Rows, test: Rows, language: str) -> list[str]:
    from scipy.sparse import csr_matrix, hstack

    known = [row for row in train if isinstance(row, PairExample)]
    asked = [row for row in test if isinstance(row, PairExample)]
    read = bag_of_words(language).fit([text for row in known for text in (row.premise, row.hypothesis)])

    def features(rows: Sequence[PairExample]) -> Any:
        first, second = (read.transform([getattr(row, side) for row in rows]) for side in ("premise", "hypothesis"))
        both = first.multiply(second)
        likeness = csr_matrix(both.sum(axis=1))  # the cosine, as rows have length 1
        return hstack([first, second, abs(first - second), both, likeness]).tocsr()

    return list(_fitted(features(known), [row.label for row in known]).predict(features(asked)))


def _tags(train: Rows, test: Rows, language: str) -> list[tuple[str, ...]]:  # noqa: ARG001 (as the others)
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.feature_extraction.text import TfidfTransformer
    from sklearn.pipeline import make_pipeline

    known = [row for row in train if isinstance(row, TokensExample)]
    asked = [row for row in test if isinstance(row, TokensExample)]
    read = make_pipeline(DictVectorizer(), TfidfTransformer())
    features = read.fit_transform([seen for row in known for seen in _sights(row)])
    model = _fitted(features, [tag for row in known for tag in row.tags])
    said = iter(model.predict(read.transform([seen for row in asked for seen in _sights(row)])))
    return [tuple(next(said) for _ in row.tokens) for row in asked]


def _sights(row: TokensExample) -> Iterator[dict[str, float]]:
    """For each word: itself, its beginnings and ends, how it is written, and the words around it."""
    for place, word in enumerate(row.tokens):
        seen = {
            f"word {word.lower()}",
            f"capital {word[0].isupper()}",
            f"digits {word.isdigit()}",
            f"first {place == 0}",
        }
        seen |= {f"begins {word[:n]}" for n in (1, 2, 3)} | {f"ends {word[-n:]}" for n in (1, 2, 3)}
        for away in range(-NEIGHBOURS, NEIGHBOURS + 1):
            if away and 0 <= place + away < len(row.tokens):
                beside = row.tokens[place + away]
                seen |= {f"{away} {beside.lower()}", f"{away} capital {beside[0].isupper()}"}
        yield dict.fromkeys(seen, 1.0)
