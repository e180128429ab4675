"""What a new portal knows of contacts, companies and deals: HubSpot's own object types and properties, as data.

Names, types and options are those which HubSpot's default-property articles list; a CRM user meets them in the
property settings. Not all of HubSpot's several hundred are here, only those that a sales team fills and the
system and calculated ones that describe them.
"""

from __future__ import annotations

from dataclasses import dataclass

# The look of a field -> (type, fieldType), as HubSpot docs, "Properties", pairs them.
FORMS: dict[str, tuple[str, str]] = {
    "text": ("string", "text"),
    "textarea": ("string", "textarea"),
    "html": ("string", "html"),
    "phone": ("string", "phonenumber"),
    "number": ("number", "number"),
    "date": ("date", "date"),
    "datetime": ("datetime", "date"),
    "bool": ("bool", "booleancheckbox"),
    "select": ("enumeration", "select"),
    "radio": ("enumeration", "radio"),
    "checkbox": ("enumeration", "checkbox"),
}


@dataclass(frozen=True, slots=True)
class ObjectType:
    """One kind of record.

    `modified` names the property that holds the time of the last write (contacts have another one than the
    rest), `defaults` what is answered when no property is asked for, `needs_one_of` and `needs_all` what a
    new record must have, `searched` what the free-text `query` of a search looks at.
    """

    name: str
    singular: str
    type_id: str
    modified: str
    defaults: tuple[str, ...]
    searched: tuple[str, ...]
    needs_one_of: tuple[str, ...] = ()
    needs_all: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Field:
    """A property as HubSpot ships it. `writer` says who fills it: people, the system, or a calculation."""

    name: str
    label: str
    form: str = "text"
    options: tuple[tuple[str, str], ...] = ()
    writer: str = "people"
    edits_options: bool = False
    external: str | None = None


def _system(name: str, label: str, form: str = "text") -> Field:
    return Field(name, label, form, writer="system")


def _computed(name: str, label: str, form: str = "number") -> Field:
    return Field(name, label, form, writer="calculation")


def _choice(name: str, label: str, options: tuple[tuple[str, str], ...], form: str = "select") -> Field:
    """A list whose options the portal's administrator may change."""
    return Field(name, label, form, options, edits_options=True)


CONTACTS = ObjectType(
    name="contacts",
    singular="contact",
    type_id="0-1",
    modified="lastmodifieddate",
    defaults=("createdate", "email", "firstname", "hs_object_id", "lastmodifieddate", "lastname"),
    searched=("firstname", "lastname", "email", "phone", "hs_additional_emails", "company"),
    needs_one_of=("email", "firstname", "lastname"),
)
COMPANIES = ObjectType(
    name="companies",
    singular="company",
    type_id="0-2",
    modified="hs_lastmodifieddate",
    defaults=("name", "domain", "createdate", "hs_lastmodifieddate", "hs_object_id"),
    searched=("website", "phone", "name", "domain"),
    needs_one_of=("name", "domain"),
)
DEALS = ObjectType(
    name="deals",
    singular="deal",
    type_id="0-3",
    modified="hs_lastmodifieddate",
    defaults=(
        "dealname", "amount", "closedate", "pipeline", "dealstage", "createdate", "hs_lastmodifieddate",
        "hs_object_id",
    ),
    searched=("dealname", "pipeline", "dealstage", "description", "dealtype"),
    needs_all=("dealname", "dealstage"),
)  # fmt: skip

OBJECT_TYPES = (CONTACTS, COMPANIES, DEALS)
BY_ALIAS: dict[str, ObjectType] = {
    alias: kind for kind in OBJECT_TYPES for alias in (kind.name, kind.singular, kind.type_id)
}
# A type of HubSpot's that is not here: as for an app which has not been given the scope that it needs.
SCOPES_ELSEWHERE: dict[str, str] = dict.fromkeys(("tickets", "ticket", "0-5"), "tickets")

