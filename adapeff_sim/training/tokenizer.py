"""One vocabulary for many languages: read the plain text, learn word pieces from it, turn lines into numbers.

    <language>.txt        one sentence per line              text to learn from
    <language>.dev.txt    lines that are never learnt from   text to check with
    parallel/*.jsonl      {"key", "text": {language: sentence}}, the same sentence in several languages

The pieces are a unigram model whose last 256 pieces are the bytes, so no text of any script is ever unknown.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from adapeff_sim.errors import DataError

SPECIAL_PIECES = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
START, PAD, END, UNKNOWN, MASK = range(5)
FIRST_BYTE_PIECE = len(SPECIAL_PIECES)
FIRST_WORD_PIECE = FIRST_BYTE_PIECE + 256

Rows = tuple[Mapping[str, str], ...]


def read_lines(folder: Path, suffix: str = ".txt") -> dict[str, list[str]]:
    """The lines of every language, by language in alphabetical order."""
    dev = ".dev.txt"
    files = [file for file in sorted(folder.glob(f"*{suffix}")) if suffix == dev or not file.name.endswith(dev)]
    if not files:
        raise DataError(f"no <language>{suffix} file in {folder}; one sentence per line is expected there")
    lines = {file.name.removesuffix(suffix): _lines(file) for file in files}
    if empty := sorted(language for language, found in lines.items() if not found):
        raise DataError(f"{folder / (empty[0] + suffix)} has no line; give it some, or take it away")
    return lines


def read_parallel(folder: Path) -> Rows:
    """Every row of `parallel/*.jsonl`: one sentence by language; none when there is no such folder.

    Raises DataError, with file and line, for a row that is not ``{"text": {language: sentence}}`` in two languages.
    """
    files = sorted((folder / "parallel").glob("*.jsonl"))
    return tuple(_row(file, number, line) for file in files for number, line in enumerate(_lines(file), start=1))


def require_text(folder: Path) -> None:
    """Read all the text once, so that what is wrong with it is told before hours go into it.

    Raises DataError for a folder or a file that cannot be read, and for languages without lines to check with.
    """
    if not folder.is_dir():
        raise DataError(f"--text {folder}: {'a file' if folder.exists() else 'no such folder'}; give a folder of text")
    languages = list(read_lines(folder))
    if lacking := [language for language in languages if not (folder / f"{language}.dev.txt").is_file()]:
        names = ", ".join(f"{language}.dev.txt" for language in lacking)
        fix = f"move some lines of {lacking[0]}.txt there, which are then checked with and never learnt from"
        raise DataError(f"{folder}: no {names}; {fix}")
    read_lines(folder, ".dev.txt")
    read_parallel(folder)


def _lines(file: Path) -> list[str]:
    """The lines of a file that hold anything; only line feeds part them."""
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise DataError(f"{file}: cannot be read ({error.strerror}); make it readable") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{file}: not UTF-8 at byte {error.start}; convert it") from error
    return [line.rstrip("\r") for line in text.split("\n") if line.strip()]


def _row(file: Path, number: int, line: str) -> Mapping[str, str]:
    try:
        found = json.loads(line)
    except ValueError as error:
        raise DataError(f"{file}:{number}: not JSON ({error}); correct the line") from error
    text = found.get("text") if isinstance(found, dict) else None
    if not isinstance(text, dict) or len(text) < 2 or not all(isinstance(said, str) and said for said in text.values()):
        raise DataError(
            f'{file}:{number}: not a sentence in two languages; write {{"text": {{"en": "...", "de": "..."}}}}'
        )
    return text


def text_digests(folder: Path) -> dict[str, str]:
    """The sha256 of every file of text, by its path inside the folder."""
    files = sorted([*folder.glob("*.txt"), *folder.glob("parallel/*.jsonl")])
    return {file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def sampling_shares(sizes: Mapping[str, int], temperature: float) -> dict[str, float]:
    """The share of each language, proportional to size ** temperature: 1 as it comes, 0 all alike."""
    weights = {language: size**temperature for language, size in sizes.items()}
    total = sum(weights.values())
    return {language: weight / total for language, weight in weights.items()}


def balanced_lines(lines: Mapping[str, Sequence[str]], characters: int, temperature: float, seed: int) -> Iterator[str]:
    """About `characters` characters of text, each language at its tempered share, none repeated."""
    sizes = {language: sum(map(len, found)) for language, found in lines.items()}
    shares = sampling_shares(sizes, temperature)
    draw = np.random.default_rng(seed)
    for language, found in lines.items():
        left = characters * shares[language]
        for position in draw.permutation(len(found)):
            if left <= 0:
                break
            left -= len(found[position])
            yield found[position]


def train_tokenizer(
    lines: Mapping[str, Sequence[str]], vocabulary: int, seed: int, characters: int = 12_000_000
) -> Tokenizer:
    """Learn a unigram vocabulary of at most `vocabulary` pieces, bytes and special pieces included.

    The `tokenizers` library walks its hash tables in an order of their own, so two runs may learn slightly different
    pieces from the same text: to repeat a run, give it the vocabulary that was saved.
    """
    learner = Tokenizer(models.Unigram())
    _split_into_words(learner)
    trainer = trainers.UnigramTrainer(
        vocab_size=max(vocabulary - FIRST_WORD_PIECE, 16) + 1,
        special_tokens=["<unk>"],
        unk_token="<unk>",
        max_piece_length=16,
        show_progress=False,
    )
    learner.train_from_iterator(balanced_lines(lines, characters, 0.5, seed), trainer)
    learnt = [(piece, score) for piece, score in json.loads(learner.to_str())["model"]["vocab"] if piece != "<unk>"]
    return _with_bytes(learnt)


def _split_into_words(tokenizer: Tokenizer) -> None:
    """Compatibility-normalise; cut at spaces, which mark a word's start, and around each punctuation mark and digit."""
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(Regex(r"\s+"), " ")])
    cuts = [pre_tokenizers.Metaspace(), pre_tokenizers.Punctuation(), pre_tokenizers.Digits(individual_digits=True)]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(cuts)


