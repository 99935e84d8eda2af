"""A base model of a few kilobytes, made without torch: random weights from a seed, words as pieces."""

import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers

SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
SETTINGS = {
    "architectures": ["XLMRobertaForMaskedLM"],
    "model_type": "xlm-roberta",
    "bos_token_id": 0,
    "pad_token_id": 1,
    "eos_token_id": 2,
    "hidden_act": "gelu",
    "attention_probs_dropout_prob": 0.1,
    "hidden_dropout_prob": 0.1,
    "layer_norm_eps": 1e-05,
    "max_position_embeddings": 66,
    "num_attention_heads": 2,
    "type_vocab_size": 1,
    "position_embedding_type": "absolute",
}


def write_tiny_model(folder: Path, texts: Iterable[str], seed: int = 1, hidden: int = 32, layers: int = 1) -> Path:
    """An XLM-R encoder in ``folder`` whose pieces are the words of ``texts``; another seed, other weights alone."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer(models.WordLevel(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.train_from_iterator(sorted(texts), trainers.WordLevelTrainer(special_tokens=SPECIAL, show_progress=False))
    ends = {"single": "<s> $A </s>", "pair": "<s> $A </s> </s> $B </s>"}
    tokenizer.post_processor = processors.TemplateProcessing(**ends, special_tokens=[("<s>", 0), ("</s>", 2)])
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {"bos": "<s>", "eos": "</s>", "cls": "<s>", "sep": "</s>", "pad": "<pad>", "unk": "<unk>", "mask": "<mask>"}
    tokens = {f"{name}_token": piece for name, piece in names.items()}
    said = {**tokens, "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 64}
    (folder / "tokenizer_config.json").write_text(json.dumps(said))
    size = {"vocab_size": tokenizer.get_vocab_size(), "hidden_size": hidden, "num_hidden_layers": layers}
    settings = {**SETTINGS, **size, "intermediate_size": 2 * hidden}
    (folder / "config.json").write_text(json.dumps(settings))
    save_file(_weights(np.random.default_rng(seed), settings), folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def _weights(draw: np.random.Generator, size: dict[str, object]) -> dict[str, np.ndarray]:
    vocabulary, hidden, inner = (int(str(size[n])) for n in ("vocab_size", "hidden_size", "intermediate_size"))
    found: dict[str, np.ndarray] = {}

    def matrix(name: str, *shape: int) -> None:
        found[f"roberta.{name}"] = draw.normal(0, 0.05, shape).astype(np.float32)

    def linear(name: str, rows: int, columns: int) -> None:
        matrix(f"{name}.weight", rows, columns)
        found[f"roberta.{name}.bias"] = np.zeros(rows, np.float32)

    def norm(name: str) -> None:
        found[f"roberta.{name}.weight"] = np.ones(hidden, np.float32)
        found[f"roberta.{name}.bias"] = np.zeros(hidden, np.float32)

    matrix("embeddings.word_embeddings.weight", vocabulary, hidden)
    matrix("embeddings.position_embeddings.weight", int(str(size["max_position_embeddings"])), hidden)
    matrix("embeddings.token_type_embeddings.weight", 1, hidden)
    norm("embeddings.LayerNorm")
    for i in range(int(str(size["num_hidden_layers"]))):
        for part in ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"):
            linear(f"encoder.layer.{i}.{part}", hidden, hidden)
        norm(f"encoder.layer.{i}.attention.output.LayerNorm")
        linear(f"encoder.layer.{i}.intermediate.dense", inner, hidden)
        linear(f"encoder.layer.{i}.output.dense", hidden, inner)
        norm(f"encoder.layer.{i}.output.LayerNorm")
    return found
