"""What is asked about the sync, answered: why is a record as it is, and is all well? Nothing here writes to a CRM.

    explain.py      one record or field: the link, both sides, who wins and why, its history, why it does not sync
    · references.py   which record does a person mean?       · view.py       that record and its partner, now
    · fields.py       who wins a field, and why now?         · reason.py     the reasons there are, as a table;
    · unlinked.py     why has it no partner?                 · reasons.py    those that hold now
    · history.py      what was written to it, and why?       · relations.py  contacts, rollups, lifecycle
    health.py       is all well, and if not, what is not?
    runs.py         what did the runs do?
    problems.py     what could not be synced?                · an ignored problem is hidden until it changes
    conflicts.py    what did both sides edit, who won?       · and what shall it be instead?
    links.py        which records are one?                   · ended and made by hand

Answers are frozen dataclasses of plain values: `dataclasses.asdict` makes the JSON that the commands print.
"""
