import pytest

from graphlab.models import Problem, build
from graphlab.train.config import ConfigError
from graphlab.train.evaluation import DIRECTED, GRAPHS, Recipe, suite
from tests.train.evaluation.recipes import with_splits, write

RECIPES = DIRECTED.recipes([], [], [])
OF_GRAPHS = GRAPHS.recipes([], [], [])


@pytest.mark.parametrize("recipe", [*RECIPES, *OF_GRAPHS], ids=lambda recipe: recipe.name)
def test_every_recipe_s_network_can_be_built(recipe: Recipe):
    card, config = recipe.card, recipe.config
    assert card.num_features and card.num_classes and card.num_nodes
    problem = Problem(card.task, card.num_features, card.num_classes, num_nodes=card.num_nodes)
    assert next(build(config.model, problem).parameters()).requires_grad
    assert recipe.splits == range(10)
    assert config.threads == 1 and config.split == 0 and config.seed == 0


def test_every_recipe_is_called_after_its_data():
    for recipe in [*RECIPES, *OF_GRAPHS]:
        assert recipe.name == f"{recipe.card.name.replace('-', '_')}_{recipe.label}"


def test_every_data_set_has_a_perceptron_and_a_classic_network_beside():
    for data in {recipe.card.name for recipe in RECIPES}:
        labels = {recipe.label for recipe in RECIPES if recipe.card.name == data}
        assert labels & {"mlp", "resnet"} and labels & {"gcn", "tuned_gcn"} and "sage" in labels


def test_recipes_are_kept_by_data_and_by_label_or_network(tmp_path):
    folder = write(tmp_path, karate_sage="", karate_mlp="", karate_gat_sep='data = "karate"\nmodel.name = "gin"\n')

    def names(data: list[str], models: list[str]) -> list[str]:
        return [one.name for one in DIRECTED.recipes([folder], data, models)]

    assert names([], ["GAT_sep"]) == names(["karate"], ["gin"]) == ["karate_gat_sep"]
    assert names([], ["sage", "mlp"]) == ["karate_mlp", "karate_sage"]


def test_a_choice_that_leaves_nothing_is_refused(tmp_path):
    folder = write(tmp_path, karate_sage="", digits_mlp='data = "digits"\nmodel.name = "mlp"\n')
    with pytest.raises(ConfigError, match="--model: no recipe for mlp on karate"):
        DIRECTED.recipes([folder], ["karate"], ["mlp"])


def test_without_the_source_the_folder_must_be_named(tmp_path, monkeypatch):
    monkeypatch.setattr(suite, "CONFIGS", tmp_path / "gone")
    with pytest.raises(ConfigError, match="--configs: the recipes lie beside the source"):
        DIRECTED.recipes([], [], [])


def test_splits_that_a_data_set_lacks_are_refused(tmp_path, monkeypatch):
    with_splits(monkeypatch, 4)
    found = DIRECTED.recipes([write(tmp_path, karate_sage="")], [], [])
    assert [cell.split for cell in DIRECTED.cells(found, None)] == [0, 1, 2, 3]
    assert [cell.split for cell in DIRECTED.cells(found, [3, 1])] == [3, 1]
    with pytest.raises(ConfigError, match="--splits: karate has splits 0 to 3, got 4; choose others with --data"):
        DIRECTED.cells(found, [1, 4])


def test_every_set_of_graphs_has_a_classic_network_beside():
    for data in {recipe.card.name for recipe in OF_GRAPHS}:
        assert "gin" in {recipe.label for recipe in OF_GRAPHS if recipe.card.name == data}


def test_graphs_are_trained_by_both_protocols(tmp_path):
    found = GRAPHS.recipes([write(tmp_path, mutag_gin='data = "mutag"\nmodel.name = "gin"\n')], [], [])
    keys = [cell.key for cell in GRAPHS.cells(found, [1, 4], repeats=2)]
    assert keys == ["gin-1", "gin-4", "nested-1-0", "nested-4-0", "nested-1-1", "nested-4-1"]
    assert [cell.key for cell in GRAPHS.cells(found, [0], ["nested"])] == ["nested-0-0"]
    assert len(GRAPHS.cells(found, repeats=3)) == 40


@pytest.mark.parametrize(("line", "wanted"), [("patience = 3", 0), ("eval_every = 2", 1)])
def test_epochs_are_fixed_where_one_is_chosen_over_all_folds(tmp_path, line, wanted):
    folder = write(tmp_path, mutag_gin=f'{line}\ndata = "mutag"\nmodel.name = "gin"\n')
    with pytest.raises(
        ConfigError, match=f"mutag_gin: {line.split()[0]}: expected {wanted}, since one epoch is chosen"
    ):
        GRAPHS.recipes([folder], [], [])
