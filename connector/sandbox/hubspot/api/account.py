"""The calls that describe the account itself (HubSpot docs, "Account information")."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from connector.sandbox.hubspot.api.calls import Call
from connector.sandbox.hubspot.moments import next_midnight, to_iso, to_ms
from connector.sandbox.hubspot.portal import PORTAL_ID
from connector.sandbox.wire import Response


def read_details(call: Call) -> Response:
    zone = ZoneInfo(call.portal.settings.time_zone)
    offset = call.portal.clock.now().astimezone(zone).utcoffset() or timedelta(0)
    minutes = offset // timedelta(minutes=1)
    hours, rest = divmod(abs(minutes), 60)
    return Response.json(
        {
            "portalId": PORTAL_ID,
            "accountType": "DEVELOPER_TEST",
            "timeZone": call.portal.settings.time_zone,
            "companyCurrency": call.portal.settings.home_currency,
            "additionalCurrencies": sorted(call.portal.settings.exchange_rates),
            "utcOffset": f"{'-' if minutes < 0 else '+'}{hours:02}:{rest:02}",
            "utcOffsetMilliseconds": minutes * 60_000,
            "uiDomain": "app.hubspot.com",
            "dataHostingLocation": "na1",
        }
    )


def read_daily_usage(call: Call) -> Response:
    """What private apps have used of the daily limit, this call included."""
    now, settings = call.portal.clock.now(), call.portal.settings
    usage = {
        "name": "private-apps-api-calls-daily",
        "usageLimit": settings.daily_limit,
        "currentUsage": call.account.limits.today(now, settings),
        "collectedAt": to_iso(to_ms(now)),
        "fetchStatus": "SUCCESS",
        "resetsAt": to_iso(to_ms(next_midnight(now, ZoneInfo(settings.time_zone)))),
    }
    return Response.json({"results": [usage]})
