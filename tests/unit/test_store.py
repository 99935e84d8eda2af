"""What is stored is there as a whole or not at all, has one maker at a time, and is believed only when checked."""

import errno
import json
import multiprocessing
import os
import shutil
import threading
import time
from pathlib import Path

import pytest
from deadly import dies_at

from adapeff_sim.errors import ExecutionError
from adapeff_sim.execution import disk
from adapeff_sim.execution.disk import in_words
from adapeff_sim.execution.store import Entry, Store
from adapeff_sim.execution.work import SILENT_SECONDS, Owner, Work
from adapeff_sim.ledger.outcome import Outcome

KEY, OTHER = "0123456789abcdef", "fedcba9876543210"
OTHERS = multiprocessing.get_context("fork" if hasattr(os, "fork") else "spawn")  # a fork has everything loaded
DONE = Outcome(usage={"train_seconds": 1.5}, stored_bytes=7, device="cpu", threads=1)


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "store", poll_seconds=0.02)


def make(store: Store, key: str = KEY, content: str = "weights", run: str = "one") -> Entry:
    work = store.claim(key)
    assert isinstance(work, Work)
    with work:
        (work.folder / "artifact").mkdir(exist_ok=True)
        (work.folder / "artifact" / "model.safetensors").write_text(content)
        return store.finish(work, DONE, run)


def dead_process() -> Owner:
    """A process of this host that is gone."""
    here, there = OTHERS.Pipe()
    child = OTHERS.Process(target=say_who, args=(there,))
    child.start()
    gone: Owner = here.recv()
    child.join()
    return gone


def say_who(there) -> None:
    there.send(Owner.me())


def abandoned(store: Store, owner: Owner, key: str = KEY) -> Path:
    folder = owner.folder(store.folder / "work", key)
    (folder / "checkpoint").mkdir(parents=True)
    (folder / "checkpoint" / "position.json").write_text('{"steps": 7}')
    return folder


def test_what_is_finished_is_found_by_every_store_on_the_folder(store):
    assert store.find(KEY) is None
    entry = make(store)
    for reader in (store, Store(store.folder)):
        found = reader.find(KEY)
        assert found == entry and (found.artifact / "model.safetensors").read_text() == "weights"
    assert isinstance(store.claim(KEY), Entry)
    assert list((store.folder / "work").glob("*@*")) == []


def test_only_the_run_that_measured_it_calls_it_measured(store):
    make(store, run="one")
    assert store.find(KEY).outcome_for("one") == DONE
    assert store.find(KEY).outcome_for("two") == DONE.model_copy(update={"provenance": "reused"})


def test_nothing_but_the_outcome_the_artifact_and_their_manifest_is_kept(store):
    with store.claim(KEY) as work:
        for name in ("checkpoint/a", "artifact/deep/b", "scratch/c"):
            (work.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (work.folder / name).write_text(name)
        entry = store.finish(work, DONE, "one")
    assert {p.name for p in entry.folder.iterdir()} == {"artifact", "outcome.json", "manifest.json"}
    manifest = json.loads((entry.folder / "manifest.json").read_text())
    assert set(manifest["files"]) == {"outcome.json", "artifact/deep/b"}


def test_until_it_is_renamed_nothing_is_there(store, monkeypatch):
    seen = []
    rename = Path.rename

    def watched(self, target):
        seen.append(Store(store.folder).find(KEY))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", watched)
    make(store)
    assert seen == [None] and Store(store.folder).find(KEY)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda f: (f / "artifact" / "model.safetensors").write_text("weight"), "6 bytes instead of 7"),
        (lambda f: (f / "artifact" / "model.safetensors").write_text("wEights"), "altered"),
        (lambda f: (f / "artifact" / "model.safetensors").unlink(), "missing"),
        (lambda f: shutil.rmtree(f / "artifact"), "missing"),
        (lambda f: (f / "outcome.json").write_text("{}"), "outcome.json"),
        (lambda f: (f / "manifest.json").unlink(), "no manifest.json"),
        (lambda f: (f / "manifest.json").write_bytes(b"\xff\x00"), "unreadable"),
        (lambda f: (f / "manifest.json").write_text('{"files": {"../../x": {"size": 0, "sha256": ""}}}'), "outside"),
        (lambda f: (f / "manifest.json").write_text('{"files": {}}'), "unreadable"),
        (lambda f: (shutil.rmtree(f), f.write_text("a file where a folder was")), "no manifest.json"),
    ],
)
def test_a_damaged_entry_is_told_of_moved_aside_and_made_again(store, damage, said):
    entry = make(store)
    if said == "unreadable" and (entry.folder / "manifest.json").exists():
        (entry.folder / "outcome.json").write_text("no JSON")
    damage(entry.folder)
    told: list[str] = []
    reader = Store(store.folder)
    assert reader.find(KEY, told.append) is None
    assert len(told) == 1 and said in told[0] and KEY in told[0]
    assert len(list((store.folder / "damaged").iterdir())) == 1
    assert make(reader, content="weights again").artifact.joinpath("model.safetensors").read_text() == "weights again"
    assert Store(store.folder).find(KEY, told.append) and len(told) == 1


