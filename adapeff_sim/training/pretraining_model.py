"""The base model before and while it is trained: where its weights start, what it loses, how well it guesses.

A new model starts knowing three things that gradient steps would take thousands of batches to find: which pieces keep
company (its embeddings), how frequent each piece is (the output bias), and where to look (some heads of the
first layer at the places beside theirs, the others everywhere). Without the last it needs three times the text.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import XLMRobertaConfig, XLMRobertaForMaskedLM

from adapeff_sim.training.cooccurrence import EMBEDDING_SPREAD
from adapeff_sim.training.pretraining_batches import NOTHING, Batch, masked, sequence
from adapeff_sim.training.tokenizer import END, PAD, START

FAST_WAVES_SPREAD, SLOW_WAVES_SPREAD = EMBEDDING_SPREAD, 0.4 * EMBEDDING_SPREAD
NEIGHBOURS = (-1, 1, -2)
"""Where the first heads of the first layer look when training starts; the others look everywhere alike."""


def encoder_shape(vocabulary: int, layers: int, hidden: int, heads: int, longest: int) -> XLMRobertaConfig:
    """An XLM-R encoder; `longest` in pieces, to which XLM-R adds two positions. Its dropout is for fine-tuning."""
    return XLMRobertaConfig(
        vocab_size=vocabulary,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=4 * hidden,
        max_position_embeddings=longest + 2,
        type_vocab_size=1,
        pad_token_id=PAD,
        bos_token_id=START,
        eos_token_id=END,
        layer_norm_eps=1e-5,
        tie_word_embeddings=True,
        architectures=["XLMRobertaForMaskedLM"],
    )


def new_model(shape: XLMRobertaConfig, embeddings: np.ndarray, piece_shares: np.ndarray) -> XLMRobertaForMaskedLM:
    """A model with these starting embeddings (vocabulary, hidden) and the pieces' frequencies in its output bias."""
    model = XLMRobertaForMaskedLM(shape)
    with torch.no_grad():
        inner, head = model.roberta, model.lm_head
        inner.embeddings.word_embeddings.weight.copy_(torch.from_numpy(embeddings))
        inner.embeddings.position_embeddings.weight.copy_(_waves(shape))
        head.decoder.bias.copy_(torch.from_numpy(np.log(piece_shares).astype(np.float32)))
        head.dense.weight.copy_(torch.eye(shape.hidden_size))
        _look_at_neighbours(inner.encoder.layer[0].attention, shape)
    model.tie_weights()
    return model


def _wave_speeds(hidden: int) -> Tensor:
    """Radians a place of each pair of dimensions, slow to fast: the fast ones lie where embeddings say least."""
    return 2.0 * torch.exp(torch.arange(hidden // 2 - 1, -1, -1) * (-np.log(1000.0) / (hidden // 2)))


def _waves(shape: XLMRobertaConfig) -> Tensor:
    """Sine and cosine position embeddings (positions, hidden): near places look alike, and far ones are never noise."""
    hidden, pairs_of_head = shape.hidden_size, shape.hidden_size // shape.num_attention_heads // 2
    angles = torch.arange(shape.max_position_embeddings)[:, None] * _wave_speeds(hidden)
    waves = torch.stack([torch.sin(angles), torch.cos(angles)], dim=-1) * np.sqrt(2.0)
    waves[:, :-pairs_of_head] *= SLOW_WAVES_SPREAD
    waves[:, -pairs_of_head:] *= FAST_WAVES_SPREAD
    return waves.flatten(1)


def _look_at_neighbours(attention: nn.Module, shape: XLMRobertaConfig) -> None:
    """Let some heads find the place next to theirs by its waves, and let all of them pass on what they see there.

    A query turns the fast waves of its place by the angle between the two places; the key there is the same.
    """
    hidden, of_head = shape.hidden_size, shape.hidden_size // shape.num_attention_heads
    look, value, out = attention.self, attention.self.value.weight, attention.output.dense.weight
    speeds = _wave_speeds(hidden)[-(of_head // 2) :]
    for head, step in enumerate(NEIGHBOURS[: shape.num_attention_heads]):
        rows = slice(head * of_head, head * of_head + 2 * len(speeds))
        sine, cosine = torch.sin(step * speeds), torch.cos(step * speeds)
        turns = torch.stack([torch.stack([cosine, sine], -1), torch.stack([-sine, cosine], -1)], 1)
        look.query.weight[rows] = 0.0
        look.key.weight[rows] = 0.0
        look.query.weight[rows, -2 * len(speeds) :] = torch.block_diag(*turns)
        look.key.weight[rows, -2 * len(speeds) :] = torch.eye(2 * len(speeds))
    nn.init.orthogonal_(value)
    out.copy_(value.T)


def losses(model: XLMRobertaForMaskedLM, batch: Batch) -> tuple[Tensor, Tensor]:
    """Mean loss over the hidden pieces, and over the words that <s> must tell (weighted); nats a piece.

    Only the masked places and the <s> of each sequence go through the output layer, which is the dearest of all.
    """
    device = next(model.parameters()).device
    with torch.autocast(device.type, dtype=torch.bfloat16):
        states = model.roberta(_on(device, batch.pieces), attention_mask=_on(device, batch.attended))[0]
        wanted = torch.cat([states.flatten(0, 1)[_on(device, batch.places)], states[:, 0]])
        guesses = model.lm_head(wanted)
    masked_count = len(batch.places)
    hidden_loss = functional.cross_entropy(guesses[:masked_count].float(), _on(device, batch.hidden_pieces))
    if not len(batch.words):
        return hidden_loss, hidden_loss.new_zeros(())
    told = functional.log_softmax(guesses[masked_count:].float(), dim=-1)
    weights = _on(device, batch.word_weights)
    told_loss = -(told[_on(device, batch.told_by), _on(device, batch.words)] * weights).sum() / weights.sum()
    return hidden_loss, told_loss


def _on(device: torch.device, numbers: np.ndarray) -> Tensor:
    return torch.from_numpy(numbers).to(device)


def held_back_losses(
    model: XLMRobertaForMaskedLM,
    lines: Mapping[str, Sequence[np.ndarray]],
    piece_counts: Mapping[str, np.ndarray],
    longest: int,
) -> dict[str, dict[str, float]]:
    """By language, in nats a piece over the same masked places: the model's loss and the unigram cross-entropy.

    The unigram knows each piece's frequency in that language's training text (plus a half each) and nothing else.
    The places depend on the lines alone, so that two models over one vocabulary can be compared.
    """
    found = {}
    for language, held_back in lines.items():
        draw = np.random.default_rng(len(held_back))
        counts = piece_counts[language] + 0.5
        model_sum = unigram_sum = places = 0.0
        for start in range(0, len(held_back), 16):
            some = [sequence(line[: longest - 2]) for line in held_back[start : start + 16]]
            nothing = [NOTHING] * len(some)
            weights = np.zeros(len(counts), np.float32)
            batch = masked(some, nothing, 0.15, draw, weights, always_mask=True)
            with torch.inference_mode():
                model_sum += float(losses(model, batch)[0]) * len(batch.places)
            unigram_sum -= float(np.log(counts / counts.sum())[batch.hidden_pieces].sum())
            places += len(batch.places)
        found[language] = {
            "mlm_loss": model_sum / places,
            "unigram_cross_entropy": unigram_sum / places,
            "perplexity": float(np.exp(model_sum / places)),
            "masked_pieces": int(places),
        }
    return found
