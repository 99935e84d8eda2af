"""Scores between 0 and 1 as plain functions of what was right and what was said (no torch)."""

import re
import string
import unicodedata
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from seqeval.metrics import f1_score as seqeval_f1

from adapeff_sim.data.examples import (
    AnyExample,
    ChoiceExample,
    PairExample,
    SpanExample,
    TaskKind,
    TextExample,
    TokensExample,
)

ARTICLES = {"en": re.compile(r"\b(a|an|the)\b")}
# Scripts written without spaces between words: Thai, Lao, Myanmar, Khmer, kana and Han. Each sign is a token there.
UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")


def gold_of(example: AnyExample) -> Any:
    """What is right: a label, a tuple of tags, the place of a choice, or a tuple of answers."""
    match example:
        case TextExample() | PairExample() | ChoiceExample():
            return example.label
        case TokensExample():
            return example.tags
        case SpanExample():
            return tuple(a.text for a in example.answers)


def scores(kind: TaskKind, gold: Sequence[Any], said: Sequence[Any], language: str) -> dict[str, float]:
    """Every score of a task of this kind; the one that counts is named by ``data.examples.PRIMARY``."""
    of_kind: Mapping[TaskKind, Callable[[], dict[str, float]]] = {
        TaskKind.CLASSIFICATION: lambda: {"accuracy": accuracy(gold, said), "macro_f1": macro_f1(gold, said)},
        TaskKind.PAIR: lambda: {"accuracy": accuracy(gold, said), "macro_f1": macro_f1(gold, said)},
        TaskKind.TAGGING: lambda: {"entity_f1": entity_f1(gold, said), "token_accuracy": token_accuracy(gold, said)},
        TaskKind.CHOICE: lambda: {"accuracy": accuracy(gold, said)},
        TaskKind.SPAN: lambda: span_scores(gold, said, language),
    }
    return of_kind[kind]()


def accuracy(gold: Sequence[object], said: Sequence[object]) -> float:
    """The share of rows that are right."""
    return sum(g == s for g, s in zip(gold, said, strict=True)) / len(gold)


def macro_f1(gold: Sequence[str], said: Sequence[str]) -> float:
    """The mean F1 over the classes that occur in ``gold`` or ``said``."""
    both = Counter(g for g, s in zip(gold, said, strict=True) if g == s)
    right, given = Counter(gold), Counter(said)
    classes = right.keys() | given.keys()
    return sum(2 * both[c] / (right[c] + given[c]) for c in sorted(classes)) / len(classes)


def entity_f1(gold: Sequence[Sequence[str]], said: Sequence[Sequence[str]]) -> float:
    """Micro F1 over whole entities, as CoNLL counts them (seqeval)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a set without entities is no error here
        return float(seqeval_f1([list(g) for g in gold], [list(s) for s in said], zero_division=0))


def token_accuracy(gold: Sequence[Sequence[str]], said: Sequence[Sequence[str]]) -> float:
    """The share of tokens whose tag is right."""
    pairs = [pair for g, s in zip(gold, said, strict=True) for pair in zip(g, s, strict=True)]
    return sum(g == s for g, s in pairs) / len(pairs)


def span_scores(gold: Sequence[Sequence[str]], said: Sequence[str], language: str) -> dict[str, float]:
    """Exact match and token F1, each the best over a row's answers, meaned over rows (as SQuAD does)."""
    exact = overlap = 0.0
    for answers, answer in zip(gold, said, strict=True):
        got = answer_tokens(answer, language)
        wanted = [answer_tokens(a, language) for a in answers]
        exact += float(got in wanted)
        overlap += max(token_f1(w, got) for w in wanted)
    return {"exact_match": exact / len(gold), "f1": overlap / len(gold)}


def answer_tokens(text: str, language: str) -> list[str]:
    """Lower-case tokens without punctuation and articles; in scripts without spaces each sign is one."""
    text = "".join(c for c in unicodedata.normalize("NFKC", text).lower() if not _is_punctuation(c))
    if language in ARTICLES:
        text = ARTICLES[language].sub(" ", text)
    return UNSPACED.sub(lambda sign: f" {sign[0]} ", text).split()


def token_f1(gold: Sequence[str], said: Sequence[str]) -> float:
    """The F1 of two bags of tokens; two empty ones are alike."""
    if not gold or not said:
        return float(list(gold) == list(said))
    same = sum((Counter(gold) & Counter(said)).values())
    return 2 * same / (len(gold) + len(said))


def _is_punctuation(character: str) -> bool:
    return character in string.punctuation or unicodedata.category(character).startswith("P")
