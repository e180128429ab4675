"""Which objects and fields every org has: Salesforce's own, as tables.

Source: Salesforce Object Reference, the pages of the objects named here. Lengths, picklists and what may be
written are as described there; left out are fields no CRM user meets.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from connector.sandbox.salesforce.definitions.schema import Choice, Field, SObject

# Where the field history of an object is.
HISTORIES = {
    "Account": "AccountHistory", "Contact": "ContactHistory", "Lead": "LeadHistory",
    "Opportunity": "OpportunityFieldHistory",
}  # fmt: skip

EXTERNAL_ID = "HubSpot_Id__c"

PERMISSIONS = (
    "PermissionsApiEnabled",
    "PermissionsAssignPermissionSets",
    "PermissionsCustomizeApplication",
    "PermissionsEditEvent",
    "PermissionsEditTask",
    "PermissionsManageProfilesPermissionsets",
    "PermissionsModifyAllData",
    "PermissionsModifyMetadata",
    "PermissionsViewAllData",
    "PermissionsViewSetup",
)

INDUSTRIES = (
    "Agriculture;Apparel;Banking;Biotechnology;Chemicals;Communications;Construction;Consulting;Education;"
    "Electronics;Energy;Engineering;Entertainment;Environmental;Finance;Food & Beverage;Government;Healthcare;"
    "Hospitality;Insurance;Machinery;Manufacturing;Media;Not For Profit;Recreation;Retail;Shipping;Technology;"
    "Telecommunications;Transportation;Utilities;Other"
)
SOURCES = "Web;Phone Inquiry;Partner Referral;Purchased List;Other"
FORECAST_CODES = "Omitted;Pipeline;BestCase;MostLikely;Forecast;Closed"
FORECAST_CATEGORIES = "Omitted;Pipeline;Best Case;Commit;Closed"
LEAD_STATUSES = (
    Choice("Open - Not Contacted", "Open - Not Contacted", default=True),
    Choice("Working - Contacted", "Working - Contacted"),
    Choice("Closed - Converted", "Closed - Converted"),
    Choice("Closed - Not Converted", "Closed - Not Converted"),
)
CONVERTED_STATUS = "Closed - Converted"
CONTACT_ROLES = (
    "Business User;Decision Maker;Economic Buyer;Economic Decision Maker;Evaluator;Executive Sponsor;Influencer;"
    "Technical Buyer;Other"
)


def text(name: str, length: int, label: str = "", kind: str = "string") -> Field:
    return Field(name, kind, label or _label(name), length=length)


def picklist(name: str, values: str, label: str = "", length: int = 255) -> Field:
    choices = tuple(Choice(value, value) for value in values.split(";")) if values else ()
    return Field(name, "picklist", label or _label(name), length=length, choices=choices)


def number(name: str, kind: str, digits: int, scale: int = 0, label: str = "") -> Field:
    return Field(name, kind, label or _label(name), digits=digits, scale=scale)


def boolean(name: str, label: str = "") -> Field:
    return Field(name, "boolean", label or _label(name), nillable=False, defaulted=True)


def day(name: str, label: str = "") -> Field:
    return Field(name, "date", label or _label(name))


def moment(name: str, label: str = "") -> Field:
    return locked(Field(name, "datetime", label or _label(name), nillable=False, defaulted=True))


def reference(name: str, to: str, label: str = "", children: str | None = None, cascade: bool = False) -> Field:
    relationship = name.removesuffix("Id")
    return Field(
        name, "reference", label or _label(relationship) + " ID", length=18, references=(to,),
        relationship=relationship, children=children, cascade=cascade,
    )  # fmt: skip


def locked(field: Field) -> Field:
    """Set by Salesforce, readable only."""
    return replace(field, createable=False, updateable=False)


def derived(field: Field) -> Field:
    """Made from other fields whenever it is read."""
    return replace(locked(field), derived=True)


def required(field: Field) -> Field:
    return replace(field, nillable=False)


def defaulted(field: Field) -> Field:
    """Never empty, but Salesforce fills it when the client does not."""
    return replace(field, nillable=False, defaulted=True)


def address(prefix: str) -> list[Field]:
    """A compound address, which is read only, and the parts it is made of."""
    compound = f"{prefix}Address"
    parts = [
        text(f"{prefix}Street", 255, kind="textarea"),
        text(f"{prefix}City", 40),
        text(f"{prefix}State", 80, f"{prefix} State/Province"),
        text(f"{prefix}PostalCode", 20, f"{prefix} Zip/Postal Code"),
        text(f"{prefix}Country", 80),
    ]
    return [
        *(replace(part, compound=compound) for part in parts),
        derived(Field(compound, "address", _label(compound))),
    ]


def _label(name: str) -> str:
    """`AnnualRevenue` is labelled "Annual Revenue"."""
    return "".join(f" {char}" if char.isupper() and i else char for i, char in enumerate(name))


def _external_id() -> Field:
    return Field(EXTERNAL_ID, "string", "HubSpot Id", length=255, unique=True, external_id=True)


def _audit() -> list[Field]:
    return [
        moment("CreatedDate"),
        locked(defaulted(reference("CreatedById", "User"))),
        moment("LastModifiedDate"),
        locked(defaulted(reference("LastModifiedById", "User"))),
        moment("SystemModstamp"),
    ]


def _object(
    name: str, prefix: str | None, fields: Iterable[Field], *, label: str = "", plural: str = "",
    writable: bool = True, deletable: bool = True, audited: bool = True, mergeable: bool = False,
    recycled: bool = True,
) -> SObject:  # fmt: skip
    made = SObject(
        name, prefix, label or name, plural or f"{label or name}s",
        writable=writable, mergeable=mergeable, recycled=recycled,
    )  # fmt: skip
    made.add(locked(defaulted(Field("Id", "id", f"{made.label} ID", length=18))))
    if deletable:
        made.add(locked(boolean("IsDeleted", "Deleted")))
    if mergeable:
        made.add(locked(reference("MasterRecordId", name, "Master Record ID")))
    for each in [*fields, *(_audit() if audited else [])]:
        made.add(each if writable else locked(each))
    return made


ACCOUNT = _object("Account", "001", mergeable=True, fields=[
    replace(required(text("Name", 255, "Account Name")), name_field=True),
    picklist("Type", "Prospect;Customer - Direct;Customer - Channel;Channel Partner / Reseller;"
             "Installation Partner;Technology Partner;Other", "Account Type"),
    reference("ParentId", "Account", "Parent Account ID", children="ChildAccounts"),
    *address("Billing"),
    *address("Shipping"),
    text("Phone", 40, "Account Phone", "phone"),
    text("Fax", 40, "Account Fax", "phone"),
    text("AccountNumber", 40),
    text("Website", 255, kind="url"),
    text("Sic", 20, "SIC Code"),
    picklist("Industry", INDUSTRIES),
    number("AnnualRevenue", "currency", 18),
    number("NumberOfEmployees", "int", 8, label="Employees"),
    picklist("Ownership", "Public;Private;Subsidiary;Other"),
    text("TickerSymbol", 20),
    text("Description", 32000, "Account Description", "textarea"),
    picklist("Rating", "Hot;Warm;Cold", "Account Rating"),
    text("Site", 80, "Account Site"),
    defaulted(reference("OwnerId", "User")),
    reference("RecordTypeId", "RecordType"),
    picklist("AccountSource", SOURCES),
    locked(day("LastActivityDate", "Last Activity")),
    _external_id(),
])  # fmt: skip

CONTACT = _object("Contact", "003", mergeable=True, fields=[
    reference("AccountId", "Account", children="Contacts", cascade=True),
    required(text("LastName", 80)),
    text("FirstName", 40),
    picklist("Salutation", "Mr.;Ms.;Mrs.;Dr.;Prof.;Mx.", length=40),
    replace(derived(defaulted(text("Name", 121, "Full Name"))), name_field=True),
    *address("Other"),
    *address("Mailing"),
    text("Phone", 40, "Business Phone", "phone"),
    text("Fax", 40, "Business Fax", "phone"),
    text("MobilePhone", 40, kind="phone"),
    text("HomePhone", 40, kind="phone"),
    text("OtherPhone", 40, kind="phone"),
    text("AssistantPhone", 40, "Asst. Phone", "phone"),
    reference("ReportsToId", "Contact", "Reports To ID", children="ReportsTo__Contacts"),
    text("Email", 80, kind="email"),
    text("Title", 128),
    text("Department", 80),
    text("AssistantName", 40, "Assistant's Name"),
    picklist("LeadSource", SOURCES),
    day("Birthdate"),
    text("Description", 32000, "Contact Description", "textarea"),
    defaulted(reference("OwnerId", "User")),
    reference("RecordTypeId", "RecordType"),
    boolean("HasOptedOutOfEmail", "Email Opt Out"),
    boolean("HasOptedOutOfFax", "Fax Opt Out"),
    boolean("DoNotCall", "Do Not Call"),
    locked(day("LastActivityDate", "Last Activity")),
    _external_id(),
])  # fmt: skip

OPPORTUNITY = _object("Opportunity", "006", plural="Opportunities", fields=[
    reference("AccountId", "Account", children="Opportunities", cascade=True),
    reference("RecordTypeId", "RecordType"),
    replace(required(text("Name", 120)), name_field=True),
    text("Description", 32000, kind="textarea"),
    # Restricted here although an org may relax it: a connector must not rely on leniency.
    replace(required(picklist("StageName", "", "Stage")), restricted=True),
    number("Amount", "currency", 18, 2),
    defaulted(number("Probability", "percent", 3, label="Probability (%)")),
    derived(number("ExpectedRevenue", "currency", 18, 2, "Expected Amount")),
    number("TotalOpportunityQuantity", "double", 18, 2, "Quantity"),
    required(day("CloseDate")),
    picklist("Type", "Existing Customer - Upgrade;Existing Customer - Replacement;"
             "Existing Customer - Downgrade;New Customer", "Opportunity Type"),
    text("NextStep", 255),
    picklist("LeadSource", SOURCES),
    derived(boolean("IsClosed", "Closed")),
    derived(boolean("IsWon", "Won")),
    derived(defaulted(picklist("ForecastCategory", FORECAST_CODES, length=40))),
    replace(defaulted(picklist("ForecastCategoryName", FORECAST_CATEGORIES, "Forecast Category")), restricted=True),
    defaulted(reference("OwnerId", "User")),
    # The contact of the primary role; written on creation only, where it makes that role.
    replace(reference("ContactId", "Contact"), updateable=False, derived=True),
    derived(boolean("HasOpportunityLineItem", "Has Line Item")),
    derived(number("FiscalQuarter", "int", 9)),
    derived(number("FiscalYear", "int", 9)),
    locked(day("LastActivityDate", "Last Activity")),
    _external_id(),
])  # fmt: skip

OPPORTUNITY_CONTACT_ROLE = _object(
    "OpportunityContactRole", "00K", label="Opportunity Contact Role", recycled=False,
    fields=[
        replace(
            required(reference("OpportunityId", "Opportunity", children="OpportunityContactRoles", cascade=True)),
            updateable=False,
        ),
        required(reference("ContactId", "Contact", children="OpportunityContactRoles", cascade=True)),
        picklist("Role", CONTACT_ROLES, length=40),
        boolean("IsPrimary", "Primary"),
    ],
)  # fmt: skip

OPPORTUNITY_STAGE = _object(
    "OpportunityStage", "01J", label="Opportunity Stage", writable=False, deletable=False,
    fields=[
        replace(text("MasterLabel", 255), name_field=True),
        text("ApiName", 255, "API Name"),
        boolean("IsActive"),
        number("SortOrder", "int", 9),
        boolean("IsClosed", "Closed"),
        boolean("IsWon", "Won"),
        picklist("ForecastCategory", FORECAST_CODES),
        picklist("ForecastCategoryName", FORECAST_CATEGORIES),
        number("DefaultProbability", "percent", 3, label="Probability (%)"),
        text("Description", 255),
    ],
)  # fmt: skip

RECORD_TYPE = _object(
    "RecordType", "012", label="Record Type", writable=False, deletable=False,
    fields=[
        replace(text("Name", 80), name_field=True),
        text("DeveloperName", 80, "Record Type Name"),
        text("NamespacePrefix", 15),
        text("Description", 255),
        Field("BusinessProcessId", "reference", "Business Process ID", length=18),
        picklist("SobjectType", "Account;Contact;Lead;Opportunity", "SObject Type Name"),
        boolean("IsActive", "Active"),
    ],
)  # fmt: skip

USER = _object(
    "User", "005", label="User", writable=False, deletable=False,
    fields=[
        text("Username", 80),
        text("LastName", 80),
        text("FirstName", 40),
        replace(derived(text("Name", 121, "Full Name")), name_field=True),
        text("CompanyName", 80),
        text("Department", 80),
        text("Title", 80),
        text("Email", 128, kind="email"),
        text("Alias", 8),
        boolean("IsActive", "Active"),
        picklist("TimeZoneSidKey", "GMT", "Time Zone", 40),
        picklist("LocaleSidKey", "en_US", "Locale", 40),
        picklist("LanguageLocaleKey", "en_US", "Language", 40),
        picklist("UserType", "Standard;Guest;PowerPartner;CspLitePortal", "User Type", 40),
        text("EmployeeNumber", 20),
    ],
)  # fmt: skip

ORGANIZATION = _object(
    "Organization", "00D", writable=False, deletable=False,
    fields=[
        replace(text("Name", 80), name_field=True),
        text("Country", 80),
        picklist("DefaultLocaleSidKey", "en_US", "Locale", 40),
        picklist("LanguageLocaleKey", "en_US", "Language", 40),
        picklist("TimeZoneSidKey", "GMT", "Time Zone", 40),
        picklist("OrganizationType", "Developer Edition;Enterprise Edition;Unlimited Edition", "Edition", 40),
        boolean("IsSandbox"),
        text("InstanceName", 5),
        number("FiscalYearStartMonth", "int", 9),
    ],
)  # fmt: skip

USER_PERMISSION_ACCESS = _object(
    "UserPermissionAccess", None, label="User Permission Access", writable=False, deletable=False, audited=False,
    fields=[boolean(name) for name in PERMISSIONS],
)  # fmt: skip

# Who may see a field that an API call has made (Object Reference, "PermissionSet", "PermissionSetAssignment",
# "FieldPermissions").
PERMISSION_SET = _object(
    "PermissionSet", "0PS", label="Permission Set", deletable=False, recycled=False,
    fields=[
        replace(required(text("Name", 80, "Permission Set Name")), name_field=True),
        required(text("Label", 80, "Permission Set Label")),
        text("Description", 255),
        locked(boolean("IsOwnedByProfile")),
        locked(boolean("IsCustom")),
        locked(text("NamespacePrefix", 15)),
    ],
)  # fmt: skip
PERMISSION_SET_ASSIGNMENT = _object(
    "PermissionSetAssignment", "0Pa", label="Permission Set Assignment", deletable=False, audited=False,
    recycled=False,
    fields=[
        replace(required(reference("AssigneeId", "User")), updateable=False),
        replace(
            required(reference("PermissionSetId", "PermissionSet", children="Assignments", cascade=True)),
            updateable=False,
        ),
        moment("SystemModstamp"),
    ],
)  # fmt: skip
FIELD_PERMISSIONS = _object(
    "FieldPermissions", "01k", label="Field Permissions", plural="Field Permissions", deletable=False,
    audited=False, recycled=False,
    fields=[
        replace(
            required(reference("ParentId", "PermissionSet", children="FieldPerms", cascade=True)), updateable=False
        ),
        replace(required(text("SobjectType", 40, "SObject Type Name", "picklist")), updateable=False),
        replace(required(text("Field", 255, kind="picklist")), updateable=False),
        boolean("PermissionsEdit", "Edit Field"),
        boolean("PermissionsRead", "Read Field"),
        moment("SystemModstamp"),
    ],
)  # fmt: skip

LEAD = _object("Lead", "00Q", mergeable=True, fields=[
    required(text("LastName", 80)),
    text("FirstName", 40),
    picklist("Salutation", "Mr.;Ms.;Mrs.;Dr.;Prof.;Mx.", length=40),
    replace(derived(defaulted(text("Name", 121, "Full Name"))), name_field=True),
    text("Title", 128),
    required(text("Company", 255)),
    text("Street", 255, kind="textarea"),
    text("City", 40),
    text("State", 80, "State/Province"),
    text("PostalCode", 20, "Zip/Postal Code"),
    text("Country", 80),
    text("Phone", 40, kind="phone"),
    text("MobilePhone", 40, kind="phone"),
    text("Fax", 40, kind="phone"),
    text("Email", 80, kind="email"),
    text("Website", 255, kind="url"),
    text("Description", 32000, "Lead Description", "textarea"),
    picklist("LeadSource", SOURCES),
    replace(defaulted(picklist("Status", "", "Lead Status")), restricted=True, choices=LEAD_STATUSES),
    picklist("Industry", INDUSTRIES),
    picklist("Rating", "Hot;Warm;Cold", "Lead Rating"),
    number("AnnualRevenue", "currency", 18),
    number("NumberOfEmployees", "int", 8, label="Employees"),
    defaulted(reference("OwnerId", "User")),
    reference("RecordTypeId", "RecordType"),
    boolean("HasOptedOutOfEmail", "Email Opt Out"),
    boolean("HasOptedOutOfFax", "Fax Opt Out"),
    boolean("DoNotCall", "Do Not Call"),
    locked(boolean("IsConverted", "Converted")),
    locked(day("ConvertedDate")),
    locked(reference("ConvertedAccountId", "Account")),
    locked(reference("ConvertedContactId", "Contact")),
    locked(reference("ConvertedOpportunityId", "Opportunity")),
    locked(day("LastActivityDate", "Last Activity")),
    _external_id(),
])  # fmt: skip


def _history(parent: str, name: str) -> SObject:
    """Source: Salesforce Object Reference, "StandardObjectNameHistory"."""
    return _object(
        name, "017", label=_label(name), plural=_label(name), writable=False, recycled=False, audited=False,
        fields=[
            reference(f"{parent}Id", parent, children="Histories", cascade=True),
            defaulted(reference("CreatedById", "User")),
            moment("CreatedDate"),
            text("Field", 255, "Changed Field", "picklist"),
            text("DataType", 40, kind="picklist"),
            Field("OldValue", "anyType", "Old Value"),
            Field("NewValue", "anyType", "New Value"),
        ],
    )  # fmt: skip


def currency_code(name: str, choices: tuple[Choice, ...], *, writable: bool) -> Field:
    """A field with the code of a currency, of an org that has several."""
    field = Field(
        name, "picklist", _label(name).replace("Iso", "ISO"), length=3, choices=choices, nillable=False,
        defaulted=True, restricted=True,
    )  # fmt: skip
    return field if writable else locked(field)


# There in orgs with several currencies only.
CURRENCY_TYPE = _object(
    "CurrencyType", "01L", label="Currency Type", writable=False, deletable=False,
    fields=[
        replace(text("IsoCode", 3, "Currency ISO Code", "picklist"), nillable=False, name_field=True),
        required(number("ConversionRate", "double", 18, 6)),
        required(number("DecimalPlaces", "int", 9)),
        boolean("IsActive", "Active"),
        boolean("IsCorporate", "Corporate Currency"),
    ],
)  # fmt: skip

OBJECTS = (
    ACCOUNT, CONTACT, LEAD, OPPORTUNITY, OPPORTUNITY_CONTACT_ROLE, OPPORTUNITY_STAGE, RECORD_TYPE, USER,
    ORGANIZATION, USER_PERMISSION_ACCESS, PERMISSION_SET, PERMISSION_SET_ASSIGNMENT, FIELD_PERMISSIONS,
    *(_history(parent, name) for parent, name in HISTORIES.items()),
)  # fmt: skip
