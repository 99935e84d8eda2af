"""Make a small multilingual base model from plain text, on whatever machine there is.

    text --tokenizer--> pieces --co-occurrence--> starting embeddings --masked language modelling--> base model
                                                                              |
                                         checkpoint/ (exact, to go on from) <-+-> model.safetensors (16-bit, to use)

Repeating a run bit for bit takes its vocabulary (left in `out`, `resume`), its number of tokens and of threads.

Three things are asked of the model at once: the hidden pieces (masked language modelling), the hidden pieces with the
same sentence in another language in sight (translation language modelling), and from <s> alone the words of the
sentence or of its translation, so that <s> comes to stand for what a sentence is about.
"""

import platform
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import XLMRobertaForMaskedLM

from adapeff_sim.errors import DataError
from adapeff_sim.training.cooccurrence import cooccurrence_embeddings
from adapeff_sim.training.pretraining_batches import BatchMaker, EncodedText, encoded_text, piece_counts
from adapeff_sim.training.pretraining_model import encoder_shape, held_back_losses, losses, new_model
from adapeff_sim.training.pretraining_settings import PretrainSettings
from adapeff_sim.training.pretraining_state import (
    Position,
    checkpoint_in,
    export,
    load_base_model,
    read_report,
    restore,
    save_checkpoint,
    write_report,
)
from adapeff_sim.training.tokenizer import (
    encode_lines,
    load_tokenizer,
    read_lines,
    read_parallel,
    save_tokenizer,
    text_digests,
    train_tokenizer,
)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is; losses in nats a piece."""

    doing: str
    steps: int = 0
    tokens: int = 0
    seconds: float = 0.0
    share_done: float = 0.0
    tokens_per_second: float | None = None
    remaining_seconds: float | None = None
    loss: float | None = None


Tell = Callable[[Progress], None]


def pretrain(settings: PretrainSettings, tell: Tell, stop_after_steps: int | None = None) -> dict[str, object]:
    """Train a base model, write it to `settings.out`, and return what is written to `pretraining.json` there.

    `stop_after_steps` leaves early with a checkpoint, as a killed run would.
    """
    if not settings.resume and (settings.out / "model.safetensors").exists():
        raise DataError(f"{settings.out} holds a base model already; go on with it (resume) or name another folder")
    if not settings.resume and checkpoint_in(settings.out):  # a new vocabulary beside it would part it from its own
        raise DataError(
            f"{settings.out} holds a run that has not ended; --resume goes on with it, or name another folder"
        )
    torch.set_num_threads(settings.threads)
    torch.manual_seed(settings.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    tokenizer = _tokenizer(settings, tell)
    text = _text(settings, tokenizer, tell)
    model = _starting_model(settings, tokenizer, text, tell).to(device).eval()
    optimizer = _optimizer(model, settings)
    if settings.resume and checkpoint_in(settings.out):
        position = restore(settings.out, model, optimizer)
    else:
        tell(Progress("checking on held-back lines before the first step"))
        position = Position()
        write_report(settings.out, {"held_back_at_start": _check(model, tokenizer, text, settings)})
        save_checkpoint(settings.out, model, optimizer, position)
    at_start = read_report(settings.out).get("held_back_at_start")
    position = _train(model, optimizer, text, position, settings, tell, stop_after_steps)
    tell(Progress("checking on held-back lines", position.steps, position.tokens, position.seconds))
    report = _report(settings, position, device, _check(model, tokenizer, text, settings), at_start)
    write_report(settings.out, report)
    return report


def _tokenizer(settings: PretrainSettings, tell: Tell) -> Tokenizer:
    """One that lies in `out` of a run gone on with, that of the base model gone on from, or a new one saved there."""
    begun = settings.out / "tokenizer.json"
    if settings.resume and begun.is_file():
        start = settings.init_from
        if start is not None and (start / "tokenizer.json").read_bytes() != begun.read_bytes():
            raise DataError(
                f"{settings.out} was not begun from {start}: its vocabulary is another; leave out --init-from"
            )
        tokenizer = load_tokenizer(settings.out)
    elif settings.init_from is not None:
        tokenizer = load_tokenizer(settings.init_from)
    else:
        tell(Progress("learning the vocabulary (some minutes for megabytes of text; it is kept)"))
        tokenizer = train_tokenizer(read_lines(settings.text), settings.vocabulary, settings.seed)
    save_tokenizer(tokenizer, settings.out, settings.longest)
    return tokenizer


def _text(settings: PretrainSettings, tokenizer: Tokenizer, tell: Tell) -> EncodedText:
    """The training text as pieces."""
    tell(Progress("reading the text"))
    lines = {language: encode_lines(tokenizer, found) for language, found in read_lines(settings.text).items()}
    rows = read_parallel(settings.text)
    parallel = [dict(zip(row, encode_lines(tokenizer, list(row.values())), strict=True)) for row in rows]
    return encoded_text(lines, parallel, tokenizer.get_vocab_size())


def _starting_model(
    settings: PretrainSettings, tokenizer: Tokenizer, text: EncodedText, tell: Tell
) -> XLMRobertaForMaskedLM:
    """The base model gone on from, or a new one that starts from co-occurrence."""
    if settings.init_from is not None:
        model = load_base_model(settings.init_from)
        if settings.longest + 2 > model.config.max_position_embeddings:
            raise DataError(f"{settings.init_from} has no positions for sequences of {settings.longest} pieces")
        return model
    vocabulary = tokenizer.get_vocab_size()
    shape = encoder_shape(vocabulary, settings.layers, settings.hidden, settings.heads, settings.longest)
    if settings.resume and checkpoint_in(settings.out):  # whose weights take the place of these
        return new_model(shape, np.zeros((vocabulary, settings.hidden), np.float32), text.piece_shares)
    tell(Progress("counting which pieces keep company"))
    embeddings = cooccurrence_embeddings(
        [line for found in text.lines.values() for line in found],
        [list(row.values()) for row in text.parallel],
        vocabulary,
        settings.hidden,
        settings.seed,
        settings.parallel_weight,
    )
    return new_model(shape, embeddings, text.piece_shares)


def _optimizer(model: XLMRobertaForMaskedLM, settings: PretrainSettings) -> torch.optim.AdamW:
    """AdamW, decaying the matrices of the layers but no embedding, bias or norm."""
    inside: list[torch.Tensor] = []
    others: list[torch.Tensor] = []
    for name, tensor in model.named_parameters():
        (inside if tensor.ndim == 2 and "embeddings" not in name else others).append(tensor)
    groups = [{"params": inside, "weight_decay": 0.01}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=settings.learning_rate, betas=(0.9, 0.98), eps=1e-6, fused=True)


def _train(
    model: XLMRobertaForMaskedLM,
    optimizer: torch.optim.AdamW,
    text: EncodedText,
    position: Position,
    settings: PretrainSettings,
    tell: Tell,
    stop_after_steps: int | None,
) -> Position:
    """Step until the tokens or the minutes are used up, leaving checkpoints and usable weights on the way."""
    batches = BatchMaker(text, settings)
    began, before = time.monotonic(), position
    shown_loss, kept_seconds = 0.0, before.seconds
    while (done := _share_done(position, settings)) < 1.0 and position.steps != stop_after_steps:
        batch = batches.batch(position.steps)
        for group in optimizer.param_groups:
            group["lr"] = _learning_rate(position.steps, done, settings)
        hidden_loss, told_loss = losses(model, batch)
        optimizer.zero_grad(set_to_none=True)
        (hidden_loss + settings.sentence_weight * told_loss).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        seconds = before.seconds + time.monotonic() - began
        position = Position(position.steps + 1, position.tokens + batch.tokens, seconds)
        shown_loss += (hidden_loss.item() - shown_loss) / min(position.steps - before.steps, 50)
        if position.steps % 10 == 0:
            tell(_progress(position, before, shown_loss, settings))
        if position.seconds - kept_seconds >= settings.checkpoint_seconds:
            _keep(model, optimizer, position, settings)
            kept_seconds = position.seconds
    _keep(model, optimizer, position, settings)
    return position


def _keep(
    model: XLMRobertaForMaskedLM, optimizer: torch.optim.AdamW, position: Position, settings: PretrainSettings
) -> None:
    save_checkpoint(settings.out, model, optimizer, position)
    export(settings.out, model)


def _share_done(position: Position, settings: PretrainSettings) -> float:
    """How much of the run is over, 0 to 1, by tokens or by minutes, whichever is further."""
    by_tokens = position.tokens / settings.tokens if settings.tokens else 0.0
    by_minutes = position.seconds / (60 * settings.minutes) if settings.minutes else 0.0
    return min(1.0, max(by_tokens, by_minutes))


def _learning_rate(steps: int, done: float, settings: PretrainSettings) -> float:
    """Up over the warm-up steps, level, and down to a twentieth over the last share of the run."""
    up = min(1.0, (steps + 1) / max(1, settings.warm_up_steps))
    down = min(1.0, (1.0 - done) / settings.decay_share) if settings.decay_share else 1.0
    return settings.learning_rate * up * max(0.05, down)


def _progress(position: Position, before: Position, loss: float, settings: PretrainSettings) -> Progress:
    """Speed since this process began, and the time left at that speed."""
    speed = (position.tokens - before.tokens) / max(position.seconds - before.seconds, 1e-9)
    left = [(settings.tokens - position.tokens) / speed] if settings.tokens else []
    left += [settings.minutes * 60 - position.seconds] if settings.minutes else []
    return Progress(
        "training",
        position.steps,
        position.tokens,
        position.seconds,
        _share_done(position, settings),
        speed,
        max(0.0, min(left)),
        loss,
    )


def _check(
    model: XLMRobertaForMaskedLM, tokenizer: Tokenizer, text: EncodedText, settings: PretrainSettings
) -> dict[str, dict[str, float]]:
    """Losses on held-back lines of every language that has some."""
    held_back = {
        language: encode_lines(tokenizer, found[: settings.dev_lines])
        for language, found in read_lines(settings.text, ".dev.txt").items()
        if language in text.lines
    }
    counts = {language: piece_counts(text.lines[language], tokenizer.get_vocab_size()) for language in held_back}
    return held_back_losses(model, held_back, counts, settings.longest)


def _report(
    settings: PretrainSettings,
    position: Position,
    device: torch.device,
    held_back: dict[str, dict[str, float]],
    at_start: object,
) -> dict[str, object]:
    """What was done, on what, and how well it went; settings without folders, which say nothing elsewhere."""
    return {
        "tokens_seen": position.tokens,
        "steps": position.steps,
        "seconds": round(position.seconds, 1),
        "device": torch.cuda.get_device_name() if device.type == "cuda" else f"cpu ({platform.machine()})",
        "threads": settings.threads,
        "torch": torch.__version__,
        "energy_joules": "unavailable",
        "held_back_at_start": at_start,
        "held_back": held_back,
        "started_from": settings.init_from.name if settings.init_from else "co-occurrence",
        "settings": settings.model_dump(mode="json", exclude={"text", "out", "init_from", "resume"}),
        "text_sha256": text_digests(settings.text),
    }