LIFECYCLE_STAGES = (
    ("subscriber", "Subscriber"),
    ("lead", "Lead"),
    ("marketingqualifiedlead", "Marketing Qualified Lead"),
    ("salesqualifiedlead", "Sales Qualified Lead"),
    ("opportunity", "Opportunity"),
    ("customer", "Customer"),
    ("evangelist", "Evangelist"),
    ("other", "Other"),
)
# The older property that tells when a record became a stage -> that stage.
BECAME = {f"hs_lifecyclestage_{stage}_date": stage for stage, _ in LIFECYCLE_STAGES}
LEAD_STATUSES = (
    ("NEW", "New"),
    ("OPEN", "Open"),
    ("IN_PROGRESS", "In Progress"),
    ("OPEN_DEAL", "Open Deal"),
    ("UNQUALIFIED", "Unqualified"),
    ("ATTEMPTED_TO_CONTACT", "Attempted to Contact"),
    ("CONNECTED", "Connected"),
    ("BAD_TIMING", "Bad Timing"),
)
_INDUSTRIES = """
ACCOUNTING AIRLINES_AVIATION ALTERNATIVE_DISPUTE_RESOLUTION ALTERNATIVE_MEDICINE ANIMATION APPAREL_FASHION
ARCHITECTURE_PLANNING ARTS_AND_CRAFTS AUTOMOTIVE AVIATION_AEROSPACE BANKING BIOTECHNOLOGY BROADCAST_MEDIA
BUILDING_MATERIALS BUSINESS_SUPPLIES_AND_EQUIPMENT CAPITAL_MARKETS CHEMICALS CIVIC_SOCIAL_ORGANIZATION
CIVIL_ENGINEERING COMMERCIAL_REAL_ESTATE COMPUTER_NETWORK_SECURITY COMPUTER_GAMES COMPUTER_HARDWARE
COMPUTER_NETWORKING COMPUTER_SOFTWARE INTERNET CONSTRUCTION CONSUMER_ELECTRONICS CONSUMER_GOODS
CONSUMER_SERVICES COSMETICS DAIRY DEFENSE_SPACE DESIGN EDUCATION_MANAGEMENT E_LEARNING
ELECTRICAL_ELECTRONIC_MANUFACTURING ENTERTAINMENT ENVIRONMENTAL_SERVICES EVENTS_SERVICES EXECUTIVE_OFFICE
FACILITIES_SERVICES FARMING FINANCIAL_SERVICES FINE_ART FISHERY FOOD_BEVERAGES FOOD_PRODUCTION FUND_RAISING
FURNITURE GAMBLING_CASINOS GLASS_CERAMICS_CONCRETE GOVERNMENT_ADMINISTRATION GOVERNMENT_RELATIONS
GRAPHIC_DESIGN HEALTH_WELLNESS_AND_FITNESS HIGHER_EDUCATION HOSPITAL_HEALTH_CARE HOSPITALITY HUMAN_RESOURCES
IMPORT_AND_EXPORT INDIVIDUAL_FAMILY_SERVICES INDUSTRIAL_AUTOMATION INFORMATION_SERVICES
INFORMATION_TECHNOLOGY_AND_SERVICES INSURANCE INTERNATIONAL_AFFAIRS INTERNATIONAL_TRADE_AND_DEVELOPMENT
INVESTMENT_BANKING INVESTMENT_MANAGEMENT JUDICIARY LAW_ENFORCEMENT LAW_PRACTICE LEGAL_SERVICES
LEGISLATIVE_OFFICE LEISURE_TRAVEL_TOURISM LIBRARIES LOGISTICS_AND_SUPPLY_CHAIN LUXURY_GOODS_JEWELRY MACHINERY
MANAGEMENT_CONSULTING MARITIME MARKET_RESEARCH MARKETING_AND_ADVERTISING MECHANICAL_OR_INDUSTRIAL_ENGINEERING
MEDIA_PRODUCTION MEDICAL_DEVICES MEDICAL_PRACTICE MENTAL_HEALTH_CARE MILITARY MINING_METALS
MOTION_PICTURES_AND_FILM MUSEUMS_AND_INSTITUTIONS MUSIC NANOTECHNOLOGY NEWSPAPERS
NON_PROFIT_ORGANIZATION_MANAGEMENT OIL_ENERGY ONLINE_MEDIA OUTSOURCING_OFFSHORING PACKAGE_FREIGHT_DELIVERY
PACKAGING_AND_CONTAINERS PAPER_FOREST_PRODUCTS PERFORMING_ARTS PHARMACEUTICALS PHILANTHROPY PHOTOGRAPHY
PLASTICS POLITICAL_ORGANIZATION PRIMARY_SECONDARY_EDUCATION PRINTING PROFESSIONAL_TRAINING_COACHING
PROGRAM_DEVELOPMENT PUBLIC_POLICY PUBLIC_RELATIONS_AND_COMMUNICATIONS PUBLIC_SAFETY PUBLISHING
RAILROAD_MANUFACTURE RANCHING REAL_ESTATE RECREATIONAL_FACILITIES_AND_SERVICES RELIGIOUS_INSTITUTIONS
RENEWABLES_ENVIRONMENT RESEARCH RESTAURANTS RETAIL SECURITY_AND_INVESTIGATIONS SEMICONDUCTORS SHIPBUILDING
SPORTING_GOODS SPORTS STAFFING_AND_RECRUITING SUPERMARKETS TELECOMMUNICATIONS TEXTILES THINK_TANKS TOBACCO
TRANSLATION_AND_LOCALIZATION TRANSPORTATION_TRUCKING_RAILROAD UTILITIES VENTURE_CAPITAL_PRIVATE_EQUITY
VETERINARY WAREHOUSING WHOLESALE WINE_AND_SPIRITS WIRELESS WRITING_AND_EDITING
"""
INDUSTRIES = tuple((name, name.replace("_", " ").title()) for name in _INDUSTRIES.split())
COMPANY_TYPES = (
    ("PROSPECT", "Prospect"),
    ("PARTNER", "Partner"),
    ("RESELLER", "Reseller"),
    ("VENDOR", "Vendor"),
    ("OTHER", "Other"),
)
DEAL_TYPES = (("newbusiness", "New Business"), ("existingbusiness", "Existing Business"))
PRIORITIES = (("low", "Low"), ("medium", "Medium"), ("high", "High"))
FORECASTS = (
    ("OMIT", "Not forecasted"),
    ("PIPELINE", "Pipeline"),
    ("BEST_CASE", "Best case"),
    ("COMMIT", "Commit"),
    ("CLOSED", "Closed won"),
)
CURRENCIES = tuple((code, code) for code in ("USD", "EUR", "GBP", "CAD", "AUD", "CHF", "JPY", "INR", "SEK"))
YES_NO = (("true", "Yes"), ("false", "No"))

