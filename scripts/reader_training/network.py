"""The reader's network in torch: the encoder with a head.

The head gives each token a logit as the answer's start, and one as its end.
"""

import math
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from reader_training.encoder import Encoder

__all__ = ["FROZEN", "Network"]

WIDTH, HEADS, WIDE, LAYERS, POSITIONS = 384, 12, 1536, 12, 512
FROZEN = 3
"""Lowest layers that are not trained, as the embeddings are not."""
_DROPOUT = 0.1
_MASK = 1 << 24
"""Elements of the long mask of dropout."""
_EPSILON = 1e-12


class Dropout(nn.Module):  # type: ignore[misc]
    """Dropout that takes its mask from a drawn place of one long mask: torch draws each anew, a sixth of a step's time."""

    def __init__(self) -> None:
        super().__init__()
        kept = (torch.rand(_MASK) >= _DROPOUT).to(torch.bfloat16) / (1 - _DROPOUT)
        self.register_buffer("mask", kept, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return a tensor some of whose elements are 0 while the network learns."""
        if not self.training:
            return x
        start = int(torch.randint(_MASK - x.numel(), ()))
        return x * self.mask[start : start + x.numel()].view_as(x).to(x.dtype)


class Layer(nn.Module):  # type: ignore[misc]
    """A transformer layer with normalisation behind each sum, as BERT's."""

    def __init__(self, dropout: Dropout) -> None:
        super().__init__()
        self.dropout = dropout
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH)
        self.ao = nn.Linear(WIDTH, WIDTH)
        self.aln = nn.LayerNorm(WIDTH, _EPSILON)
        self.fi = nn.Linear(WIDTH, WIDE)
        self.fo = nn.Linear(WIDE, WIDTH)
        self.oln = nn.LayerNorm(WIDTH, _EPSILON)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Return (windows, tokens, width); `mask` (windows, 1, 1, tokens) is added to the attention's logits.

        The attention is written out: torch's own is half as fast backwards on a CPU with heads this small.
        """
        windows, length, _ = x.shape
        size = WIDTH // HEADS
        parts = self.qkv(x).view(windows, length, 3, HEADS, size).permute(2, 0, 3, 1, 4)
        query, key, value = (part.reshape(windows * HEADS, length, size) for part in parts)
        logits = torch.bmm(query * (1 / math.sqrt(size)), key.transpose(1, 2)).view(windows, HEADS, length, length)
        logits = logits + mask.to(logits.dtype)
        shares = torch.softmax(logits, -1, dtype=logits.dtype).view(windows * HEADS, length, length)
        mixed = torch.bmm(shares, value).view(windows, HEADS, length, size).transpose(1, 2).reshape(windows, length, WIDTH)
        x = self.aln(x + self.dropout(self.ao(mixed)))
        wide = functional.gelu(self.fi(x))
        return cast(Tensor, self.oln(x + self.dropout(self.fo(wide))))


class Network(nn.Module):  # type: ignore[misc]
    """The whole reader; `pieces` is the size of its vocabulary."""

    def __init__(self, pieces: int) -> None:
        super().__init__()
        self.dropout = Dropout()
        self.word = nn.Embedding(pieces, WIDTH)
        self.pos = nn.Embedding(POSITIONS, WIDTH)
        self.typ = nn.Parameter(torch.zeros(2, WIDTH))
        self.eln = nn.LayerNorm(WIDTH, _EPSILON)
        self.layers = nn.ModuleList(Layer(self.dropout) for _ in range(LAYERS))
        self.head = nn.Linear(WIDTH, 2)
        nn.init.normal_(self.head.weight, std=0.02)
        nn.init.zeros_(self.head.bias)

    def forward(self, ids: Tensor, types: Tensor, mask: Tensor) -> Tensor:
        """Return the logits (windows, tokens, 2); `mask` (windows, tokens) is 0 where a window has no token."""
        x = self.word(ids) + self.pos(torch.arange(ids.shape[1]))[None] + self.typ[types]
        x = self.dropout(self.eln(x))
        added = (1.0 - mask[:, None, None, :]) * -1e4
        for layer in self.layers:
            x = layer(x, added)
        return cast(Tensor, self.head(x))

    def load_encoder(self, encoder: Encoder, kept: Sequence[int]) -> None:
        """Take the encoder's weights, and those of the kept pieces; the second type begins as the first."""

        def tensor(name: str) -> Tensor:
            return torch.tensor(encoder.tensors[name])

        with torch.no_grad():
            self.word.weight.copy_(tensor("emb.word")[torch.tensor(kept)])
            self.pos.weight.copy_(tensor("emb.pos")[:POSITIONS])
            self.typ.copy_(tensor("emb.type")[:1].expand(2, -1))
            self.eln.weight.copy_(tensor("emb.ln.w"))
            self.eln.bias.copy_(tensor("emb.ln.b"))
            for number, layer in enumerate(self.layers):
                of = f"l{number}."
                layer.qkv.weight.copy_(torch.cat([tensor(f"{of}{part}.w") for part in "qkv"]))
                layer.qkv.bias.copy_(torch.cat([tensor(f"{of}{part}.b") for part in "qkv"]))
                for name in ("ao", "fi", "fo", "aln", "oln"):
                    part = getattr(layer, name)
                    part.weight.copy_(tensor(f"{of}{name}.w"))
                    part.bias.copy_(tensor(f"{of}{name}.b"))

    def freeze(self) -> list[nn.Parameter]:
        """Freeze the embeddings and lowest layers; return the others, without the head's."""
        self.typ.requires_grad_(False)
        for part in (self.word, self.pos, self.eln, *self.layers[:FROZEN]):
            for parameter in part.parameters():
                parameter.requires_grad_(False)
        return [own for name, own in self.named_parameters() if own.requires_grad and not name.startswith("head")]
