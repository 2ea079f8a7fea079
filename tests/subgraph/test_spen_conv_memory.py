import torch

from graphlab.subgraph import Bags, PairPlan, SPENConv
from tests.ops.memory import taken


def test_a_step_takes_a_few_times_the_features_of_pairs():
    torch.manual_seed(0)
    half = torch.randint(400, (2, 800))
    plan = PairPlan(Bags.from_edge_index(torch.cat([half, half.flip(0)], dim=1), 400), (1,))
    conv, x = SPENConv(32, 0, 32), torch.randn(plan.num_pairs, 32, requires_grad=True)
    given = [torch.ones(plan.num_pairs, 32), torch.ones(400, 32)]
    torch.autograd.backward(conv(x, None, plan), given)  # makes what the plan keeps
    x.grad = None
    _, _, peak = taken(lambda: torch.autograd.backward(conv(x, None, plan), given))
    # The result, the gradient, two on their way, and what stands at places.
    assert peak <= 6.8 * x.numel() * 4
