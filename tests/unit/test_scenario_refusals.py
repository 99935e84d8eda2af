"""What is wrong with a scenario is told with its line and its place, all of it at once, and what would do."""

import re

import pytest
from tiny_scenario import TEXT, write_rows, write_scenario

from adapeff_sim.errors import AdapeffError, ScenarioError
from adapeff_sim.scenario.load import load
from adapeff_sim.scenario.problems import Problems


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scenarios")
    write_rows(folder / "rows")
    return folder


def told(folder, text, **flags) -> list[str]:
    """The lines of the error, without the folder."""
    content = text if isinstance(text, bytes) else text.encode()
    (folder / "tiny.yaml").write_bytes(content)
    with pytest.raises(Problems) as error:
        load(folder / "tiny.yaml", **flags)
    return str(error.value).replace(f"{folder}/", "").splitlines()


ONE_PROBLEM = {
    "an unknown event": (
        ("event: task_arrival", "event: task_arival"),
        "tiny.yaml:7: timeline[1].event: unknown event 'task_arival'; did you mean 'task_arrival'?",
    ),
    "a misspelt key": (
        ("labelled: 4", "labeled: 4"),
        "tiny.yaml:8: timeline[2].labeled: unknown key; did you mean 'labelled'?",
    ),
    "a negative day": (("day: 20", "day: -20"), "tiny.yaml:7: timeline[1].day: is -20; it must be at least 0"),
    "a sequence that no base model can read": (
        ("every: {epochs: 2", "every: {max_length: 100000, epochs: 2"),
        "tiny.yaml:16: training.every.max_length: is 100000, but the base models read at most 256 tokens; "
        "give at most 256",
    ),
    "a day that is text": (("day: 20", 'day: "20"'), "tiny.yaml:7: timeline[1].day: is '20'; write a number"),
    "true for a number": (
        ("labelled: 4", "labelled: true"),
        "tiny.yaml:8: timeline[2].labelled: is true; write a whole number",
    ),
    "a number of too many digits": (
        ("labelled: 4", "labelled: 100000000000000000000"),
        "tiny.yaml:8: timeline[2].labelled: is 1e+20; it is too large, write fewer digits",
    ),
    "a day beyond the horizon": (
        ("day: 60", "day: 160"),
        "tiny.yaml:9: timeline[3].day: is 160, beyond the horizon of 100 days; move the event, or raise horizon_days",
    ),
    "an unknown language": (
        ("language: sw", "language: xx"),
        "tiny.yaml:8: timeline[2].language: files:rows has no intent and no mood in 'xx'; it has: de, en, es, sw",
    ),
    "an unknown task": (
        ("task: mood", "task: moot"),
        "tiny.yaml:7: timeline[1].task: files:rows has no task 'moot'; did you mean 'mood'?",
    ),
    "more rows than there are": (
        ("sw, labelled: 4", "sw, labelled: 420"),
        "tiny.yaml:8: timeline[2].labelled: 420 labelled rows are asked for, but files:rows has 8 of intent/sw, "
        "8 of mood/sw; ask for at most 8 in all",
    ),
    "LoRA under fusion": (
        ("- adapter_fusion", "- adapter_fusion: {method: lora}"),
        "tiny.yaml:13: strategies[2].adapter_fusion.method: method 'lora' cannot be fused; adapters can be fused with "
        "compacter, compacter++, double_seq_bn, par_bn, seq_bn",
    ),
    "an unknown strategy": (
        ("- multitask_full", "- multitask_ful"),
        "tiny.yaml:14: strategies[3].multitask_ful: unknown strategy 'multitask_ful'; did you mean 'multitask_full'?",
    ),
    "an option without effect": (
        ("- multitask_full", "- multitask_full: {replay: 0.5}"),
        "tiny.yaml:14: strategies[3].multitask_full: replay has no effect unless update: continue; "
        "drop it, or set update",
    ),
    "a label that stands twice": (
        ("as: carried", "as: adapter_fusion"),
        "tiny.yaml:13: strategies[2]: a second strategy is labelled 'adapter_fusion'; give it another `as: LABEL`",
    ),
    "a name that leads out of the folder of runs": (
        ("name: tiny", "name: ../../elsewhere"),
        "tiny.yaml:1: name: is '../../elsewhere'; write letters, digits, - and _ only, at most 64, a letter or digit "
        "first (it names folders)",
    ),
    "a task that leads out of its folder": (
        ("task: mood", "task: ../../etc"),
        "tiny.yaml:7: timeline[1]: a task or language is called '../../etc'; use letters, digits, - and _ only "
        "(it names folders)",
    ),
    "a label that leads out of its folder": (
        ("as: carried", "as: ../carried"),
        "tiny.yaml:12: strategies[1].as: is '../carried'; write letters, digits, - and _ only (it names folders)",
    ),
    "a duplicated key": (
        ("seeds: [13]", "seeds: [13]\nname: again"),
        "tiny.yaml:4: name: the key stands there twice, first on line 1; keep one",
    ),
    "a seed that stands twice": (
        ("[13]", "[13, 14, 13]"),
        "tiny.yaml:3: seeds: seed 13 stands there twice, which counts one life as two; keep one",
    ),
    "an empty value": (
        ("horizon_days: 100", "horizon_days:"),
        "tiny.yaml:2: horizon_days: is empty; give a value, or drop the line",
    ),
    "an unknown data source": (
        ("{files: rows}", "helpdsk"),
        "tiny.yaml:4: data: unknown data source 'helpdsk'; did you mean 'helpdesk'?",
    ),
    "a setting for nothing": (
        ("  model: {", "  modle: {"),
        "tiny.yaml:17: training.modle: no kind of artifact and no strategy is called 'modle'; did you mean 'model'?",
    ),
    "held-out rows of one kind": (
        ("epochs: 2", "epochs: 2}\n  adapter: {validation_rows: 9"),
        "tiny.yaml:17: training.adapter.validation_rows: is said of a kind, but rows are held out once for all kinds; "
        "say it under every, or a strategy's label",
    ),
    "an unknown setting": (
        ("epochs: 2", "epocs: 2"),
        "tiny.yaml:16: training.every.epocs: unknown key; did you mean 'epochs'?",
    ),
    "an unknown base model": (
        ("adapeff-mini:v2", "adapeff-mini:v9"),
        "tiny.yaml:9: timeline[3].base_model: unknown base model 'adapeff-mini:v9'; did you mean 'adapeff-mini:v2'? "
        "Shipped: adapeff-mini:v1, adapeff-mini:v2; or give path:FOLDER or hub:owner/name@COMMIT, "
        "or shape:NAME for what is priced and not trained",
    ),
    "a story without a launch": (
        ("day: 0, event: launch", "day: 30, event: launch"),
        "tiny.yaml:7: timeline[1].event: task_arrival on day 20 comes before any launch; a product starts with "
        "event: launch",
    ),
    "traffic for what the event does not open": (
        ("requests_per_day: 90", "requests_per_day: {intent/en: 1, intent/fr: 2}"),
        "tiny.yaml:6: timeline[0]: Day 0: requests_per_day names intent/en, intent/fr; intent/de does not match; give "
        "one number for each of intent/de, intent/en, or one total.",
    ),
    "a tab": (("  - {day: 20", "\t- {day: 20"), "tiny.yaml:7: a tab at the beginning of the line; indent with spaces"),
    "an open bracket": (
        ("seeds: [13]", "seeds: [13"),
        "tiny.yaml:4: not readable as YAML (did not find expected ',' or ']'); close the bracket",
    ),
    "a tag": (
        ("name: tiny", "name: !!python/object/apply:os.getcwd []"),
        "tiny.yaml:1: tag 'tag:yaml.org,2002:python/object/apply:os.getcwd'; a scenario has plain values only, "
        "drop the tag",
    ),
    "a second document": (
        ("name: tiny", "a: b\n---\nname: tiny"),
        "tiny.yaml:2: a second document begins; a file holds one scenario",
    ),
    "an unknown price book": (
        ("prices: cloud_gpu", "prices: clod_gpu"),
        "tiny.yaml:18: prices: Unknown price book 'clod_gpu'; did you mean 'cloud_gpu'? Known: cloud_gpu, "
        "cloud_gpu_public_rows, google_cloud, laptop_cpu, on_prem; or give the "
        "path of a .yaml file.",
    ),
    "batches without a target": (
        ("prices: cloud_gpu", "serving: {max_batch: 8}"),
        "tiny.yaml:18: serving.max_batch: has no effect without p95_ms; add it, or drop max_batch",
    ),
    "an unknown placement": (
        ("prices: cloud_gpu", "serving: {placement: pooled}"),
        "tiny.yaml:18: serving.placement: is 'pooled'; choose one of: dedicated, packed",
    ),
    "a target that nothing reads": (
        ("prices: cloud_gpu", "serving: {p99_ms: 50}"),
        "tiny.yaml:18: serving.p99_ms: unknown key; did you mean 'p95_ms'?",
    ),
}


