"""The tables. Every one is keyed by connection, so that one store can serve many.

record       the latest observation of a record ("seen")     link      two records that are the same thing
role         live OpportunityContactRoles                     edge      links that belong together, as agreed
association  contacts of deals, as HubSpot last showed them   waiting   records that wait for another's link
record_key   values by which records find one another         problem   what could not be synced
journal      every write, before it is made                   choice    values that a person chose
image        links and edges before a run changed them        held      what an undo holds back
import_      what was selected to be imported                 import_row  what became of each record of it
mapping      the mapping files that runs went by
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


JSON = {"holds": "JSON"}
"""Of a column whose text is a JSON value."""


def _connection(*, primary_key: bool = True) -> Column[int]:
    return Column("connection_id", Integer, ForeignKey("connection.id"), primary_key=primary_key, nullable=False)


connection = Table(
    "connection",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(100), unique=True, nullable=False),
)

lease = Table(
    "lease",
    metadata,
    _connection(),
    Column("token", String(40), nullable=False),
    Column("expires", Float, nullable=False),  # seconds since 1970
    Column("taken", String(40)),  # when, and by which process (`holder.py`)
    Column("host", String(255)),
    Column("pid", Integer),
    Column("place", String(80)),
    Column("tick", String(20)),
)

cursor = Table(
    "cursor",
    metadata,
    _connection(),
    Column("stream", String(100), primary_key=True),
    Column("value", Text, info=JSON, nullable=False),  # JSON
)

record = Table(
    "record",
    metadata,
    _connection(),
    Column("side", String(10), primary_key=True),
    Column("object", String(80), primary_key=True),
    Column("id", String(40), primary_key=True),
    Column("version", String(40), nullable=False),
    Column("created", String(40), nullable=False),
    Column("modified", String(40), nullable=False),
    Column("partner_id", String(40)),
    Column("survivor", String(40)),  # the record that it was merged into
    Column("presence", String(10), nullable=False),
    Column("fields", Text, info=JSON, nullable=False),  # JSON
    Column("dirty", Boolean, nullable=False),
    Column("out_of_scope", Boolean),  # when it was last dealt with
    Column("associations_read", Integer),  # the run that last read them
    Index(
        "ix_record_dirty",
        "connection_id",
        "side",
        "object",
        "id",
        sqlite_where=text("dirty"),
        postgresql_where=text("dirty"),
    ),
    Index("ix_record_partner", "connection_id", "side", "object", "partner_id"),
    Index("ix_record_survivor", "connection_id", "side", "object", "survivor"),
    Index("ix_record_associations_read", "connection_id", "side", "object", "associations_read"),
)

record_key = Table(
    "record_key",
    metadata,
    _connection(),
    Column("side", String(10), primary_key=True),
    Column("object", String(80), primary_key=True),
    Column("name", String(20), primary_key=True),  # of the match key
    Column("value", String(320), primary_key=True),
    Column("record_id", String(40), primary_key=True),
    Index("ix_record_key_record", "connection_id", "side", "object", "record_id"),
)

role = Table(
    "role",
    metadata,
    _connection(),
    Column("id", String(40), primary_key=True),
    Column("opportunity_id", String(40), nullable=False),
    Column("contact_id", String(40), nullable=False),
    Column("name", String(255)),  # the picklist value `Role`
    Column("is_primary", Boolean),
    Index("ix_role_opportunity", "connection_id", "opportunity_id"),
)

association = Table(
    "association",
    metadata,
    _connection(),
    Column("deal_id", String(40), primary_key=True),
    Column("contact_id", String(40), primary_key=True),
    Column("labels", Text, info=JSON),  # JSON [type id], those that people define; empty: never read
    Index("ix_association_contact", "connection_id", "contact_id"),
)

link = Table(
    "link",
    metadata,
    Column("id", Integer, primary_key=True),
    _connection(primary_key=False),
    Column("pair", String(40), nullable=False),
    Column("salesforce_id", String(40)),
    Column("hubspot_id", String(40)),
    Column("state", String(10), nullable=False),
    Column("born", String(10), nullable=False),
    Column("base_salesforce", Text, info=JSON, nullable=False),  # JSON
    Column("base_hubspot", Text, info=JSON, nullable=False),  # JSON
    Column("linked_run", Integer),
    Column("matched_on", String(20)),  # the match key, or `hand`; empty: its partner was made, or it is not known
    Column("derive", Boolean, nullable=False),  # its rollups and lifecycle are to be computed
    Column("company_applied", Text, info=JSON),  # JSON [company id, stage], what L5 last applied
    Column("handed_on", Text, info=JSON),  # JSON, moves of colleagues that L5 hands on
    UniqueConstraint("connection_id", "pair", "salesforce_id"),
    UniqueConstraint("connection_id", "pair", "hubspot_id"),
    Index(
        "ix_link_derive",
        "connection_id",
        "pair",
        "id",
        sqlite_where=text("derive"),
        postgresql_where=text("derive"),
    ),
)

edge = Table(
    "edge",
    metadata,
    _connection(),
    Column("kind", String(20), primary_key=True),  # role | deal_company | contact_company
    Column("child", Integer, ForeignKey("link.id"), primary_key=True),
    Column("parent", Integer, ForeignKey("link.id"), primary_key=True),
    Column("with_creation", Boolean, nullable=False),  # it came with the deal's creation (L2)
    Column("applied", String(10)),  # the deal's status last acted upon by the lifecycle
    Column("agreed", Text, info=JSON),  # JSON, of a role: which records agreed on it, and on which names (R3, R4)
    Index("ix_edge_parent", "connection_id", "kind", "parent"),
)

waiting = Table(
    "waiting",
    metadata,
    _connection(),
    Column("side", String(10), primary_key=True),
    Column("object", String(80), primary_key=True),
    Column("record_id", String(40), primary_key=True),
    Column("pair", String(40), primary_key=True),
    Column("needs_side", String(10), primary_key=True),
    Column("needs_id", String(40), primary_key=True),
    Index("ix_waiting_needs", "connection_id", "pair", "needs_side", "needs_id"),
)

run = Table(
    "run",
    metadata,
    Column("id", Integer, primary_key=True),
    _connection(primary_key=False),
    Column("started", String(40), nullable=False),
    Column("finished", String(40)),
    Column("status", String(20), nullable=False),
    Column("report", Text, info=JSON),  # JSON
    Column("kind", String(20), nullable=False, server_default="sync"),  # sync | undo …
    Column("of_run", Integer),  # the run that this one takes back
    Column("mapping", String(64)),  # the digest of the mapping files that it went by
    Column("forgotten", String(40)),  # since when its journal is
)

mapping = Table(
    "mapping",
    metadata,
    _connection(),
    Column("digest", String(64), primary_key=True),
    Column("files", Text, info=JSON, nullable=False),  # JSON {name: text}
)

journal = Table(
    "journal",
    metadata,
    Column("id", Integer, primary_key=True),
    _connection(primary_key=False),
    Column("run_id", Integer, ForeignKey("run.id"), nullable=False),
    Column("at", String(40), nullable=False),
    Column("state", String(10), nullable=False),  # intended | done | failed | forgotten
    Column("verb", String(20), nullable=False),  # create | update | delete | connect | disconnect | name
    Column("side", String(10), nullable=False),
    Column("object", String(80), nullable=False),
    Column("record_id", String(40)),
    Column("link_id", Integer),
    Column("made", String(40)),  # the contact role that a `connect` made in Salesforce
    Column("changes", Text, info=JSON, nullable=False),  # JSON [[field, old, new, rule, cause, conflict]]
    Column("conflict", Boolean, nullable=False, server_default=false()),  # one of its changes settled one
    Index("ix_journal_record", "connection_id", "side", "object", "record_id"),
    Index("ix_journal_run", "run_id"),
    Index("ix_journal_link", "connection_id", "link_id"),
    Index(
        "ix_journal_conflict",
        "connection_id",
        "id",
        sqlite_where=text("conflict"),
        postgresql_where=text("conflict"),
    ),
)

image = Table(
    "image",
    metadata,
    _connection(),
    Column("run_id", Integer, ForeignKey("run.id"), primary_key=True),
    Column("table", String(10), primary_key=True),  # link | edge
    Column("key", String(60), primary_key=True),
    Column("row", Text, info=JSON),  # JSON; empty: it did not exist
    Index("ix_image_key", "connection_id", "table", "key", "run_id"),
    Index("ix_image_run", "run_id"),
)

held = Table(
    "held",
    metadata,
    _connection(),
    Column("run_id", Integer, ForeignKey("run.id"), primary_key=True),  # the run that was undone
    Column("verb", String(20), primary_key=True),
    Column("side", String(10), primary_key=True),
    Column("object", String(80), primary_key=True),
    Column("record", String(90), primary_key=True),  # of a creation its source, of a role `deal/contact`
    Column("field", String(200), primary_key=True),
    Column("new", Text, info=JSON),  # JSON [value], what is not to be written
    Index("ix_held_record", "connection_id", "side", "object", "record"),
)

problem = Table(
    "problem",
    metadata,
    _connection(),
    Column("side", String(10), primary_key=True),
    Column("object", String(80), primary_key=True),
    Column("record_id", String(40), primary_key=True),
    Column("field", String(200), primary_key=True),
    Column("cause", String(20), nullable=False),
    Column("code", String(80), nullable=False),
    Column("detail", Text, nullable=False),
    Column("remedy", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("since", String(40), nullable=False),
    Column("last", String(40), nullable=False),
    Column("next_try", String(40)),  # empty: it waits for a change
    Column("ignored", Text, info=JSON),  # JSON {at, code, detail, value}, as it was when a person ignored it
)

choice = Table(
    "choice",
    metadata,
    _connection(),
    Column("link_id", Integer, ForeignKey("link.id"), primary_key=True),
    Column("field", String(200), primary_key=True),  # the label of its rule
    Column("side", String(10), nullable=False),  # in whose form `wanted` is
    Column("wanted", Text, info=JSON, nullable=False),  # JSON [value]
    Column("seen", Text, info=JSON, nullable=False),  # JSON {side: [value]}, what both held then
    Column("run_id", Integer, ForeignKey("run.id"), nullable=False),  # in which the person said so
)

import_ = Table(
    "import",
    metadata,
    Column("id", Integer, primary_key=True),
    _connection(primary_key=False),
    Column("state", String(10), nullable=False),  # open | done | abandoned
    Column("selection", Text, info=JSON, nullable=False),  # JSON
    Column("progress", Text, info=JSON, nullable=False),  # JSON
    Column("started", String(40), nullable=False),
    Column("finished", String(40)),
    Index("ix_import_state", "connection_id", "state"),
)

import_row = Table(
    "import_row",
    metadata,
    Column("import_id", Integer, ForeignKey("import.id"), primary_key=True),
    Column("object", String(80), primary_key=True),
    Column("record_id", String(80), primary_key=True),  # or the line of a file
    Column("outcome", String(20), nullable=False),
    Column("key", String(20), nullable=False),  # by which its partner was found; blank: it was not
    Column("partner_id", String(40)),
    Column("detail", Text, nullable=False),
    Column("fingerprint", String(40)),  # of a file's line: what tells its content from that of others
    Index("ix_import_row_fingerprint", "fingerprint"),
)
