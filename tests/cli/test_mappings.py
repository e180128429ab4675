"""`mappings validate`, `show`, `diff` and `suggest` as a person uses them, on what the shipped files say."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from cli.conftest import read_json

DEALS = "mappings/opportunity-deal.yaml"
AMOUNT = "- {salesforce: Amount, hubspot: amount, transform: number, rule: two_way}"


@pytest.fixture
def files(connector, folder):
    """The shipped mappings in the folder."""
    assert connector("init").exit_code == 0
    return folder


def change(folder, old, new, name=DEALS):
    path = folder / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    return text[: text.index(old)].count("\n") + 1


# --- validate ---------------------------------------------------------------------------------------------


def test_F3_before_any_run_the_files_alone_are_checked(connector, files):
    """It says so, asks nobody, and makes no store."""
    result = connector("mappings", "validate")
    assert result.exit_code == 0
    assert "4 mapping files: 0 errors, 0 warnings, 0 notes" in result.stdout
    assert "`connector mappings validate --live` reads them" in " ".join(result.stdout.split())
    assert not (files / "connector.db").exists()


def test_F3_live_and_then_offline_against_what_was_read(connected, connector, files):
    """The same findings, first from the CRMs, then from the store, as text and as JSON."""
    line = change(files, AMOUNT, AMOUNT.replace("hubspot: amount", "hubspot: amuont"))
    live = connected("mappings", "validate", "--live")
    place = f"{DEALS}:{line}:"
    assert live.exit_code == 2
    assert f"{place}26: error: HubSpot deals has no property amuont, or the connector may not see it" in live.stdout
    assert "did you mean `amount`? Otherwise make the property" in live.stdout
    told = read_json(connector("mappings", "validate", "--json"))
    (error,) = [one for one in told["findings"] if one["severity"] == "error"]
    assert (told["status"], told["live"], told["unchecked"]) == ("error", False, [])
    assert (error["where"], error["line"], error["column"]) == (DEALS, line, 26)
    assert {"message", "remedy"} < error.keys()
    assert told["read_at"]


def test_strict_makes_warnings_count(connected, files):
    """Otherwise they are told, and no more."""
    change(files, AMOUNT, AMOUNT.replace("rule: two_way", "rule: hold, on_target_edit: leave"))
    assert connected("mappings", "validate").exit_code == 0
    strict = connected("mappings", "validate", "--strict")
    assert strict.exit_code == 1
    assert "1 warning" in strict.stdout


def test_F3_a_sync_refuses_what_validate_calls_an_error_of_types(connected, files):
    """With the same place and words."""
    line = change(files, AMOUNT, AMOUNT.replace("transform: number, ", ""))
    result = connected("sync")
    assert result.exit_code == 2
    assert f"{DEALS}:{line}: Amount is of type currency in Salesforce" in result.stderr
    assert "use `transform: number`" in result.stderr


# --- show ---------------------------------------------------------------------------------------------------


def test_show_says_each_entry_in_words(connector, files):
    """Who wins, how it is carried, and what else was decided."""
    change(
        files,
        "fields:",
        "scope:\n  salesforce: {any: [{field: Type, is: New}, {field: Amount, at_least: 5}]}\nfields:",
    )
    text = connector("mappings", "show", "--object", "opportunities").stdout
    assert "Opportunity ↔ deals; a missing partner is made in HubSpot and Salesforce; matched by id" in text
    assert "only Salesforce records with Type is New or Amount at_least 5" in text
    assert "RecordTypeId +" in text
    assert "both ways, last edit wins" in text
    assert "account-company" not in text.splitlines()[0]


def test_show_tells_all_that_an_entry_decides_as_json(connector, files):
    """The names of roles too; nothing that is as it is by default."""
    told = read_json(connector("mappings", "show", "--json"))
    pairs = {one["pair"]: one for one in told["pairs"]}
    assert list(pairs) == ["account-company", "contact-contact", "opportunity-deal", "contact-role"]
    (kind,) = [one for one in pairs["opportunity-deal"]["fields"] if one["salesforce"] == ["Type"]]
    assert kind["otherwise"] == "skip_field"
    assert kind["values"]["New Customer"] == "newbusiness"
    assert pairs["contact-role"]["create_labels"] is True


@pytest.mark.parametrize("name", ["Account", "companies", "company", "account", "accounts", "account-company"])
def test_a_pair_is_known_by_any_of_its_names(connector, files, name):
    """Of either CRM, in the singular and the plural."""
    told = read_json(connector("mappings", "show", "--object", name, "--json"))
    assert [one["pair"] for one in told["pairs"]] == ["account-company"]


def test_a_name_that_no_pair_has_is_told(connector, files):
    """With what was probably meant; as JSON too, where JSON was asked for."""
    result = connector("mappings", "show", "--object", "acount", "--json")
    assert result.exit_code == 2
    assert read_json(result)["error"]["remedy"] == "did you mean `account`?"
    assert "no pair is called acount" in result.stderr


@pytest.mark.parametrize("command", ["show", "suggest"])
def test_broken_files_are_told_by_every_command(connector, files, command):
    """With file and line."""
    line = change(files, AMOUNT, AMOUNT.replace("rule", "ruel"))
    result = connector("mappings", command)
    assert result.exit_code == 2
    assert f"opportunity-deal.yaml:{line}" in result.stderr


# --- diff ---------------------------------------------------------------------------------------------------


def test_T4_diff_compares_with_the_last_run_and_tells_what_would_be_written(connected, connector, files):
    """Filled, changed, cleared, on each side, of the records that were seen; neither CRM is asked."""
    assert connected("sync").exit_code in {0, 1}
    assert "nothing differs" in connector("mappings", "diff").stdout
    change(files, AMOUNT, "- {salesforce: NextStep, hubspot: hs_next_step}")
    change(files, "  - {salesforce: Description, hubspot: description, rule: two_way}\n", "")
    change(
        files,
        "{salesforce: Phone, hubspot: phone}",
        "{salesforce: Phone, hubspot: phone, rule: hold}",
        "mappings/account-company.yaml",
    )
    text = connector("mappings", "diff").stdout
    assert text.splitlines()[0] == "From the mapping of run 1 to the files here:"
    assert "~ Phone ↔ phone" in text
    assert "rule: prefer_salesforce_unless_blank → hold" in text
    assert "nothing: 2 linked records agree already" in text
    assert "+ NextStep ↔ hs_next_step" in text
    assert "never read; `--live` reads them" in text
    assert "- Description ↔ description" in text
    assert "both values stay as they are" in text
    told = read_json(connector("mappings", "diff", "--json"))
    assert told["calls"] == {}
    changes = {(tuple(one["salesforce"]), one["change"]) for pair in told["pairs"] for one in pair["fields"]}
    assert changes == {
        (("Phone",), "changed"), (("NextStep",), "added"), (("Amount",), "removed"), (("Description",), "removed"),
    }  # fmt: skip
    live = read_json(connected("mappings", "diff", "--live", "--json"))
    (step,) = [one for pair in live["pairs"] for one in pair["fields"] if one["salesforce"] == ["NextStep"]]
    assert step["effect"]["unread"] == 0
    assert live["calls"]["salesforce"] > 0


def test_diff_of_a_draft_and_of_a_revision(connector, files):
    """A draft is what might come, a revision what was."""
    shutil.copytree(files / "mappings", files / "drafts")
    change(files, "create_in: [hubspot, salesforce]", "create_in: [hubspot]", "drafts/opportunity-deal.yaml")
    draft = connector("mappings", "diff", "drafts").stdout
    assert draft.splitlines()[0] == "From the files here to the draft drafts:"
    assert "create_in: hubspot, salesforce → hubspot" in draft
    git = ["git", "-C", str(files), "-c", "user.name=A", "-c", "user.email=a@example.com"]
    for arguments in (["init", "-q"], ["add", "mappings"], ["commit", "-q", "-m", "mappings"]):
        subprocess.run([*git, *arguments], check=True, capture_output=True)
    change(files, AMOUNT, AMOUNT.replace("two_way", "always_salesforce"))
    told = read_json(connector("mappings", "diff", "HEAD", "--json"))
    assert told["old"] == "revision HEAD"
    assert told["pairs"][0]["fields"][0]["settings"] == [
        {"key": "rule", "old": "two_way", "new": "always_salesforce"}
    ]
    result = connector("mappings", "diff", "--", "--upload-pack=x")
    assert result.exit_code == 2
    assert "nor a revision of git" in result.stderr


def test_diff_before_any_run_says_what_to_compare_with(connector, files):
    """As JSON too."""
    result = connector("mappings", "diff", "--json")
    assert result.exit_code == 2
    assert "no run has noted yet" in read_json(result)["error"]["message"]


# --- suggest ------------------------------------------------------------------------------------------------


def test_suggest_prints_lines_that_can_be_pasted(connected, connector, files):
    """With what speaks for each; pasted, they are a mapping that is right, and are not proposed again."""
    told = read_json(connected("mappings", "suggest", "--object", "opportunities", "--json"))
    proposed = {one["salesforce"]: one for one in told["proposals"]}
    assert proposed["NextStep"]["yaml"] == "  - {salesforce: NextStep, hubspot: hs_next_step}"
    assert "the same label (Next Step / Next step)" in proposed["NextStep"]["reasons"]
    assert told["calls"]["salesforce"] <= 2
    path = files / DEALS
    lines = "\n".join(one["yaml"] for one in told["proposals"])
    path.write_text(f"{path.read_text(encoding='utf-8')}\n{lines}\n", encoding="utf-8")
    assert connected("mappings", "validate", "--live").exit_code == 0
    text = connected("mappings", "suggest", "--object", "deals").stdout
    assert "No field without a mapping looks like any property without one." in text
    assert "Nothing was applied. Asked: Salesforce 1 call" in text


def test_suggest_names_what_is_mapped_in_vain(connected, connector, files):
    """Once records were seen, from the store alone."""
    assert connected("sync").exit_code in {0, 1}
    assert connected("sync").exit_code in {0, 1}
    text = connector("mappings", "suggest", "--offline").stdout
    assert "mappings/contact-contact.yaml:19: unused: MailingCity ↔ city was blank in all of" in text
    assert "Neither CRM was asked." in text
    told = read_json(connector("mappings", "suggest", "--offline", "--json"))
    assert {"pair", "salesforce", "hubspot", "where", "line", "seen"} == told["unused"][0].keys()


def test_suggest_offline_before_any_run_knows_nothing(connector, files):
    """And says what to do."""
    text = connector("mappings", "suggest", "--offline").stdout
    assert "no field is known of Account, companies" in text
    assert "leave `--offline` out" in text
