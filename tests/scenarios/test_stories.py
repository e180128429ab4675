"""Stories that a sales administrator would tell, played with HubSpot's own automation on and off."""

from __future__ import annotations

import re

import pytest
from scenarios.acts import VERBS, Cast
from scenarios.stories import FOLDER, NotUnderstood, Step, read_file, read_folder

STORIES = read_folder()
GROUPS = {"PT", "O", "R", "A", "D", "L", "U", "F", "E"}
README = (FOLDER / "README.md").read_text(encoding="utf-8")
HEAD = "about: A test.\nstories:\n"
STORY = "  - story: One\n    rules: [D1]\n    given: [sync]\n    when: [sync]\n    then: {then}\n"


@pytest.mark.parametrize("automation", ["off", "new_portal"])
@pytest.mark.parametrize("story", STORIES, ids=lambda story: f"{'+'.join(story.rules)} {story.title}")
def test_the_story_comes_true(story, automation, tmp_path):
    """Each step is done, and each look finds what the story says."""
    Cast(tmp_path, automation).play(story)


def test_every_group_of_rules_has_a_file_with_several_stories():
    """Preconditions and triggers share one."""
    groups: dict[str, list[str]] = {}
    for story in STORIES:
        groups.setdefault(story.place.split(".")[0], []).append(story.rules[0][0])
    assert {"".join(dict.fromkeys(letters)) for letters in groups.values()} == GROUPS
    assert min(map(len, groups.values())) >= 2


def test_every_verb_is_in_the_readme_and_no_other():
    """The table of verbs is what the runner knows."""
    assert set(re.findall(r"^\| `([a-z ]+)` \|", README, re.MULTILINE)) == set(VERBS)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("stories: []\n", 1, "a file holds"),
        (HEAD + "  - story: One\n    rules: [D1]\n", 3, "lacks"),
        (HEAD + STORY.format(then="[]\n    after: []"), 3, "after"),
        (HEAD + STORY.format(then="\n      - {is: {}, exists: {}}"), 8, "one verb"),
        (HEAD + "  - story: [\n", 4, "not YAML"),
    ],
)
def test_a_file_that_is_not_understood_is_refused_with_its_line(tmp_path, text, line, says):
    """With the name of the file."""
    path = tmp_path / "odd.yaml"
    path.write_text(text)
    with pytest.raises(NotUnderstood, match=rf"odd\.yaml:{line}: .*{says}"):
        list(read_file(path))


@pytest.mark.parametrize(
    ("then", "says"),
    [
        ("[dance]", "dance: no such verb"),
        ("[{exists: {unicorn: Big deal}}]", "'unicorn' is no kind of record"),
        ("[{exists: Big deal}]", "needs a record"),
        ("[{is: {deal: Big deal}}]", "nobody has met 'Big deal' in hubspot"),
        ("[{create: {deal: Big deal, colour: red}}]", "no 'colour'"),
        ("[{create: {deal: Big deal, stage: Dreaming}}]", "no stage 'Dreaming'"),
        ("[{create: {deal: Big deal, owner: no@body.example}}]", "no@body.example is no owner"),
        ("[{report: {miracles: 1}}]", "'miracles'"),
        ("[{sync: never}]", "ends in 'never'"),
    ],
)
def test_a_step_that_is_not_understood_is_refused_with_its_line(tmp_path, then, says):
    """Before anything else is made of it."""
    path = tmp_path / "odd.yaml"
    path.write_text(HEAD + STORY.format(then=then))
    [story] = read_file(path)
    with pytest.raises(NotUnderstood, match=re.escape("odd.yaml:7: ")) as caught:
        Cast(tmp_path, "off").play(story)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    "step",
    [
        Step("is", {"opportunity": "Big deal", "amount": 6}, "odd.yaml:1"),
        Step("is", {"opportunity": "Big deal", "contacts": ["Ada"]}, "odd.yaml:1"),
        Step("gone", {"opportunity": "Big deal"}, "odd.yaml:1"),
        Step("number of", {"deal": 2}, "odd.yaml:1"),
        Step("report", {"writes": 77}, "odd.yaml:1"),
        Step("report", {"note": "no such note"}, "odd.yaml:1"),
        Step("journal", {"deal": "Big deal", "field": "amount", "new": 6}, "odd.yaml:1"),
        Step("problem", {"deal": "Big deal", "class": "duplicates"}, "odd.yaml:1"),
        Step("check says", {"state": "ok", "mentions": "a miracle"}, "odd.yaml:1"),
        Step("resume", None, "odd.yaml:1"),
    ],
    ids=lambda step: f"{step.verb} {step.told}",
)
def test_what_is_not_as_the_story_says_fails_with_its_line(tmp_path, step):
    """No look passes whatever it sees."""
    cast = Cast(tmp_path, "off")
    for act in (
        Step("create", {"contact": "Ada"}, ""),
        Step("create", {"opportunity": "Big deal", "amount": 5}, ""),
        Step("sync", None, ""),
    ):
        VERBS[act.verb](cast, act)
    with pytest.raises(AssertionError, match=r"odd\.yaml:1: "):
        VERBS[step.verb](cast, step)
