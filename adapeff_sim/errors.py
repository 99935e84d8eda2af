"""Exceptions that say what was found, where, and what would do.

* AdapeffError
  + ScenarioError     the story is impossible
    + Problems        everything that is wrong with a scenario's file (scenario/problems.py)
  + DataError         rows or weights are not what they should be
  + PricesError       a price book cannot be understood (costs/prices.py)
  + ResultsError      a run's results cannot be read (results.py)
  + ExplanationError  no training, event or artifact, or more than one, answers to a name (explanation.py)
  + PlaybackError     a ledger does not tell what its scenario asks for (playback.py)
  + UnknownDemo       no run of that name comes along (demos)
  + LessonError       a run does not tell what a lesson asks it (lessons/base.py)
  + NoClosedForm      no formula tells its operations (estimation/encoder.py)
  + UnknownPlugin     no implementation has that name
  + PlanningError     a strategy wants what cannot be planned
  + ExecutionError    a job has no outcome
"""


class AdapeffError(Exception):
    """Anything this program reports without a traceback."""


class ScenarioError(AdapeffError):
    """An event tells of something that cannot happen in the world it finds."""


class DataError(AdapeffError):
    """Rows or weights that are missing, malformed, or not the ones that were asked for."""


class UnknownPlugin(AdapeffError):
    """A name that no file and no entry point answers to."""


class PlanningError(AdapeffError):
    """A deployment that no order of jobs can bring about."""


class ExecutionError(AdapeffError):
    """A planned job that was not done."""
