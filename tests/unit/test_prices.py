"""Price books: whom a price holds for, and what is wrong with a book that cannot be understood."""

import datetime
import time

import pytest
import yaml
from hand_made import BOOK, SAID, prices

from adapeff_sim.costs.prices import PricesError, same_device
from adapeff_sim.demos import HERE, demos
from adapeff_sim.results import read
from adapeff_sim.scenario.load import load
from adapeff_sim.scenario.price_books import BOOKS, load_prices, parse_prices
from adapeff_sim.scenario.problems import Problem, Problems

NAMES = sorted(p.stem for p in BOOKS.glob("*.yaml"))
TEXT = yaml.safe_dump(BOOK, sort_keys=False)


@pytest.mark.parametrize("name", NAMES)
def test_every_book_that_comes_along_says_what_it_is(name):
    book = load_prices(name)
    assert book.name == name
    others = (price for price in (book.labelling, book.energy, book.revalidation) if price)
    for price in (book.compute, book.storage, book.serving, *others):
        assert price.source.startswith("example: ") and isinstance(price.date, datetime.date)
    assert book.compute.flops_per_second and book.serving.flops_per_second


def test_the_books_that_come_along_are_of_two_clouds_an_owned_machine_and_a_cpu():
    books = {name: load_prices(name) for name in NAMES}
    assert {"cloud_gpu", "google_cloud", "on_prem", "laptop_cpu"} <= set(NAMES)
    assert {name for name, book in books.items() if book.energy} == {"on_prem"}  # elsewhere the hour pays for it
    assert all(book.compute.includes_energy for name, book in books.items() if name != "on_prem")
    assert books["laptop_cpu"].compute.device == "cpu"


def test_public_rows_cost_nothing_and_all_else_what_it_does_in_the_cloud():
    assert load("paper/mundra2023").prices == "cloud_gpu_public_rows"
    public, paid = load_prices("cloud_gpu_public_rows"), load_prices("cloud_gpu")
    assert (public.labelling.example, public.labelling.held_out_example) == (0.0, 0.0)
    assert public.model_copy(update={"name": paid.name, "labelling": paid.labelling}) == paid


@pytest.mark.parametrize(
    ("priced", "measured", "same"),
    [
        ("cpu", "cpu", True),
        ("CPU", "cpu: AMD EPYC", True),
        ("cpu", "NVIDIA H200", False),
        ("cpu", "NVIDIA, beside a cpu", False),
        ("h200", "NVIDIA H200", True),
        ("NVIDIA H200", "H200", False),
        ("L4", "NVIDIA L4", True),
        ("L4", "NVIDIA L40S", False),
        ("A10", "NVIDIA A100-SXM4-80GB", False),
        ("100", "cuda (NVIDIA A100)", False),
        ("A100", "cuda (NVIDIA A100)", True),
        ("A100", "NVIDIA A100-SXM4-80GB", True),
        ("L4", "", False),
    ],
)
def test_a_price_holds_for_the_device_it_names(priced, measured, same):
    assert same_device(priced, measured) is same


def test_seconds_are_taken_as_measured_converted_or_not_had():
    price = prices(compute={"flops_per_second": 10.0}).compute
    assert price.seconds("cpu", 3.0, 100.0) == (3.0, False)
    assert price.seconds("cpu", None, 100.0) == (10.0, True)
    assert price.seconds("NVIDIA L4", 3.0, 100.0) == (10.0, True)
    assert price.seconds("NVIDIA L4", 3.0, None) is None
    assert prices(compute={"flops_per_second": None}).compute.seconds("NVIDIA L4", 3.0, 100.0) is None


def test_a_book_is_found_by_name_or_beside_the_scenario(tmp_path):
    (tmp_path / "mine.yaml").write_text(TEXT)
    assert load_prices("mine.yaml", tmp_path) == load_prices(str(tmp_path / "mine.yaml")) == prices()


