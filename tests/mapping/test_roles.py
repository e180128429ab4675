"""What the mapping of contact roles says, and what is wrong with it (R4, F3)."""

from __future__ import annotations

from pathlib import Path

import pytest
from mapping.test_files import SETTINGS

from connector.core.model import RoleRules, Rule
from connector.errors import BadConfiguration
from connector.mapping.files import load_pairs

DEALS = "pair: opportunity-deal\ncreate_in: [hubspot]\nfields:\n  - {salesforce: Name, hubspot: dealname}\n"
FITTING = "give one that fits: the documentation of settings and mapping files says what may stand here"
HEAD = "pair: contact-role\n"


@pytest.fixture
def load(tmp_path):
    """The rules for names that these texts of mapping files make."""

    def load(*texts):
        paths = []
        for number, text in enumerate((DEALS, *texts)):
            path = tmp_path / f"{number}.yaml"
            path.write_text(text)
            paths.append(path)
        return load_pairs(paths, SETTINGS)["opportunity-deal"].roles

    return load


@pytest.fixture
def findings(load):
    """What is wrong with texts, as (file, line, message, remedy)."""

    def find(*texts):
        with pytest.raises(BadConfiguration) as caught:
            load(*texts)
        return [(Path(one.where).stem, one.line, one.message, one.remedy) for one in caught.value.findings]

    return find


def test_R4_without_labels_names_are_not_carried(load):
    """Whether the file is missing, empty of labels, or as shipped."""
    shipped = Path("mappings/contact-role.yaml").read_text()
    assert load() is load(HEAD) is load(f"{HEAD}labels: {{}}\n") is load(shipped) is None


def test_R4_labels_and_the_primary_label(load):
    """White space around names says nothing; by default labels are made, and the rule is that of fields."""
    text = (
        f"{HEAD}primary_label: ' Main contact'\nlabels:\n  Decision Maker : Decider \n  Economic Buyer: Decider\n"
    )
    labels = {"Decision Maker": "Decider", "Economic Buyer": "Decider"}
    rules = load(text)
    assert rules == RoleRules(Rule.PREFER_SALESFORCE_UNLESS_BLANK, labels, "Main contact")
    assert rules.every_label == ("Main contact", "Decider")
    other = load(f"{HEAD}rule: two_way\ncreate_labels: false\nlabels: {{User: User}}\n")
    assert (other.rule, other.creates_labels, other.primary) == (Rule.TWO_WAY, False, None)
    assert other.every_label == ("User",)


@pytest.mark.parametrize(
    ("text", "line", "message", "remedy"),
    [
        ("labls: {}\n", 2, "labls: is not a known key", "did you mean `labels`?"),
        ("labels: {User: ' '}\n", 1, "a role or a label without a name", FITTING),
        ("labels: {A: x; y}\n", 1, "a role or a label with a ';', which stands between several", FITTING),
        ("primary_label: User\nlabels: {User: User}\n", 1, "`primary_label` 'User' is a role's label too", FITTING),
    ],
)
def test_R4_F3_mistakes_are_told_with_file_and_line(findings, text, line, message, remedy):
    """As in every other mapping file."""
    assert findings(HEAD + text) == [("1", line, message, remedy)]


def test_R4_F3_an_unknown_rule_is_told(findings):
    """At its line."""
    ((file, line, message, _),) = findings(f"{HEAD}rule: sometimes\n")
    assert (file, line) == ("1", 2)
    assert message.startswith("rule: ")


def test_R4_two_files_about_roles_are_one_too_many(findings):
    """Nobody could tell which one holds."""
    ((file, line, message, _),) = findings(HEAD, HEAD)
    assert (file, line) == ("2", 1)
    assert message.startswith("pair contact-role is mapped by another file too")
