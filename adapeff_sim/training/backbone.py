"""A base model in memory: its tokenizer, and as many fresh networks over its weights as there are jobs."""

import copy
import logging
import warnings
from dataclasses import dataclass

import torch
import transformers
from torch import nn
from transformers import AutoConfig, AutoModel, AutoTokenizer, PreTrainedModel

from adapeff_sim.base_models.release import Release
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
        return Reader(self.reader.tokenizer, min(max_length, self.reader.longest))


def load_backbone(release: Release) -> Backbone:
    """Load config, weights (safetensors only, as 32 bits) and tokenizer of a release; DataError if that fails."""
    _quieten()
    try:
        encoder = AutoModel.from_pretrained(
            release.folder, dtype=torch.float32, use_safetensors=True, trust_remote_code=False, local_files_only=True
        )
        tokenizer = AutoTokenizer.from_pretrained(release.folder, trust_remote_code=False, local_files_only=True)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise DataError(f"base model {release.spec} cannot be loaded: {error}") from error
    if not tokenizer.is_fast or tokenizer.pad_token_id is None:
        raise DataError(f"base model {release.spec} has no fast tokenizer with a padding piece; give another one")
    config = AutoConfig.from_pretrained(release.folder, trust_remote_code=False)
    longest = min(_positions(config), tokenizer.model_max_length)
    several = (
        getattr(config, "type_vocab_size", 0) > 1
    )  # a tokenizer may speak of segments that the model does not know
    with_types = several and "token_type_ids" in tokenizer.model_input_names
    padding = Padding(tokenizer.pad_token_id, longest, with_types)
    return Backbone(release, _without_pooler(encoder), Reader(tokenizer, longest), padding)


def _positions(config: transformers.PretrainedConfig) -> int:
    """The longest sequence the model has positions for; those after XLM-R begin counting behind the padding piece."""
    shift = config.pad_token_id + 1 if "roberta" in config.model_type else 0
    return int(config.max_position_embeddings) - shift


def _without_pooler(encoder: PreTrainedModel) -> PreTrainedModel:
    """The encoder without the pooler, which our heads do not use and many checkpoints do not have."""
    if isinstance(getattr(encoder, "pooler", None), nn.Module):
        encoder.pooler = None
    return encoder.float()


def _quieten() -> None:
    """Silence the libraries' remarks about weights that were never asked for."""
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    logging.getLogger("adapters").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"(adapters|transformers)\..*")