def test_every_damaged_generation_is_kept_apart(store):
    for _ in range(3):
        (make(store).folder / "manifest.json").unlink()
        assert Store(store.folder).find(KEY) is None
        store = Store(store.folder)
    assert sorted(p.name for p in (store.folder / "damaged").iterdir()) == [f"{KEY}.{n}" for n in (1, 2, 3)]


def test_garbage_beside_the_entries_does_no_harm(store):
    make(store)
    for name in (
        "objects/01/.DS_Store",
        "work/notes.txt",
        f"work/{KEY}@",
        f"work/{OTHER}@nobody",
        "work/@-1-2",
        "README",
    ):
        (store.folder / name).write_text("garbage")
    (store.folder / "objects" / "01" / KEY / "artifact" / "Thumbs.db").write_text("garbage")
    told: list[str] = []
    assert Store(store.folder).find(KEY, told.append) and not told
    assert make(store, OTHER).key == OTHER


@pytest.mark.parametrize("key", ["", "..", "../../etc", "a/b", ".hidden", "x@y-1-2", "a" * 200])
def test_a_key_never_becomes_another_path(store, key):
    with pytest.raises(ExecutionError, match="no key"):
        store.find(key)


def test_the_work_of_a_dead_process_is_gone_on_with(store):
    folder = abandoned(store, dead_process())
    with store.claim(KEY) as work:
        assert work.adopted and not folder.exists()
        assert Owner.named_by(work.folder) == Owner.me()
        assert (work.folder / "checkpoint" / "position.json").read_text() == '{"steps": 7}'
        assert store.finish(work, DONE, "one")
    assert list((store.folder / "work").glob("*@*")) == []


def test_a_process_number_that_is_used_again_is_another_process(store):
    me = Owner.me()
    abandoned(store, Owner(me.host, me.pid, me.started - 5_000))
    with store.claim(KEY) as work:
        assert work.adopted


def test_another_host_is_believed_alive_until_it_has_been_silent_for_long(store):
    folder = abandoned(store, Owner("elsewhere", 1, 1))
    owner = Owner.named_by(folder)
    assert owner and owner.is_alive(folder)
    past = time.time() - SILENT_SECONDS - 1
    os.utime(folder, (past, past))
    assert not owner.is_alive(folder)
    with store.claim(KEY) as work:
        assert work.adopted


def test_what_fails_is_left_to_the_next_try_of_the_same_process(store):
    def fail() -> None:
        with store.claim(KEY) as work:
            (work.folder / "checkpoint").mkdir()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with store.claim(KEY) as again:
        assert again.adopted and (again.folder / "checkpoint").is_dir()


def test_the_latest_of_several_abandoned_folders_is_adopted_and_the_others_go(store):
    gone = dead_process()
    for age, started in ((300, 1), (100, 2), (200, 3)):
        folder = abandoned(store, Owner(gone.host, gone.pid, started))
        (folder / "checkpoint" / "position.json").write_text(str(age))
        os.utime(folder, (time.time() - age,) * 2)
    with store.claim(KEY) as work:
        assert (work.folder / "checkpoint" / "position.json").read_text() == "100"
        assert list((store.folder / "work").glob("*@*")) == [work.folder]


