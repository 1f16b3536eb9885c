import pytest

from madeby.errors import RecipeError
from madeby.networks.registry import build_network
from madeby.training.recipe_files import load_recipe, recipe_names, save_recipe


@pytest.mark.parametrize("name", recipe_names())
def test_every_shipped_recipe_is_valid_and_comes_back_from_yaml(name, tmp_path):
    recipe = load_recipe(name)
    save_recipe(recipe, tmp_path / "recipe.yaml")
    assert load_recipe(tmp_path / "recipe.yaml") == recipe


def test_the_notebooks_recipe_is_the_notebooks():
    recipe = load_recipe("cifake-notebook")
    assert (recipe.network, recipe.size, recipe.batch_size, recipe.epochs) == ("cifake_cnn", 32, 64, 25)
    assert (recipe.optimizer, recipe.learning_rate, recipe.patience) == ("adam", 1e-4, 5)
    assert recipe.augment == ("flip", "rotate=10")


@pytest.mark.parametrize(("name", "most"), [("cifake", 3_000_000), ("cifake-small", 300_000)])
def test_the_recipes_for_cifake_keep_to_their_size(name, most):
    recipe = load_recipe(name)
    network = build_network(recipe.network, recipe.network_options, recipe.size)
    assert sum(weights.numel() for weights in network.parameters()) <= most


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("0.003", "learning_rate", 0.003),
        ("1e-4", "learning_rate", 1e-4),
        ("flip,jpeg=50..95@0.5", "augment", ("flip", "jpeg=50..95@0.5")),
        ("none", "augment", ()),
        ("0.1,0.2,0.3", "mean", (0.1, 0.2, 0.3)),
        ("{width: 8}", "network_options", {"width": 8}),
        ("7", "seed", 7),
        ("cpu", "device", "cpu"),
    ],
)
def test_flags_are_text_and_become_values(text, field, value):
    assert getattr(load_recipe("small", {field: text}), field) == value


def test_another_network_leaves_the_old_ones_options_behind():
    recipe = load_recipe("small", {"network": "human_vs_ai_cnn"})
    assert (recipe.network_options, recipe.size) == ({}, 255)
    assert load_recipe("small", {"network": "human_vs_ai_cnn", "size": 64}).size == 64


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"learning_rat": 1}, "did you mean 'learning_rate'"),
        ({"learning_rate": -1}, "learning_rate: .*greater than 0"),
        ({"epochs": "many"}, "epochs: .*'many'"),
        ({"view": "squeeze"}, "view: "),
        ({"mean": "a,b,c"}, "mean"),
        ({"tile": 16, "size": 32}, "must not be smaller"),
    ],
)
def test_wrong_fields_are_named_with_the_reason(overrides, message):
    with pytest.raises(RecipeError, match=message):
        load_recipe("small", overrides)


@pytest.mark.parametrize(
    ("text", "message"), [("network: [", "not valid YAML"), ("- a\n- b", "'field: value'"), ("5", "'field: value'")]
)
def test_files_that_are_no_recipes_are_refused(text, message, tmp_path):
    (tmp_path / "recipe.yaml").write_text(text)
    with pytest.raises(RecipeError, match=message):
        load_recipe(tmp_path / "recipe.yaml")


def test_an_unknown_recipe_lists_the_shipped_ones():
    with pytest.raises(RecipeError, match="cifake-notebook"):
        load_recipe("cifar")
