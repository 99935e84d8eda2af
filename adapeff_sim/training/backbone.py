"""A base model in memory: its tokenizer, and as many fresh networks over its weights as there are jobs."""

import copy
import json
import logging
import warnings
from dataclasses import dataclass, replace

import torch
import transformers
from safetensors import SafetensorError
from torch import nn
from transformers import AutoModel, AutoTokenizer, PretrainedConfig, PreTrainedModel, PreTrainedTokenizerFast

from adapeff_sim.base_models.encoders import ENCODERS
from adapeff_sim.base_models.release import Release, require_unchanged
from adapeff_sim.errors import DataError
from adapeff_sim.training.batches import Padding
from adapeff_sim.training.encode import Reader
from adapeff_sim.training.network import Network, Setup


@dataclass(frozen=True, slots=True)
class Backbone:
    """One release, loaded once; its ``encoder`` is never touched, every network gets a copy."""

    release: Release
    encoder: PreTrainedModel
    reader: Reader
    padding: Padding

    def network(self, setup: Setup, seed: int) -> Network:
        """A fresh network on the CPU, base weights loaded, the rest drawn from ``seed`` alike for every strategy."""
        return Network(copy.deepcopy(self.encoder), setup, seed)

    def skeleton(self, setup: Setup, device: str) -> Network:
        """A network of the same shape with eager attention and no weights that mean anything."""
        config = copy.deepcopy(self.encoder.config)
        with torch.device(device):
            encoder = _without_pooler(AutoModel.from_config(config, attn_implementation="eager"))
            return Network(encoder, setup, seed=0)

    def reading(self, max_length: int) -> Reader:
        """The tokenizer, cutting at ``max_length`` pieces or at what the model can take."""
        return replace(self.reader, longest=min(max_length, self.reader.longest))


def load_backbone(release: Release) -> Backbone:
    """Load config, weights (safetensors only, as 32 bits) and tokenizer of a release.

    Raises DataError if the files are not those that the release was identified by, or do not belong together.
    """
    quieten()
    require_unchanged(release)
    encoder, tokenizer = _loaded(release)
    config = encoder.config
    longest = min(_positions(config), tokenizer.model_max_length)
    several = (
        getattr(config, "type_vocab_size", 0) > 1
    )  # a tokenizer may speak of segments that the model does not know
    with_types = several and "token_type_ids" in tokenizer.model_input_names
    padding = Padding(tokenizer.pad_token_id, longest, with_types)
    reader = Reader(tokenizer, longest, _of_words(release, tokenizer))
    return Backbone(release, _without_pooler(encoder), reader, padding)


def _loaded(release: Release) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """Encoder and tokenizer; DataError if they are not whole, or not of one model."""
    where = f"base model {release.spec}"
    here, own = {"trust_remote_code": False, "local_files_only": True}, ENCODERS[release.encoder].load
    try:
        encoder, found = AutoModel.from_pretrained(
            release.folder, dtype=torch.float32, use_safetensors=True, output_loading_info=True, **here, **own
        )
        tokenizer = AutoTokenizer.from_pretrained(release.folder, **here)
    except (OSError, ValueError, KeyError, RuntimeError, ImportError, SafetensorError) as error:
        reason = " ".join(str(error).split())[:300]
        raise DataError(f"{where} cannot be loaded: {reason}; give files that belong to its config.json") from error
    if lacking := sorted(name for name in found["missing_keys"] if not name.startswith("pooler.")):
        raise DataError(
            f"{where}: its weights lack {len(lacking)} tensors of a {release.encoder} (such as {lacking[0]}), which "
            "would be random numbers; give the weights that belong to its config.json"
        )
    if not tokenizer.is_fast or tokenizer.pad_token_id is None:
        raise DataError(f"{where} has no fast tokenizer with a padding piece; give another one")
    if not tokenizer.num_special_tokens_to_add():
        raise DataError(f"{where}: its tokenizer puts no piece in front of a text, where heads read; give another one")
    pieces, known = max(tokenizer.get_vocab().values()) + 1, encoder.get_input_embeddings().num_embeddings
    if pieces > known:
        raise DataError(
            f"{where}: its tokenizer has {pieces} pieces and the model {known}; give one that belongs to it"
        )
    return encoder, tokenizer


def _of_words(release: Release, tokenizer: PreTrainedTokenizerFast) -> PreTrainedTokenizerFast:
    """The tokenizer for rows that come as words: one that counts spaces must find one in front of each word."""
    said = json.loads(tokenizer.backend_tokenizer.to_str())["pre_tokenizer"]
    if '"add_prefix_space": false' not in json.dumps(said):
        return tokenizer
    return AutoTokenizer.from_pretrained(
        release.folder, add_prefix_space=True, trust_remote_code=False, local_files_only=True
    )


def _positions(config: PretrainedConfig) -> int:
    """The longest sequence the model has positions for; some begin counting behind the padding piece."""
    shift = config.pad_token_id + 1 if ENCODERS[config.model_type].counts_behind_padding else 0
    return int(config.max_position_embeddings) - shift


def _without_pooler(encoder: PreTrainedModel) -> PreTrainedModel:
    """The encoder without the pooler, which our heads do not use and many checkpoints do not have."""
    if isinstance(getattr(encoder, "pooler", None), nn.Module):
        encoder.pooler = None
    return encoder.float()


def quieten() -> None:
    """Silence the libraries' remarks about weights that were never asked for."""
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    logging.getLogger("adapters").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"(adapters|transformers)\..*")
