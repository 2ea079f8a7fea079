import pytest
import torch

from graphlab.testing import OP_LAWS, check_op

from .specimens import WrongFirst, WrongSecond, told


def fold_ref(x, index, size):
    """Sum of squares of each group, and the number of its elements."""
    rows = [x[index == group].square().sum(0) for group in range(size)]
    empty = x.new_zeros(0, x.size(1)), index.new_zeros(0)
    return (torch.stack(rows), index.bincount(minlength=size)) if size else empty


def fold(x, index, size):
    out = x.new_zeros(size, x.size(1)).index_add(0, index, x.square())
    return out, index.new_zeros(size).index_add(0, index, torch.ones_like(index))


def samples():
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(40, 3, dtype=torch.float64, generator=generator)
    return [(x, torch.arange(40) % 6, 8), (x[:5], torch.arange(5), 5), (x[:0], torch.arange(0), 2)]


def wrong_result(x, index, size):
    out, count = fold(x, index, size)
    return out * (1 + 1e-3), count


def wrong_in_low_precision(x, index, size):
    out, count = fold(x, index, size)
    return (out * 1.1 if x.dtype == torch.bfloat16 else out), count


def upcasts(x, index, size):
    out, count = fold(x, index, size)
    return (out.float() if x.dtype == torch.bfloat16 else out), count


def noisy(x, index, size):
    out, count = fold(x, index, size)
    return out * (1 + 4e-16 * torch.rand(1, dtype=torch.float64).to(x.dtype)), count


def wrong_second(x, index, size):
    out = x.new_zeros(size, x.size(1)).index_add(0, index, WrongSecond.apply(x))
    return out, fold(x, index, size)[1]


def breaks(x, index, size):
    return fold(x, index, size) if x.sum().item() < 1e30 else fold_ref(x, index, size)


def differs_compiled(x, index, size):
    out, count = fold(x, index, size)
    return (out * 1.001 if torch.compiler.is_compiling() else out), count


def broken(op, **kwargs):
    try:
        check_op(op, fold_ref, samples(), **kwargs)
    except AssertionError as error:
        return told(error)
    return set()


BROKEN = [
    ("dtypes", wrong_in_low_precision),
    ("dtypes", upcasts),
    ("determinism", noisy),
    ("gradients", wrong_second),
    ("compile", breaks),
    ("compile", differs_compiled),
]


def test_healthy_op_passes_every_law():
    check_op(fold, fold_ref, samples())


@pytest.mark.parametrize(("law", "op"), BROKEN, ids=[op.__name__ for _, op in BROKEN])
def test_only_this_law_is_broken(law, op):
    assert broken(op) == {law}


def test_changed_input_breaks_inputs():
    def sorts_in_place(x, index, size):
        out, count = fold(x, index, size)
        index.copy_(index.sort().values)
        return out, count

    with pytest.raises(AssertionError, match=r"breaks the law 'inputs'\. Input: .*40.* Saw: inputs were changed"):
        check_op(sorts_in_place, fold_ref, samples(), exclude=set(OP_LAWS) - {"inputs"})


def test_wrong_result_breaks_reference():
    # What differs from the reference in every precision is also worse than it in low precision.
    assert broken(wrong_result) == {"reference", "dtypes"}
    assert broken(wrong_result, dtypes=()) == {"reference"}


def test_wrong_gradient_differs_from_the_reference():
    def wrong_first(x, index, size):
        return fold(WrongFirst.apply(x), index, size)

    assert broken(wrong_first) == {"reference", "gradients"}


def test_schema_is_checked_by_opcheck():
    @torch.library.custom_op("graphlab_test::square", mutates_args=())
    def square(x: torch.Tensor) -> torch.Tensor:
        return x * x

    inputs = [(torch.ones(3, 2, dtype=torch.float64),)]
    without_fake = {law for law in OP_LAWS if law != "schema"}
    with pytest.raises(AssertionError, match=r"square breaks the law 'schema'.*opcheck"):
        check_op(_named(square, "square"), torch.square, inputs, schema=square, exclude=without_fake)
    square.register_fake(lambda x: torch.empty_like(x))
    square.register_autograd(
        lambda ctx, grad: grad * 2 * ctx.saved_tensors[0],
        setup_context=lambda ctx, inputs, output: ctx.save_for_backward(inputs[0]),
    )
    check_op(_named(square, "square"), torch.square, inputs, schema=square)


def _named(op, name):
    def call(x):
        return op(x)

    call.__name__ = name
    return call


def test_every_law_can_fail():
    seen = {law for law, _ in BROKEN} | {"reference", "inputs", "schema"}
    assert seen == set(OP_LAWS)


def test_message_names_op_and_input():
    message = (
        r"wrong_result breaks the law 'reference'\. Input: \(\[40, 3\] torch\.float64, \[40\] torch\.int64, 8\); "
        r"result or gradient 0\. Saw: error 0\.001\. Expected: error <= bound 1e-12"
    )
    with pytest.raises(AssertionError, match=message):
        check_op(wrong_result, fold_ref, samples())
