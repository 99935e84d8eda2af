"""Every lesson that the registry finds has a question, a scenario of its own, and a place in the course."""

import re
from pathlib import Path

import pytest

from adapeff_sim.lessons.base import LESSONS, course, lesson_called
from adapeff_sim.scenario.load import find_scenario, teaching_scenario, teaching_scenarios

LESSON_NAMES = LESSONS.names()
PAGE = (Path(__file__).parents[2] / "docs" / "lessons.md").read_text(encoding="utf-8")


def test_the_course_counts_its_lessons_from_one_on():
    assert [lesson.number for lesson in course()] == list(range(1, len(LESSON_NAMES) + 1))
    assert len(LESSON_NAMES) >= 7


def test_every_lesson_has_a_scenario_and_every_teaching_scenario_a_lesson():
    assert teaching_scenarios() == tuple(f"teaching/{name}" for name in LESSON_NAMES)


@pytest.mark.parametrize("name", LESSON_NAMES)
def test_a_lesson_asks_before_it_answers(name):
    lesson = lesson_called(name)
    assert lesson.name == name and lesson_called(str(lesson.number)).name == name
    assert lesson.question.endswith("?") and 0 < lesson.seconds < 180
    assert len(set(lesson.choices)) == len(lesson.choices) >= 3
    assert lesson.title and lesson.why and lesson.read_on


@pytest.mark.parametrize("name", LESSON_NAMES)
def test_the_scenario_of_a_lesson_is_named_like_it_and_says_what_it_is_for(name):
    text = teaching_scenario(name).read_text(encoding="utf-8")
    first, second, third, *_ = text.splitlines()
    assert first == "# yaml-language-server: $schema=../schema.json"
    assert second.startswith(f"# Lesson {lesson_called(name).number}: ") and third == f"name: {name}"
    assert find_scenario(f"teaching/{name}") == teaching_scenario(name)


@pytest.mark.parametrize("name", LESSON_NAMES)
def test_the_page_about_lessons_has_it_with_the_time_that_the_list_tells(name):
    lesson = lesson_called(name)
    assert re.search(rf"^\| {lesson.number} \| `{name}` \|.*\| {lesson.seconds} s \|$", PAGE, re.MULTILINE)
