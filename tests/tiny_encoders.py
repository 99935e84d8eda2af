"""A tiny random base model of every encoder architecture, each with its tokenizer, in the layout of the hub."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from toy_model import COLOURS, NAMES, words

from adapeff_sim.base_models.release import Release, resolve

HIDDEN, NARROWER, LAYERS, LONGEST = 32, 16, 2, 64
TEXT = [" ".join(words(random.Random(i), 8)) + " " + " ".join((*COLOURS, *NAMES)) for i in range(200)]
TEXT.append("what happened who was there cause it other same")
PIECES = {
    "bert": ("[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]"),
    "roberta": ("<s>", "</s>", "<pad>", "<unk>", "<mask>"),
}
USUAL = {
    "hidden_size": HIDDEN,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 2,
    "intermediate_size": 2 * HIDDEN,
    "max_position_embeddings": LONGEST,
    "initializer_range": 0.1,
}
DEBERTA = {"relative_attention": True, "pos_att_type": ["p2c", "c2p"], "position_biased_input": False}
SETTINGS: dict[str, dict[str, Any]] = {
    "albert": {**USUAL, "embedding_size": NARROWER},  # narrower than its states, as all released ones are
    "bert": USUAL,
    "bert-generation": USUAL,
    "deberta": {**USUAL, **DEBERTA},
    "deberta-v2": {  # as the releases of v3 are
        **USUAL,
        **DEBERTA,
        "type_vocab_size": 0,
        "share_att_key": True,
        "position_buckets": 16,
        "norm_rel_ebd": "layer_norm",
    },
    "distilbert": {
        "dim": HIDDEN,
        "n_layers": LAYERS,
        "n_heads": 2,
        "hidden_dim": 2 * HIDDEN,
        "max_position_embeddings": LONGEST,
        "initializer_range": 0.1,
    },
    "electra": {**USUAL, "embedding_size": NARROWER},  # narrower than its states, as electra-small is
    "modernbert": {**USUAL, "global_attn_every_n_layers": 2, "local_attention": 16, "initializer_cutoff_factor": 2.0},
    "roberta": {**USUAL, "max_position_embeddings": LONGEST + 2, "type_vocab_size": 1},
    "xlm-roberta": {**USUAL, "max_position_embeddings": LONGEST + 2, "type_vocab_size": 1},
}
TOKENIZERS = {  # as the releases name them; what has no name there is read by the class that knows no model
    "albert": "AlbertTokenizer",
    "bert": "BertTokenizer",
    "deberta": "DebertaTokenizer",
    "deberta-v2": "DebertaV2Tokenizer",
    "distilbert": "DistilBertTokenizer",
    "electra": "ElectraTokenizer",
    "roberta": "RobertaTokenizer",
    "xlm-roberta": "XLMRobertaTokenizer",
}


def write_encoder(folder: Path, kind: str, seed: int = 0, texts: list[str] | None = None, **settings: Any) -> Release:
    """A random encoder of a ``model_type`` with its tokenizer, saved as it would lie in a repository."""
    folder.mkdir(parents=True, exist_ok=True)
    pieces = PIECES["roberta" if kind in ("roberta", "xlm-roberta") else "bert"]
    tokenizer = _made(kind, pieces, TEXT if texts is None else texts)
    tokenizer.save(str(folder / "tokenizer.json"))
    cls, sep, pad, unk, mask = pieces
    said = {"cls_token": cls, "sep_token": sep, "pad_token": pad, "unk_token": unk, "mask_token": mask}
    if pieces == PIECES["roberta"]:
        said |= {"bos_token": cls, "eos_token": sep}
    said |= {"tokenizer_class": TOKENIZERS.get(kind, "PreTrainedTokenizerFast"), "model_max_length": LONGEST}
    (folder / "tokenizer_config.json").write_text(json.dumps(said))
    ends = {"cls_token_id": cls, "sep_token_id": sep, "pad_token_id": pad, "bos_token_id": cls, "eos_token_id": sep}
    ids = {name: tokenizer.token_to_id(piece) for name, piece in ends.items()}
    config = transformers.AutoConfig.for_model(
        kind, **{**SETTINGS[kind], "vocab_size": tokenizer.get_vocab_size(), **ids, **settings}
    )
    torch.manual_seed(seed)
    transformers.AutoModel.from_config(config).save_pretrained(folder, safe_serialization=True)
    return resolve(f"path:{folder}")


def _made(kind: str, pieces: tuple[str, ...], texts: list[str]) -> Tokenizer:
    made: dict[str, Callable[[tuple[str, ...], list[str]], Tokenizer]] = {
        **dict.fromkeys(("bert", "distilbert", "electra"), _word_pieces),
        **dict.fromkeys(("roberta", "deberta", "modernbert"), _bytes),
    }
    tokenizer = made.get(kind, _sentence_pieces)(pieces, texts)
    cls, sep, *_ = pieces
    (cls_id, sep_id) = (tokenizer.token_to_id(piece) for piece in (cls, sep))
    if kind == "roberta":
        tokenizer.post_processor = processors.RobertaProcessing((sep, sep_id), (cls, cls_id))
        return tokenizer
    pair = f"{cls} $A {sep} {sep} $B {sep}" if cls == "<s>" else f"{cls} $A {sep} $B:1 {sep}:1"
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{cls} $A {sep}", pair=pair, special_tokens=[(cls, cls_id), (sep, sep_id)]
    )
    return tokenizer


def _word_pieces(pieces: tuple[str, ...], texts: list[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.WordPiece(unk_token=pieces[3]))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizers.BertNormalizer(), pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(vocab_size=400, special_tokens=list(pieces), show_progress=False)
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def _bytes(pieces: tuple[str, ...], texts: list[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=500, special_tokens=list(pieces), initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def _sentence_pieces(pieces: tuple[str, ...], texts: list[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizers.NFKC(), pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=200, special_tokens=list(pieces), unk_token=pieces[3], show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer
