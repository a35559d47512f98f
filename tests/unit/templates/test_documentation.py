"""The pages on templates are in step with the code: every field, every parameter, and the example works."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from service import templates
from service.domain.template import template as models
from service.domain.template.marked_yaml import MAX_CHARACTERS, MAX_NODES
from service.domain.template.reader import read_template
from service.domain.template.template_texts import ITERATION, KEYWORDS, PHASE, PROJECT, RESERVED
from service.domain.template.yaml_marks import MAX_DEPTH

DOCS = Path(__file__).resolve().parents[3] / "docs"
FORMAT = (DOCS / "reference" / "template-format.md").read_text(encoding="utf-8")
HOW_TO = (DOCS / "how-to" / "write-a-template.md").read_text(encoding="utf-8")
PARTS = [part for part in vars(models).values() if isinstance(part, type) and issubclass(part, models.Strict)]
PARAMETERS = (models.IntegerParameter, models.ChoiceParameter, models.SwitchParameter, models.DateParameter)


def documented(heading: str) -> list[str]:
    """Names in the first column of the table under a heading."""
    (section,) = re.findall(rf"^## {heading}\n(.*?)(?=^## |\Z)", FORMAT, re.MULTILINE | re.DOTALL)
    return re.findall(r"^\| `([a-z_]+)` \|", section, re.MULTILINE)


@pytest.mark.parametrize(
    "part", [part for part in PARTS if part not in (models.Strict, *PARAMETERS)], ids=lambda part: part.__name__
)
def test_every_field_is_documented_in_order(part: type[models.Strict]) -> None:
    assert documented(part.__name__) == list(part.model_fields)


def test_every_field_of_the_parameters_is_documented() -> None:
    assert set(documented("Parameter")) == {name for part in PARAMETERS for name in part.model_fields}


def test_every_parameter_of_the_builtin_template_is_documented() -> None:
    template = templates.read_template_file(templates.BUILTIN / "iterative-ml.yaml")
    assert documented("The built-in template") == list(template.parameters)


def test_every_placeholder_and_limit_is_documented() -> None:
    for name in (*PROJECT, *PHASE, *ITERATION, *RESERVED, *KEYWORDS):
        assert f"`{name}`" in FORMAT, name
    for limit in (f"{MAX_CHARACTERS:,}", f"{MAX_NODES:,}", str(MAX_DEPTH)):
        assert limit in FORMAT


def test_the_example_of_the_how_to_is_a_good_template() -> None:
    (example,) = re.findall(r"^```yaml\n(.*?)^```", HOW_TO, re.MULTILINE | re.DOTALL)
    assert read_template(example, "ours.yaml").name == "spike"
    broken = example.replace("role: ml\n", "role: mll\n")
    with pytest.raises(Exception, match="unknown role") as refused:
        read_template(broken, "ours.yaml")
    assert str(refused.value) in HOW_TO


def test_links_between_the_pages_lead_somewhere() -> None:
    for page in (DOCS / "reference" / "template-format.md", DOCS / "how-to" / "write-a-template.md"):
        text = page.read_text(encoding="utf-8")
        headings = {line.lstrip("# ").lower().replace(" ", "-") for line in FORMAT.splitlines() if line.startswith("#")}
        for target in re.findall(r"\]\(([^)]+)\)", text):
            path, _, anchor = target.partition("#")
            assert not path or (page.parent / path).exists(), target
            assert not anchor or anchor in headings, target
