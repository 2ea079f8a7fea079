"""Plain formulations of directed networks, as one writes them down from the papers: what ours are measured against."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class PlainADPA(nn.Module):
    """ADPA as its paper writes it: all hops concatenated, scored one by one, and weighed in the width of the features.

    Args:
        num_patterns: The patterns besides the node itself.
        num_hops: The steps of propagation.
        in_channels: Node features.
        hidden_channels: Width of each pattern's hidden features.
        out_channels: Classes.
        dropout: Fraction of hidden units dropped while training.
    """

    def __init__(
        self,
        num_patterns: int,
        num_hops: int,
        in_channels: int,
        hidden_channels: int,
        out_channels: int,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        self.num_hops, self.dropout = num_hops, dropout
        self.score = nn.ModuleList(nn.Linear((num_hops + 2) * in_channels, 1) for _ in range(num_patterns))
        self.hidden = nn.ModuleList(nn.Linear(in_channels, hidden_channels) for _ in range(1 + num_patterns))
        self.scale = nn.Parameter(torch.randn(1 + num_patterns))
        self.head = nn.Linear((1 + num_patterns) * hidden_channels, out_channels)

    def forward(self, patterns: list[list[Tensor]]) -> Tensor:
        """Compute the logits of all nodes.

        Args:
            patterns: Hops 0 to K of each pattern, ``(num_nodes, in_channels)`` each.
        """
        pooled = [patterns[0][0]]
        for score, hops in zip(self.score, patterns, strict=True):
            reference = torch.cat(hops, 1)
            rows = torch.vstack([torch.cat([reference, hop], 1) for hop in hops])
            alpha = torch.softmax(torch.sigmoid(score(rows)).view(self.num_hops + 1, -1), 0)
            pooled.append(sum(alpha[k, :, None] * hop for k, hop in enumerate(hops)))  # pyright: ignore
        hidden = [
            beta * F.dropout(F.relu(layer(row)), self.dropout, self.training)
            for beta, layer, row in zip(self.scale, self.hidden, pooled, strict=True)
        ]
        return self.head(torch.cat(hidden, 1))

    @torch.no_grad()
    def copy(self, fused: nn.Module) -> "PlainADPA":
        """Take the parameters of :class:`graphlab.directed.ADPA` with its default attentions.

        Args:
            fused: Where from.
        """
        for p, score in enumerate(self.score):
            own, *references = fused.hop_attention.weight[p]  # pyright: ignore
            score.weight.copy_(torch.cat([*references, own])[None])  # pyright: ignore
            score.bias.copy_(fused.hop_attention.bias[p])  # pyright: ignore
        for p, layer in enumerate(self.hidden):
            layer.weight.copy_(fused.weight[:, p].t())  # pyright: ignore
            layer.bias.copy_(fused.bias[p])  # pyright: ignore
        self.scale.copy_(fused.pattern_attention.scale)  # pyright: ignore
        self.head.load_state_dict(fused.head.state_dict())  # pyright: ignore
        return self
