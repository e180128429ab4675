"""What does the mapping of contact roles say? (R4)

That a contact belongs to a deal is always kept in step. Here is decided whether the names of roles are carried
too: `Role` as labels of the association, `IsPrimary` as one label more. Without labels, nothing of it is.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from connector.core.model import RoleRules, Rule
from connector.core.naming import BETWEEN

ROLE_PAIR = "contact-role"


class RoleFile(BaseModel):
    """`mappings/contact-role.yaml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    pair: Literal["contact-role"] = Field(description="which objects this file is about")
    rule: Rule = Field(Rule.PREFER_SALESFORCE_UNLESS_BLANK, description="which side's names of roles win")
    labels: dict[str, str] = Field(default_factory=dict, description="Role in Salesforce: label in HubSpot")
    primary_label: str | None = Field(None, description="the label that stands for a primary role")
    create_labels: bool = Field(True, description="whether labels that HubSpot lacks are made there")

    @model_validator(mode="after")
    def _agree(self) -> RoleFile:
        texts = [*self.labels, *self.labels.values(), *([] if self.primary_label is None else [self.primary_label])]
        if not all(text.strip() for text in texts):
            raise ValueError("a role or a label without a name")
        if any(BETWEEN.strip() in text for text in texts):
            raise ValueError(f"a role or a label with a {BETWEEN.strip()!r}, which stands between several")
        if self.primary_label in self.labels.values():
            raise ValueError(f"`primary_label` {self.primary_label!r} is a role's label too")
        return self

    def build(self) -> RoleRules | None:
        """The rules for names, or None if no label is configured."""
        if not self.labels and self.primary_label is None:
            return None
        labels = {role.strip(): label.strip() for role, label in self.labels.items()}
        primary = None if self.primary_label is None else self.primary_label.strip()
        return RoleRules(self.rule, labels, primary, self.create_labels)