_SYSTEM = (
    _system("hs_object_id", "Record ID", "number"),
    _system("createdate", "Create Date", "datetime"),
    _system("hs_object_source", "Record creation source"),
    _system("hs_object_source_id", "Record creation source ID"),
    _system("hs_object_source_label", "Record source"),
    _system("hs_object_source_detail_1", "Record source detail 1"),
    _system("hs_object_source_user_id", "Record creation source user ID", "number"),
    _system("hs_created_by_user_id", "Created by user ID", "number"),
    _system("hs_merged_object_ids", "Merged record IDs", "checkbox"),
    Field("hubspot_owner_id", "Owner", "select", external="OWNER"),
)
_PLACE = (
    Field("address", "Street Address"),
    Field("city", "City"),
    Field("state", "State/Region"),
    Field("zip", "Postal Code"),
    Field("country", "Country/Region"),
)
_BECAME = tuple(
    _computed(name, f"Became {'an' if label[0] in 'AEIOU' else 'a'} {label} Date", "datetime")
    for name, (_, label) in zip(BECAME, LIFECYCLE_STAGES, strict=True)
)
_SALES = (
    Field("lifecyclestage", "Lifecycle Stage", "radio", LIFECYCLE_STAGES, edits_options=True),
    Field("hs_lead_status", "Lead Status", "radio", LEAD_STATUSES, edits_options=True),
    Field("closedate", "Close Date", "datetime"),
    _computed("days_to_close", "Days To Close"),
    _computed("num_associated_deals", "Number of Associated Deals"),
    _computed("first_deal_created_date", "First Deal Created Date", "datetime"),
    _computed("recent_deal_amount", "Recent Deal Amount"),
    _computed("recent_deal_close_date", "Recent Deal Close Date", "datetime"),
    _computed("total_revenue", "Total Revenue"),
    *_BECAME,
)