def test_what_was_finished_but_not_handed_in_is_not_done_again(store, monkeypatch):
    """The process dies between writing the manifest and renaming the folder."""
    with store.claim(KEY) as work:
        (work.folder / "checkpoint").mkdir()
        disk.write_whole(work.folder / "artifact.txt", "scratch")
        (work.folder / "artifact").mkdir()
        (work.folder / "artifact" / "model.safetensors").write_text("weights")
        monkeypatch.setattr("adapeff_sim.execution.store.clear", lambda *a, **k: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            store.finish(work, DONE, "one")
        monkeypatch.undo()
    found = Store(store.folder).claim(KEY)
    assert isinstance(found, Entry) and found.outcome_for("one") == DONE
    assert {p.name for p in found.folder.iterdir()} == {"artifact", "outcome.json", "manifest.json"}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_process_that_dies_at_any_write_leaves_all_or_nothing(tmp_path):
    """Killed before its first write, its second, ... until it lives: what comes after always ends well."""
    for kill_at in range(1, 100):
        store = Store(tmp_path / str(kill_at), poll_seconds=0.01)
        is_dead = dies_at(kill_at, str(store.folder), lambda store=store: make(store, run="first"))
        told: list[str] = []
        left = store.claim(KEY, told.append)
        if isinstance(left, Work):
            with left:
                assert is_dead
            left = make(store, run="second")
        assert left.stored.run in ("first", "second") and not told
        fresh = Store(store.folder).find(KEY, told.append)
        assert fresh == left and not told
        assert {p.name for p in fresh.folder.iterdir()} == {"artifact", "outcome.json", "manifest.json"}
        assert [p.name for p in (store.folder / "work").iterdir()] == ["lock"]
        if not is_dead:
            break
    assert not is_dead and kill_at > 8


def test_whoever_is_slower_takes_what_is_there(store):
    slow = store.claim(KEY)
    aside = slow.folder.rename(store.folder / "hidden")
    make(Store(store.folder), content="faster")
    aside.rename(slow.folder)
    (slow.folder / "artifact").mkdir()
    entry = store.finish(slow, DONE, "slow")
    assert entry.stored.run == "one" and (entry.artifact / "model.safetensors").read_text() == "faster"
    assert not slow.folder.exists()


def test_a_live_worker_is_waited_for_and_said_to_be_waited_for(store):
    told: list[str] = []
    with store.claim(KEY) as work:
        waiting: list[Entry | Work] = []
        other = threading.Thread(target=lambda: waiting.append(Store(store.folder, 0.01).claim(KEY, told.append)))
        other.start()
        time.sleep(0.2)
        assert not waiting
        store.finish(work, DONE, "one")
    other.join(5)
    assert isinstance(waiting[0], Entry) and waiting[0].stored.run == "one"
    assert len(told) == 1 and str(os.getpid()) in told[0] and "waiting" in told[0]


def rival(folder: str, number: int, begin: float) -> None:
    """Make every key as soon as the bell rings, and write down who made it."""
    store = Store(Path(folder), poll_seconds=0.01)
    time.sleep(max(0.0, begin - time.time()))
    for i in range(20):
        key = f"{i:016x}"
        taken = store.claim(key)
        if isinstance(taken, Work):
            with taken:
                (taken.folder / "artifact").mkdir()
                with (Path(folder) / "made").open("a") as made:
                    made.write(f"{key}\n")
                (taken.folder / "artifact" / "who").write_text(str(number))
                store.finish(taken, DONE, f"run {number}")


def test_two_processes_at_once_make_every_key_once(tmp_path):
    (tmp_path / "made").touch()
    begin = time.time() + 0.2
    rivals = [OTHERS.Process(target=rival, args=(str(tmp_path), number, begin)) for number in range(3)]
    for process in rivals:
        process.start()
    for process in rivals:
        process.join(60)
    assert [process.exitcode for process in rivals] == [0, 0, 0]
    made = (tmp_path / "made").read_text().split()
    assert sorted(made) == [f"{i:016x}" for i in range(20)]
    store = Store(tmp_path)
    for key in made:
        entry = store.find(key)
        assert entry and entry.stored.run == f"run {(entry.artifact / 'who').read_text()}"


@pytest.mark.parametrize(
    ("code", "said"),
    [(errno.ENOSPC, "disk is full"), (errno.EROFS, "not to be read or written"), (errno.EIO, "does not answer")],
)
def test_a_disk_that_fails_is_told_of_in_words_and_the_work_stays(store, monkeypatch, code, said):
    def fails(file, text):
        raise OSError(code, os.strerror(code), str(file))

    monkeypatch.setattr("adapeff_sim.execution.store.write_whole", fails)
    with pytest.raises(ExecutionError, match=f"{said}.*--store"):
        make(store)
    monkeypatch.undo()
    with store.claim(KEY) as again:
        assert again.adopted and (again.folder / "artifact" / "model.safetensors").read_text() == "weights"


def test_the_weights_librarys_own_word_for_a_full_disk_is_understood(tmp_path):
    from safetensors import SafetensorError

    said = "Error while serializing: I/O error: No space left on device (os error 28)"
    with pytest.raises(ExecutionError, match="disk is full"), in_words(tmp_path):
        raise SafetensorError(said)
    with pytest.raises(SafetensorError), in_words(tmp_path):
        raise SafetensorError("header too large")


def test_a_file_where_the_store_should_be(tmp_path):
    (tmp_path / "store").write_text("not a folder")
    with pytest.raises(ExecutionError, match="--store"):
        Store(tmp_path / "store").claim(KEY)


@pytest.mark.parametrize("name", ["file", "file/in_it", "x" * 5000, "/proc/s", "a\0b"])
def test_a_place_that_can_be_no_store_is_refused_before_anything_is_done(tmp_path, name):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(ExecutionError, match=r"^--store .*; give another folder\.$") as error:
        Store(tmp_path / name).prepare()
    assert len(str(error.value)) < 300
    Store(tmp_path / "new" / "one").prepare()
    assert list((tmp_path / "new").rglob("*")) == [tmp_path / "new" / "one"]


@pytest.mark.skipif(os.geteuid() == 0, reason="a superuser may write everywhere")
def test_a_folder_that_may_not_be_written(store):
    make(store)
    (store.folder / "work").chmod(0o500)
    try:
        assert Store(store.folder).find(KEY)
        with pytest.raises(ExecutionError, match="allow it"):
            store.claim(OTHER)
    finally:
        (store.folder / "work").chmod(0o700)