@pytest.mark.parametrize("what", ONE_PROBLEM)
def test_one_thing_wrong_is_one_line_that_says_where_and_what_would_do(folder, what):
    (old, new), line = ONE_PROBLEM[what]
    assert TEXT.count(old) >= 1
    assert told(folder, TEXT.replace(old, new, 1)) == [line]


def test_the_scenario_that_these_tests_break_is_whole(folder):
    (folder / "tiny.yaml").write_text(TEXT)
    assert load(folder / "tiny.yaml").labels == ("adapter_per_task", "carried", "adapter_fusion", "multitask_full")


def test_settings_of_a_kind_that_nobody_trains_are_refused(folder):
    text = TEXT.replace("  - adapter_fusion\n", "").replace("  model:", "  fusion: {epochs: 3}\n  model:")
    assert told(folder, text) == [
        "tiny.yaml:16: training.fusion: no strategy here trains a fusion, only adapter, model; drop the layer"
    ]


def test_a_setting_that_every_later_layer_says_again_is_refused(folder):
    layers = "".join(f"  {kind}: {{epochs: 3}}\n" for kind in ("adapter", "fusion"))
    text = TEXT.replace("  model: {", f"{layers}  model: {{epochs: 3, ")
    assert told(folder, text) == [
        "tiny.yaml:16: training.every.epochs: has no effect: every layer after it says it again; drop it"
    ]