@pytest.mark.parametrize("name", ["cloud_gup", "../cloud_gpu", "", "prices/cloud_gpu"])
def test_an_unknown_book_is_answered_with_the_known_ones(name):
    with pytest.raises(PricesError, match=r"Unknown price book.*[Kk]nown: .*cloud_gpu.*\.yaml"):
        load_prices(name)


def test_what_is_assumed_is_said_apart_from_what_a_list_says():
    for name in NAMES:
        book = load_prices(name)
        for price in (book.compute, book.serving):
            assert price.flops_per_second and price.assumption.startswith("assumption: ")
        assert any(who in book.serving.source for who in ("Amazon", "Google", "no list price"))
        for price in (book.energy, book.revalidation):
            assert price is None or price.assumption.startswith("assumption: ")


@pytest.mark.parametrize("name", demos())
def test_a_demo_tells_of_its_prices_what_the_shipped_book_does(name):
    told = read(HERE / name).prices
    assert told == load_prices(told.name)


def test_a_basis_that_stands_as_a_key_is_told_what_to_write():
    book = {**BOOK, "compute": {k: v for k, v in BOOK["compute"].items() if k not in ("per", "amount")}}
    book["compute"]["device_hour"] = 1.2
    with pytest.raises(PricesError) as told:
        parse_prices(yaml.safe_dump(book, sort_keys=False).encode(), "book")
    (line,) = str(told.value).splitlines()
    assert line.endswith("compute.device_hour: unknown key; write amount: 1.2, per: device_hour")


def test_many_problems_of_a_book_stand_below_the_one_line_that_names_it():
    found = [Problem(("prices",), f"book.yaml:{i}: wrong", 11) for i in (2, 3)]
    assert str(Problems("life.yaml", found)) == "life.yaml:11: prices:\n  book.yaml:2: wrong\n  book.yaml:3: wrong"


def test_merge_keys_and_numbers_that_are_none_are_told_what_would_do():
    with pytest.raises(PricesError, match="merge keys are not read; write the keys out"):
        parse_prices(f"<<: {{name: x}}\n{TEXT}".encode(), "book")
    with pytest.raises(PricesError, match=r"is '\.nan'; write a finite number"):
        parse_prices(TEXT.replace("amount: 36.0", "amount: .nan").encode(), "book")


def test_a_name_that_no_file_can_have_is_told(tmp_path):
    with pytest.raises(PricesError, match="cannot be read"):
        load_prices("a\0b.yaml", tmp_path)


@pytest.mark.parametrize("currency", ["EUR", "US$", "€", "Fr.", "zł"])
def test_a_currency_is_letters_or_a_sign(currency):
    assert parse_prices(TEXT.replace("EUR", currency, 1).encode(), "book").currency == currency


@pytest.mark.parametrize("currency", ["'[red]X[/]'", '"X\\e[2J"', "''", "a b", "nine_nine", "Millions1"])
def test_a_currency_is_nothing_else(currency):
    with pytest.raises(PricesError, match="book:2: currency"):
        parse_prices(TEXT.replace("EUR", currency, 1).encode(), "book")


LEVELS = range(1, 60)  # each twice as large as the one before


@pytest.mark.parametrize(
    "bomb",
    [
        "b0: &b0 {x: 1}\n" + "".join(f"b{i}: &b{i} {{x: *b{i - 1}, y: *b{i - 1}}}\n" for i in LEVELS),
        "b0: &b0 {x: 1}\n" + "".join(f"b{i}: &b{i} {{<<: [*b{i - 1}, *b{i - 1}]}}\n" for i in LEVELS),
        "b0: &b0 [1]\n" + "".join(f"b{i}: &b{i} [*b{i - 1}, *b{i - 1}]\n" for i in LEVELS) + "? *b59\n: 1\n",
        "&loop {x: *loop}",
    ],
    ids=["aliases", "merges", "keys", "loop"],
)
def test_a_book_that_is_small_only_in_its_file_is_refused_at_once(bomb):
    began = time.process_time()
    with pytest.raises(PricesError, match="book"):
        parse_prices(bomb.encode(), "book")
    assert time.process_time() - began < 1


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    (tmp_path / "odd.yaml").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "folder.yaml").mkdir()
    for name, wrong in (("gone", "cannot be read"), ("odd", "byte 0xff is not UTF-8"), ("folder", "cannot be read")):
        with pytest.raises(PricesError, match=f"{name}.yaml:.* {wrong}"):
            load_prices(f"{name}.yaml", tmp_path)


