"""Whisper models of real sizes with made weights, the same ones for both engines.

Every layer is random and costs what it costs with learned weights. Only the decoder's positions are made so that each
calls for one word of a fixed list, and now and then for the end: a window's answer is as long as that of a person who
talks, and so sure that nothing is decoded again. Random weights alone never end, and are tried at every temperature.
"""

import json
import random
import re
import shutil
from pathlib import Path
from typing import Any

import ctranslate2
import numpy as np
import torch
import whisper
from ctranslate2.specs import whisper_spec

WINDOW_TOKENS = 75  # of half a minute in which about 150 words a minute are said
SURE = 300.0  # length of a position's vector, beside some 30 of all that the layers add
SIZES = {"tiny": (384, 6, 4), "base": (512, 8, 6), "small": (768, 12, 12)}  # width, heads, layers of both stacks


def make_model(size: str, folder: Path, *, vocabulary_of: Path) -> tuple[Path, Path]:
    """Write a model with made weights as an openai-whisper checkpoint and as a CTranslate2 folder.

    Args:
        vocabulary_of: a faster-whisper folder whose vocabulary, tokenizer and settings are copied.
    """
    width, heads, layers = SIZES[size]
    dims = whisper.ModelDimensions(80, 1500, width, heads, layers, 51865, 448, width, heads, layers)
    torch.manual_seed(1)
    weights = whisper.model.Whisper(dims).state_dict()
    _make_talkative(weights)
    checkpoint = folder / f"made-{size}.pt"
    torch.save({"dims": vars(dims), "model_state_dict": weights}, checkpoint)
    converted = folder / f"made-{size}-ctranslate2"
    converted.mkdir()
    _convert({name: value.numpy() for name, value in weights.items()}, layers, heads, converted)
    for path in vocabulary_of.iterdir():
        if path.suffix == ".json" and path.name != "config.json":
            shutil.copy(path, converted)
    settings = json.loads((vocabulary_of / "config.json").read_text())
    settings["alignment_heads"] = [[layer, head] for layer in range(layers // 2, layers) for head in range(heads)]
    (converted / "config.json").write_text(json.dumps(settings))
    return checkpoint, converted


def _make_talkative(weights: dict[str, Any]) -> None:
    """Let each position of the decoder call for its own token, whatever was heard and said before."""
    tokenizer = whisper.tokenizer.get_tokenizer(multilingual=True)
    words = [token for token in range(tokenizer.eot) if re.fullmatch(" [a-z]{3,9}", tokenizer.decode([token]))]
    said = random.Random(1).sample(words, 448)
    for position in range(WINDOW_TOKENS, 448, WINDOW_TOKENS):
        said[position - 2] = tokenizer.timestamp_begin + 1450  # 29 s: the whole window was heard
        said[position - 1] = tokenizer.eot
    embedding = weights["decoder.token_embedding.weight"] = weights["decoder.token_embedding.weight"] * 0.05
    called = embedding[torch.tensor(said)]
    weights["decoder.positional_embedding"] = SURE * called / called.norm(dim=1, keepdim=True)


def _convert(weights: dict[str, Any], layers: int, heads: int, folder: Path) -> None:
    spec = whisper_spec.WhisperSpec(layers, heads, layers, heads)
    for name in ("conv1", "conv2"):
        _linear(getattr(spec.encoder, name), weights, f"encoder.{name}")
    spec.encoder.position_encodings.encodings = weights["encoder.positional_embedding"]
    _norm(spec.encoder.layer_norm, weights, "encoder.ln_post")
    spec.decoder.embeddings.weight = weights["decoder.token_embedding.weight"]
    spec.decoder.projection.weight = spec.decoder.embeddings.weight
    spec.decoder.position_encodings.encodings = weights["decoder.positional_embedding"]
    spec.decoder.scale_embeddings = False
    _norm(spec.decoder.layer_norm, weights, "decoder.ln")
    for stack in ("encoder", "decoder"):
        for number, layer in enumerate(getattr(spec, stack).layer):
            name = f"{stack}.blocks.{number}"
            attention = layer.self_attention
            _fused(attention.linear[0], weights, [f"{name}.attn.{part}" for part in ("query", "key", "value")])
            _linear(attention.linear[1], weights, f"{name}.attn.out")
            _norm(attention.layer_norm, weights, f"{name}.attn_ln")
            if stack == "decoder":
                _linear(layer.attention.linear[0], weights, f"{name}.cross_attn.query")
                _fused(layer.attention.linear[1], weights, [f"{name}.cross_attn.{part}" for part in ("key", "value")])
                _linear(layer.attention.linear[2], weights, f"{name}.cross_attn.out")
                _norm(layer.attention.layer_norm, weights, f"{name}.cross_attn_ln")
            _linear(layer.ffn.linear_0, weights, f"{name}.mlp.0")
            _linear(layer.ffn.linear_1, weights, f"{name}.mlp.2")
            _norm(layer.ffn.layer_norm, weights, f"{name}.mlp_ln")
    spec.register_vocabulary([str(number) for number in range(51865)])
    spec.validate()
    spec.optimize(quantization="int8")
    spec.save(str(folder))
    (folder / "vocabulary.json").unlink(missing_ok=True)  # the real one is copied
    assert ctranslate2.contains_model(str(folder))


def _bias(weights: dict[str, Any], name: str) -> Any:
    """Whisper's keys have no bias."""
    found = weights.get(f"{name}.bias")
    return np.zeros(weights[f"{name}.weight"].shape[0], np.float32) if found is None else found


def _linear(spec: Any, weights: dict[str, Any], name: str) -> None:
    spec.weight, spec.bias = weights[f"{name}.weight"], _bias(weights, name)


def _fused(spec: Any, weights: dict[str, Any], names: list[str]) -> None:
    spec.weight = np.concatenate([weights[f"{name}.weight"] for name in names])
    spec.bias = np.concatenate([_bias(weights, name) for name in names])


def _norm(spec: Any, weights: dict[str, Any], name: str) -> None:
    spec.gamma, spec.beta = weights[f"{name}.weight"], weights[f"{name}.bias"]