def _with_bytes(learnt: Sequence[tuple[str, float]]) -> Tokenizer:
    """The learnt pieces behind the special pieces and the 256 bytes, with the sentence-pair template."""
    rarest = min(score for _, score in learnt) - 10.0
    pieces = [(piece, 0.0) for piece in SPECIAL_PIECES]
    pieces += [(f"<0x{byte:02X}>", rarest) for byte in range(256)]
    tokenizer = Tokenizer(models.Unigram([*pieces, *learnt], UNKNOWN, True))
    _split_into_words(tokenizer)
    tokenizer.decoder = decoders.Sequence([decoders.ByteFallback(), decoders.Metaspace()])
    tokenizer.add_special_tokens([AddedToken(piece, special=True) for piece in SPECIAL_PIECES[:MASK]])
    tokenizer.add_special_tokens([AddedToken(SPECIAL_PIECES[MASK], special=True, lstrip=True)])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>",
        pair="<s> $A </s> </s> $B </s>",
        special_tokens=[("<s>", START), ("</s>", END)],
    )
    return tokenizer


def save_tokenizer(tokenizer: Tokenizer, folder: Path, longest: int) -> None:
    """Write the three files from which `AutoTokenizer` loads; `longest` is in pieces, special ones included."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    start, pad, end, unknown, mask = SPECIAL_PIECES
    names: dict[str, object] = {
        "bos_token": start,
        "eos_token": end,
        "cls_token": start,
        "sep_token": end,
        "pad_token": pad,
        "unk_token": unknown,
        "mask_token": {"content": mask, "lstrip": True, "normalized": False, "rstrip": False, "single_word": False},
    }
    _write_json(folder / "special_tokens_map.json", names)
    settings = {
        **names,
        "mask_token": mask,
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": longest,
        "model_input_names": ["input_ids", "attention_mask"],
        "clean_up_tokenization_spaces": False,
    }
    _write_json(folder / "tokenizer_config.json", settings)


def load_tokenizer(folder: Path) -> Tokenizer:
    """Read `tokenizer.json` back."""
    file = folder / "tokenizer.json"
    if not file.is_file():
        raise DataError(f"no tokenizer.json in {folder}")
    try:
        return Tokenizer.from_file(str(file))
    except Exception as error:  # the library raises nothing narrower
        raise DataError(f"{file}: no tokenizer that can be read ({str(error)[:80]}); give a whole model") from error


def encode_lines(tokenizer: Tokenizer, lines: Sequence[str]) -> list[np.ndarray]:
    """The pieces of each line as 16-bit numbers, without start and end."""
    return [np.asarray(line.ids, np.uint16) for line in tokenizer.encode_batch(list(lines), add_special_tokens=False)]


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
