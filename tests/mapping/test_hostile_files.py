"""Mapping files and settings that somebody sent: they are read as data, and nothing in them acts."""

from __future__ import annotations

from contextlib import suppress

import pytest

from connector.errors import BadConfiguration
from connector.mapping.documents import read_yaml
from connector.mapping.files import load_pairs
from connector.settings import Settings, load_settings

TAGS = (
    "!!python/object/apply:os.system ['touch {mark}']",
    "!!python/object/new:os.system ['touch {mark}']",
    "!!python/object/apply:subprocess.check_call [[touch, {mark}]]",
    "!!python/name:os.system",
    "!!python/module:os",
    "!!python/object:connector.settings.Settings {{store: x}}",
    "!<tag:yaml.org,2002:python/object/apply:os.system> ['touch {mark}']",
    "!custom {{a: 1}}",
)


@pytest.mark.parametrize("tag", TAGS)
def test_a_tag_makes_no_object_and_calls_nothing(tmp_path, tag):
    """Whatever a tag names, the file is data, or refused."""
    mark = tmp_path / "mark"
    path = tmp_path / "contact-contact.yaml"
    path.write_text(f"pair: contact-contact\nfields: {tag.format(mark=mark)}\n")
    read_yaml(path, [])
    with pytest.raises(BadConfiguration):
        load_pairs([path], Settings().mapping())
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "connector.yaml").write_text(f"owners:\n  map: {tag.format(mark=mark)}\n")
    with suppress(BadConfiguration):
        assert load_settings({}, tmp_path).owners.map in ({"store": "x"}, {"a": "1"})
    assert not mark.exists()
