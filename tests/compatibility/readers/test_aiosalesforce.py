"""aiosalesforce, unmodified: a client over httpx that shares no code with those over requests.

It accepts no address but one of Salesforce's own, signs in by SOAP, and takes proxy and authorities from the
environment.
"""

from __future__ import annotations

import json
import os
import subprocess

from compatibility.readers.rows import FIELDS, assert_all_read
from compatibility.readers.singer import ENVIRONMENTS, PATIENCE

SCRIPT = """
import asyncio, json, sys
import httpx
from aiosalesforce import Salesforce
from aiosalesforce.auth import SoapLogin

told = json.load(sys.stdin)

async def main():
    async with httpx.AsyncClient() as client:
        auth = SoapLogin(told["username"], told["password"], told["security_token"])
        salesforce = Salesforce(client, base_url="https://example.my.salesforce.com", auth=auth)
        read = {}
        for sobject, fields in told["fields"].items():
            query = f"SELECT {', '.join(fields)} FROM {sobject}"
            read[sobject] = [row async for row in salesforce.query(query)]
        account = await salesforce.sobject.create("Account", {"Name": "Ä, \\"B\\" & C"})
        kept = await salesforce.sobject.get("Account", account, fields=["Name"])
        await salesforce.sobject.delete("Account", account)
        limits = await salesforce.get_limits()
    json.dump({"read": read, "kept": kept["Name"], "limits": sorted(limits)}, sys.stdout)

asyncio.run(main())
"""


def test_aiosalesforce_reads_every_record(loaded):
    """Rows by SOQL, page by page, as they were loaded; and a row of its own that comes and goes."""
    python = ENVIRONMENTS / "aiosalesforce" / "bin" / "python"
    assert python.exists(), "aiosalesforce is not installed: run `make readers` once"
    sandbox = loaded.salesforce
    told = {
        "username": sandbox.username, "password": sandbox.password, "security_token": sandbox.security_token,
        "fields": {sobject: ("Id", *fields) for sobject, fields in FIELDS.items()},
    }  # fmt: skip
    done = subprocess.run(
        [str(python), "-c", SCRIPT], input=json.dumps(told), env={"PATH": os.environ["PATH"], **loaded.environment},
        capture_output=True, text=True, encoding="utf-8", timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4_000:]
    answer = json.loads(done.stdout)
    assert_all_read(answer["read"], loaded.organisation)
    assert answer["kept"] == 'Ä, "B" & C'
    assert "DailyApiRequests" in answer["limits"]