def test_a_name_that_is_nearly_right_is_answered_with_the_right_one(tmp_path):
    (tmp_path / "mine.yaml").write_text(TEXT)
    for name, right in (("cloud_gup", "cloud_gpu"), ("mien.yaml", "mine.yaml")):
        with pytest.raises(PricesError, match=f"(?i)did you mean '{right}'"):
            load_prices(name, tmp_path)
    with pytest.raises(PricesError, match=r"give a file that can be\.$"):  # endings alone are no likeness
        load_prices("nope.yaml", tmp_path)


def test_everything_that_is_wrong_with_a_book_is_told_at_once():
    text = TEXT.replace("per: device_hour", "per: 3").replace("gib_month", "gib_mnth")
    with pytest.raises(PricesError) as error:
        parse_prices(text.encode(), "book")
    assert [line.split(": ")[1] for line in str(error.value).splitlines()] == ["compute.per", "storage.gib_mnth"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("per: device_hour", "per: hour", r"book:4: compute\.per: is 'hour'; choose one of: device_hour, exaflop, kwh"),
        ("  amount: 36.0\n", "", r"book:3: compute\.amount: missing; add `amount: \.\.\.`"),
        ("amount: 36.0", "amount: -1", r"book:5: compute\.amount: is -1; it must be at least 0"),
        ("amount: 36.0", "amount: 1e300", r"book:5: compute\.amount: is 1e\+300; it must be at most 1e\+15"),
        ("amount: 36.0", "amount: .inf", r"book:5: compute\.amount: is '\.inf'; write a finite number"),
        ("amount: 36.0", "amount: 2025-13-45", r"book:5: compute\.amount: is '2025-13-45'; write a number"),
        ("amount: 36.0", "amount:", r"book:5: compute\.amount: is empty; give a value"),
        ("date: '2025-06-01'", "date: 2025-13-45", r"compute\.date: is '2025-13-45'; write a date, such as 2025-06-01"),
        ("amount: 36.0", "amount: 1\n  amount: 2", r"book:6: compute\.amount: the key stands there twice"),
        ("amount: 36.0", "amonut: 36.0", r"book:5: compute\.amonut: unknown key; did you mean 'amount'\?"),
        ("storage:", "storag:", r"book:\d+: storag: unknown key; did you mean 'storage'\?"),
        ("name: round", "name: [", r"book:\d+: not readable as YAML"),
        ("name: round", "name: !!python/name:os.system", r"book:1: tag .*; a price book has plain values only"),
        ("name: round", "name: " + "[" * 1000, r"book:1: more than 16 levels of nesting, which no price book needs"),
        (TEXT, "", r"book: the file is empty"),
        (TEXT, "- 3", r"book:1: no `key: value` lines; a price book starts with"),
    ],
)
def test_a_book_that_is_wrong_is_told_where(old, new, message):
    assert old in TEXT
    with pytest.raises(PricesError, match=message):
        parse_prices(TEXT.replace(old, new, 1).encode(), "book")


def test_every_price_has_a_date_and_a_source():
    for part in ("compute", "storage", "serving"):
        for field in SAID:
            lacking = {**BOOK, part: {k: v for k, v in BOOK[part].items() if k != field}}
            with pytest.raises(PricesError, match=rf"{part}\.{field}: missing"):
                parse_prices(yaml.safe_dump(lacking).encode(), "book")


@pytest.mark.parametrize("name", ["x" * 10_000, "x" * 10_000 + ".yaml"])
def test_a_name_that_no_file_can_have_is_refused_in_words(name):
    with pytest.raises(PricesError, match=r"Unknown price book|cannot be read") as error:
        load_prices(name)
    assert len(str(error.value)) < 400