def test_everything_wrong_is_told_at_once_in_the_order_of_the_file(folder):
    text = TEXT.replace("[13]", "[13, 13]").replace("labelled: 4", "labeled: 4").replace("cloud_gpu", "clod_gpu")
    text = text.replace("- multitask_full", "- multitask_ful").replace("epochs: 2", "epochs: two")
    lines = told(folder, text)
    assert [re.match(r"tiny.yaml:(\d+): ([\w\[\]]+)", line).groups() for line in lines] == [
        ("3", "seeds"),
        ("8", "timeline[2]"),
        ("14", "strategies[3]"),
        ("16", "training"),
    ]


def test_a_wrong_strategy_does_not_hide_what_the_story_gets_wrong(folder):
    text = TEXT.replace("- multitask_full", "- multitask_ful").replace("language: sw", "language: xx")
    assert [line.split(": ")[1] for line in told(folder, text)] == [
        "timeline[2].language",
        "strategies[3].multitask_ful",
    ]


def test_events_that_follow_from_an_impossible_one_are_not_blamed(folder):
    text = TEXT.replace("task: mood, languages: [en]", "task: intent, languages: [en]").replace(
        'event: base_model_update, base_model: "adapeff-mini:v2"', "event: task_retirement, task: nothing"
    )
    lines = told(folder, text)
    assert [line.split(": ")[1] for line in lines] == ["timeline[1]", "timeline[3]"]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"garbage \x9f\x00" * 300_000, "tiny.yaml: more than 1000 kB, which no scenario needs; is it the right file?"),
        (b"", "tiny.yaml: the file is empty; start with `name:`"),
        (b"- a\n- b\n", "tiny.yaml:1: no `key: value` lines; a scenario starts with `name: ...`"),
        (b"name: caf\xe9\n", "tiny.yaml:1: byte 0xe9 is not UTF-8; save the file as UTF-8 text"),
        (b"name: a\nb: \x07\n", "tiny.yaml:2: a control character; delete it, or save the file as plain text"),
        (
            b"a: " + b"[" * 100_000,
            "tiny.yaml:1: more than 16 levels of nesting, which no scenario needs; is it the right file?",
        ),
        (b"- a\n" * 200_000, "tiny.yaml:20000: more than 20000 values, which no scenario needs; is it the right file?"),
        (b"a: &a [*a]\n", "tiny.yaml:1: no anchor 'a' above (or around) its alias; write the value out"),
        (
            b"a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]\n"
            + b"".join(b"%c: &%c [%s]\n" % (c + 1, c + 1, b", ".join([b"*%c" % c] * 9)) for c in b"abcdefgh"),
            "tiny.yaml:1: aliases stand for more than 20000 values; write out what is meant",
        ),
    ],
    ids=["3 MB", "empty", "a list", "latin-1", "control", "deep", "many", "itself", "a billion laughs"],
)
def test_what_is_no_scenario_at_all_is_refused_in_one_line(folder, content, line):
    assert told(folder, content) == [line]


def test_text_that_would_move_a_cursor_is_told_harmlessly(folder):
    (line,) = told(folder, TEXT.replace("name: tiny", r'name: "a\e[31m\nb"'))
    assert line.isprintable() and r"\x1b[31m" in line


