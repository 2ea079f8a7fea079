import pytest
import torch
from torch.nn.parameter import UninitializedParameter

from graphlab.models import make_aggregation

X = torch.tensor([[1.0, -2.0], [3.0, 5.0], [4.0, 0.0]])
INDEX = torch.tensor([0, 0, 1])


@pytest.mark.parametrize(("name", "first"), [("sum", [4.0, 3.0]), ("mean", [2.0, 1.5]), ("max", [3.0, 5.0])])
def test_fixed_aggregators_do_what_their_name_says(name, first):
    out = make_aggregation(name, 2)(X, INDEX, dim_size=2)
    torch.testing.assert_close(out, torch.tensor([first, [4.0, 0.0]]))


def test_several_names_are_concatenated_and_projected_back():
    both = make_aggregation("mean,max", 2)
    parts = [make_aggregation(name, 2)(X, INDEX, dim_size=2) for name in ("mean", "max")]
    out = both(X, INDEX, dim_size=2)
    torch.testing.assert_close(out, both.lin(torch.cat(parts, dim=-1)))


LEARNED = ["treelcm", "segmentgru", "segmentlstm", "quasiarithmetic", "genagg", "productmonoid"]


@pytest.mark.parametrize("name", LEARNED)
def test_learned_aggregators_come_with_all_parameters_in_place(name):
    aggregation = make_aggregation(name, 6)
    parameters = list(aggregation.parameters())
    assert parameters
    assert not any(isinstance(one, UninitializedParameter) for one in parameters)
    assert aggregation.training


def test_an_unknown_name_is_answered_with_the_known_ones():
    with pytest.raises(ValueError, match=r"no aggregator is called 'avg'; there are .*mean"):
        make_aggregation("avg", 4)


def test_arguments_are_written_as_in_python():
    assert make_aggregation("treelcm(associativity=0.5, tree='halving')", 4).associativity == 0.5
    several = make_aggregation("sum,softmax(t=0.25)", 4)
    assert [type(one).__name__ for one in several.aggrs] == ["SumAggregation", "SoftmaxAggregation"]
    assert several.aggrs[1].t == 0.25


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ("quantile", r"'quantile' \(missing .*'q'\); arguments are written quantile\(argument=value\)"),
        ("treelcm(foo=1)", "unexpected keyword argument 'foo'"),
        ("treelcm(associativity=-1)", "'associativity' must be a weight >= 0, got -1"),
        ("set2set(in_channels=4, processing_steps=2)", "turns 4 channels into 8"),
        ("lcm(in_channels=4, out_channels=4)", "'index' tensor is not sorted"),
        ("", "is not understood; expected NAME"),
        ("mean max", "is not understood; expected NAME"),
        ("sum(print('no'))", "is not understood; expected NAME"),
        ("softmax(t=print('no'))", "is not understood; expected NAME"),
    ],
)
def test_what_cannot_be_made_says_why(names, message):
    with pytest.raises(ValueError, match=message):
        make_aggregation(names, 4)
