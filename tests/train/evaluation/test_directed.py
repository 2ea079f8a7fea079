from pathlib import Path

import pytest

from graphlab.models import Problem, build
from graphlab.train.config import ConfigError
from graphlab.train.evaluation import Recipe, directed
from tests.train.evaluation.recipes import with_splits, write

RECIPES = directed.recipes([], [], [])


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
def test_every_recipe_s_network_can_be_built(recipe: Recipe):
    card, config = recipe.card, recipe.config
    assert card.num_features and card.num_classes and card.num_nodes
    problem = Problem(card.task, card.num_features, card.num_classes, num_nodes=card.num_nodes)
    assert next(build(config.model, problem).parameters()).requires_grad
    assert recipe.splits == range(10)
    assert config.threads == 1 and config.split == 0 and config.seed == 0


def test_every_recipe_is_called_after_its_data():
    for recipe in RECIPES:
        assert recipe.name == f"{recipe.card.name.replace('-', '_')}_{recipe.label}"


def test_every_data_set_has_a_perceptron_and_a_classic_network_beside():
    for data in {recipe.card.name for recipe in RECIPES}:
        labels = {recipe.label for recipe in RECIPES if recipe.card.name == data}
        assert labels & {"mlp", "resnet"} and labels & {"gcn", "tuned_gcn"} and "sage" in labels


def test_recipes_are_kept_by_data_and_by_label_or_network(tmp_path):
    folder = write(tmp_path, karate_sage="", karate_mlp="", karate_gat_sep='data = "karate"\nmodel.name = "gin"\n')

    def names(data: list[str], models: list[str]) -> list[str]:
        return [one.name for one in directed.recipes([folder], data, models)]

    assert names([], ["GAT_sep"]) == names(["karate"], ["gin"]) == ["karate_gat_sep"]
    assert names([], ["sage", "mlp"]) == ["karate_mlp", "karate_sage"]


def test_a_choice_that_leaves_nothing_is_refused(tmp_path):
    folder = write(tmp_path, karate_sage="", digits_mlp='data = "digits"\nmodel.name = "mlp"\n')
    with pytest.raises(ConfigError, match="--model: no recipe for mlp on karate"):
        directed.recipes([folder], ["karate"], ["mlp"])


def test_without_the_source_the_folder_must_be_named(tmp_path, monkeypatch):
    monkeypatch.setattr(directed, "_CONFIGS", Path(tmp_path / "gone"))
    with pytest.raises(ConfigError, match="--configs: the recipes lie beside the source"):
        directed.recipes([], [], [])


def test_splits_that_a_data_set_lacks_are_refused(tmp_path, monkeypatch):
    with_splits(monkeypatch, 4)
    found = directed.recipes([write(tmp_path, karate_sage="")], [], [])
    assert [cell.split for cell in directed.cells(found, None)] == [0, 1, 2, 3]
    assert [cell.split for cell in directed.cells(found, [3, 1])] == [3, 1]
    with pytest.raises(ConfigError, match="--splits: karate has splits 0 to 3, got 4; choose others with --data"):
        directed.cells(found, [1, 4])