FIELDS: dict[str, tuple[Field, ...]] = {
    "contacts": (
        *_SYSTEM,
        *_PLACE,
        *_SALES,
        _system("lastmodifieddate", "Last Modified Date", "datetime"),
        _system("hs_additional_emails", "Additional email addresses"),
        Field("email", "Email"),
        Field("firstname", "First Name"),
        Field("lastname", "Last Name"),
        Field("salutation", "Salutation"),
        Field("phone", "Phone Number", "phone"),
        Field("mobilephone", "Mobile Phone Number", "phone"),
        Field("fax", "Fax Number"),
        Field("jobtitle", "Job Title"),
        Field("company", "Company Name"),
        Field("website", "Website URL"),
        Field("industry", "Industry"),
        Field("annualrevenue", "Annual Revenue"),
        Field("date_of_birth", "Date of birth"),
        Field("hs_language", "Preferred language"),
        Field("message", "Message", "textarea"),
        Field("associatedcompanyid", "Primary Associated Company ID", "number"),
    ),
    "companies": (
        *_SYSTEM,
        *_PLACE,
        *_SALES,
        _system("hs_lastmodifieddate", "Last Modified Date", "datetime"),
        Field("name", "Company name"),
        Field("domain", "Company Domain Name"),
        Field("website", "Website URL"),
        Field("phone", "Phone Number"),
        Field("address2", "Street Address 2"),
        Field("timezone", "Time Zone"),
        _choice("industry", "Industry", INDUSTRIES),
        _choice("type", "Type", COMPANY_TYPES),
        Field("numberofemployees", "Number of Employees", "number"),
        Field("annualrevenue", "Annual Revenue", "number"),
        Field("founded_year", "Year Founded"),
        Field("is_public", "Is Public", "bool", YES_NO),
        Field("description", "Description", "textarea"),
        Field("about_us", "About Us", "textarea"),
        Field("linkedin_company_page", "LinkedIn Company Page"),
        _computed("hs_parent_company_id", "Parent Company"),
        _computed("hs_num_open_deals", "Number of open deals"),
        _computed("hs_total_deal_value", "Total open deal value"),
        _computed("num_associated_contacts", "Number of Associated Contacts"),
    ),
    "deals": (
        *_SYSTEM,
        _system("hs_lastmodifieddate", "Last Modified Date", "datetime"),
        Field("dealname", "Deal Name"),
        Field("amount", "Amount", "number"),
        Field("closedate", "Close Date", "datetime"),
        Field("pipeline", "Pipeline", "select", external="PIPELINE"),
        Field("dealstage", "Deal Stage", "radio", external="STAGE"),
        _choice("dealtype", "Deal Type", DEAL_TYPES, "radio"),
        Field("description", "Deal Description", "textarea"),
        _choice("hs_priority", "Priority", PRIORITIES),
        Field("hs_next_step", "Next step"),
        Field("closed_lost_reason", "Closed Lost Reason", "textarea"),
        Field("closed_won_reason", "Closed Won Reason", "textarea"),
        Field("deal_currency_code", "Currency", "select", CURRENCIES),
        Field("hs_manual_forecast_category", "Forecast category", "select", FORECASTS),
        Field("hs_forecast_probability", "Forecast probability", "number"),
        _computed("num_associated_contacts", "Number of Associated Contacts"),
        _computed("hs_is_closed", "Is Deal Closed?", "bool"),
        _computed("hs_is_closed_won", "Is Closed Won", "bool"),
        _computed("hs_is_closed_lost", "Is closed lost", "bool"),
        _computed("hs_is_closed_count", "Is Closed (numeric)"),
        _computed("hs_closed_won_count", "Is Closed Won (numeric)"),
        _computed("hs_is_open_count", "Is Open (numeric)"),
        _computed("hs_exchange_rate", "Exchange rate"),
        _computed("amount_in_home_currency", "Amount in company currency"),
        _computed("hs_closed_amount", "Closed Deal Amount"),
        _computed("hs_closed_amount_in_home_currency", "Closed Deal Amount In Home Currency"),
        _computed("hs_projected_amount", "Weighted amount"),
        _computed("hs_projected_amount_in_home_currency", "Weighted amount in company currency"),
        _computed("hs_forecast_amount", "Forecast amount"),
        _computed("hs_deal_stage_probability", "Deal probability"),
        _computed("hs_primary_associated_company", "Primary Associated Company"),
        _computed("days_to_close", "Days to Close"),
    ),
}

GROUPS: dict[str, tuple[tuple[str, str], ...]] = {
    kind.name: ((f"{kind.singular}information", f"{kind.singular.title()} information"),) for kind in OBJECT_TYPES
}