def test_flags_are_held_to_the_same_rules_and_blamed_by_name(folder):
    assert told(folder, TEXT, seeds=[1, 1])[0].startswith("command line: --seeds: seed 1 stands there twice")
    assert "did you mean 'carried'?" in told(folder, TEXT, strategies=["carrid"])[0]
    assert told(folder, TEXT, strategies=["carried,carried"])[0].endswith(
        "'carried' stands there 2 times; name it once"
    )
    (large,) = told(folder, TEXT, seeds=[10**20])
    assert large == f"command line: --seeds: is {10**20}; it must be at most 4294967295"
    assert told(folder, TEXT, seeds=list(range(101)))[0].endswith("is a list of 101; give at most 100")
    assert told(folder, TEXT, prices="nothing")[0].startswith("command line: --prices: Unknown price book")


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("nothing", "no such folder 'nothing', and no data source of that name; give helpdesk, or a folder with"),
        ("rosw", "no such folder 'rosw', and no data source of that name; did you mean 'rows'?"),
        ("files:rosw", "no such folder 'rosw', and no data source of that name; did you mean 'rows'?"),
        ("helpdeks", "no such folder 'helpdeks', and no data source of that name; did you mean 'helpdesk'?"),
        ("tiny.yaml", "'tiny.yaml' is a file; give the folder with <task>/<language>/train.jsonl in it"),
        ("", "is ''; name a folder of rows"),
        ("~nobody", "no such folder '~nobody'"),
        ("x" * 5000, "no such folder 'xxx"),
    ],
)
def test_data_that_is_not_there_is_answered_with_what_is(folder, monkeypatch, said, answer):
    monkeypatch.chdir(folder)
    (line,) = told(folder, TEXT, data=said)
    assert line.startswith(f"command line: --data: {answer}")


def test_a_folder_without_rows_is_said_once(folder, tmp_path):
    (line,) = told(folder, TEXT, data=str(tmp_path))
    assert line.startswith("command line: --data: ") and "no task in this folder" in line


def test_a_bare_folder_is_data(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert load(write_scenario(folder), data="rows").data == f"files:{folder / 'rows'}"


def test_a_process_that_never_ends_or_never_begins_is_refused(folder):
    process = "arrivals:\n  - {{process: poisson, gap_days: {}, repeat: true, start_day: {}, events: [{}]}}\n"
    change = "{event: traffic_change, requests_per_day: 5}"
    endless = told(folder, TEXT + process.format(0.05, 0, change))
    assert endless == [
        "tiny.yaml:20: arrivals[0].gap_days: is 0.05; more than 1000 events up to the horizon, give a wider gap"
    ]
    idle = told(folder, TEXT + process.format(5, 99.99, change))
    assert idle[0].startswith("tiny.yaml:20: arrivals[0]: brings no event up to day 100")
    wrong = told(folder, TEXT + process.format(5, 1, "{event: traffic_chang, requests_per_day: 5}"))
    assert wrong == [
        "tiny.yaml:20: arrivals[0].events[0].event: unknown event 'traffic_chang'; did you mean 'traffic_change'?"
    ]


def test_rows_of_another_kind_or_with_other_labels_cannot_refresh_a_task(folder):
    strange = write_rows(folder / "strange")
    for file in strange.glob("intent/*/*.jsonl"):
        file.write_text(file.read_text().replace('"pay"', '"flee"'))
    refresh = "  - {day: 70, event: dataset_refresh, task: intent, source: {files: strange}}\nstrategies:"
    (line,) = told(folder, TEXT.replace("strategies:", refresh))
    assert line.startswith("tiny.yaml:10: timeline[4].source: files:")
    assert "has intent rows with label 'flee', which files:" in line


def test_a_test_set_that_has_no_further_edition_is_told(folder):
    refresh = "  - {day: 70, event: dataset_refresh, task: mood, test_set: true}\nstrategies:"
    lines = told(folder, TEXT.replace("strategies:", refresh))
    assert len(lines) == 2 and all("timeline[4].test_set" in line and "no test.v2.jsonl" in line for line in lines)


def test_a_scenario_that_is_not_there_is_told_with_what_is(tmp_path):
    (tmp_path / "tiny.yaml").touch()
    for name, meant in (("teaching/fusion_stp", "teaching/fusion_step"), (tmp_path / "tiyn.yaml", r"\S*/tiny.yaml")):
        with pytest.raises(ScenarioError, match=f"did you mean '{meant}'"):
            load(name)
    with pytest.raises(ScenarioError, match=r"No scenario 'smok'.*did you mean 'smoke'\?$"):
        load("smok")
    with pytest.raises(ScenarioError, match="No scenario has an empty name; give a file, or one of"):
        load("")
    with pytest.raises(AdapeffError, match="a folder; give the scenario file in it"):
        load(tmp_path)


def test_a_folder_of_rows_is_looked_for_beside_the_file(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    file = write_scenario(folder)
    assert load(file).data == f"files:{folder / 'rows'}"
    monkeypatch.chdir(folder)
    assert load("tiny.yaml").data == f"files:{folder / 'rows'}"
