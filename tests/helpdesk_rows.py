"""The helpdesk as its tests look at it."""

from adapeff_sim.data.examples import ChoiceExample, PairExample, SpanExample, TextExample, TokensExample
from adapeff_sim.data.helpdesk import Helpdesk

SOURCE = Helpdesk()
LANGUAGES = SOURCE.languages("intent")
TASKS = tuple(SOURCE.tasks())
SCRIPTS = {"ar": "\u0600-\u06ff", "hi": "\u0900-\u097f", "ru": "\u0400-\u04ff", "zh": "\u4e00-\u9fff"}


def texts_of(example):
    """Every text of an example."""
    match example:
        case TextExample():
            return [example.text]
        case PairExample():
            return [example.premise, example.hypothesis]
        case TokensExample():
            return [" ".join(example.tokens)]
        case ChoiceExample():
            return [example.premise, *example.choices]
        case SpanExample():
            return [example.question, example.context]
