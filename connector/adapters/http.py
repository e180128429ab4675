"""The one door to the network: every call to a CRM goes through it.

It gives each call a timeout, waits and tries again where the vendor says so (tenacity), counts calls, and
keeps secrets out of every message. What a vendor's answers mean for trying again is told by its adapter.
"""

from __future__ import annotations

import contextlib
import email.utils
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential_jitter,
)

from connector.core.model import Side
from connector.errors import Later, Unreachable

TIMEOUT = (10.0, 180.0)
"""Seconds to connect, and between two bytes of an answer."""

ATTEMPTS = 6
LONGEST_WAIT = 120.0


class Door(requests.Session):
    """A `requests.Session` for one CRM.

    Args:
        side: the CRM, for messages.
        judge: looks at an answer; raises `Later` if the call should be tried again, `Unreachable` if the
            whole connection is unusable, and returns otherwise.
        counts: whether a path is a call that the vendor counts.
        spend: called before each call that counts; raises if it is not to be made.
        writes: whether a request (method, path) may write.
        confirm: called before each try of a request that may write; raises if it is not to be made.
        secrets: values that never appear in a message.
        mounts: transports by URL prefix, in place of the network.
        aliases: addresses that a client makes up -> those that are meant.
        sleep: how to wait between tries.
        attempts: how often a call is tried in all.
    """

    def __init__(
        self,
        side: Side,
        judge: Callable[[requests.Response], None],
        *,
        counts: Callable[[str], bool] = lambda _: True,
        spend: Callable[[], None] = lambda: None,
        writes: Callable[[str, str], bool] = lambda method, _: method != "GET",
        confirm: Callable[[], None] = lambda: None,
        secrets: Sequence[str] = (),
        mounts: Mapping[str, BaseAdapter] | None = None,
        aliases: Mapping[str, str] | None = None,
        sleep: Callable[[float], None] = time.sleep,
        attempts: int = ATTEMPTS,
        proxy: str | None = None,
        ca_bundle: str | None = None,
    ) -> None:
        super().__init__()
        self.side = side
        self.calls = 0
        self.server_time: datetime | None = None
        self._judge = judge
        self._counts = counts
        self._spend = spend
        self._writes = writes
        self._confirm = confirm
        self._secrets = [secret for secret in secrets if secret]
        self._sleep = sleep
        self._attempts = attempts
        self._aliases = aliases or {}
        self._lock = threading.Lock()
        self._local = threading.local()
        self.trust_env = False  # an environment that someone else set up must not reroute customer data
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # nothing shared between threads
        if proxy:
            self.proxies = {"http": proxy, "https": proxy}
        if ca_bundle:
            self.verify = ca_bundle
        for prefix, adapter in (mounts or {}).items():
            self.mount(prefix, adapter)

    @contextlib.contextmanager
    def once(self) -> Iterator[None]:
        """Inside, a call whose fate is unknown is not sent a second time.

        Unknown is the fate of a call without an answer, and of one that a gateway or a broken server answered.
        """
        self._local.once = True
        try:
            yield
        finally:
            self._local.once = False

    def rest(self, seconds: float) -> None:
        """Wait as this door waits between tries."""
        self._sleep(seconds)

    def redact(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "…")
        return text

    def request(self, method: str | bytes, url: str | bytes, *args: Any, **kwargs: Any) -> requests.Response:
        """As every session's `request`, to the address that is meant."""
        text = url.decode() if isinstance(url, bytes) else url
        for alias, address in self._aliases.items():
            text = address + text.removeprefix(alias) if text.startswith(f"{alias}/") else text
        return super().request(method, text, *args, **kwargs)

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send a request, again and again if need be.

        Raises:
            Unreachable: no answer, or no usable one, after all tries; or at once, where trying is in vain.
        """
        kwargs["timeout"] = kwargs.get("timeout") or TIMEOUT
        # Sessions of clients set these from the environment; here they come from the settings alone.
        kwargs["verify"], kwargs["proxies"] = self.verify, self.proxies
        retrying = Retrying(
            stop=stop_after_attempt(self._attempts),
            wait=_wait,
            retry=retry_if_exception_type(Later),
            sleep=self._sleep,
            reraise=True,
        )
        try:
            return retrying(self._send_once, request, **kwargs)
        except Later as error:
            raise Unreachable(
                self.side,
                "connection",
                f"{self.side} did not answer: {error}",
                "check the network and the vendor's status page, then run again",
            ) from None

    def _send_once(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        path = urlsplit(request.url or "").path
        if self._writes(request.method or "", path):
            self._confirm()
        if self._counts(path):
            self._spend()
            with self._lock:
                self.calls += 1
        try:
            response = super().send(request, **kwargs)
        except (
            requests.ConnectionError,
            requests.Timeout,
            requests.exceptions.ChunkedEncodingError,
        ) as error:
            if not isinstance(error, requests.ConnectTimeout):
                self._refuse_to_repeat()
            host = urlsplit(request.url or "").netloc
            raise Later(self.redact(f"{type(error).__name__} at {host}")) from None
        except requests.RequestException as error:
            message = self.redact(f"{type(error).__name__}: {error}")
            remedy = "check the address in the settings"
            raise Unreachable(self.side, "connection", message, remedy) from None
        self._note_time(response)
        if response.status_code >= 500 and response.status_code != requests.codes.service_unavailable:
            self._refuse_to_repeat(response)
        self._judge(response)
        if response.ok and "text/html" in response.headers.get("Content-Type", ""):
            # A page of a proxy or of maintenance, whatever its status: neither vendor's API answers in HTML.
            self._refuse_to_repeat(response)
            raise Later(f"HTTP {response.status_code} with a page in place of data")
        return response

    def _refuse_to_repeat(self, response: requests.Response | None = None) -> None:
        """Inside `once`, end the run rather than send the call again."""
        if not getattr(self._local, "once", False):
            return
        what = "did not answer" if response is None else f"answered HTTP {response.status_code} to"
        raise Unreachable(
            self.side,
            "connection",
            f"{self.side} {what} a call that must not be repeated blindly",
            "run again: the next run looks first at what became of it",
        ) from None

    def _note_time(self, response: requests.Response) -> None:
        stamp = response.headers.get("Date")
        if stamp:
            with contextlib.suppress(ValueError):  # some proxies write dates of their own: the last time stands
                self.server_time = email.utils.parsedate_to_datetime(stamp).astimezone(UTC)


_backoff = wait_exponential_jitter(initial=1, max=30, jitter=1)


def _wait(state: RetryCallState) -> float:
    """As long as the vendor asks, else growing."""
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, Later) and error.after is not None:
        return min(error.after, LONGEST_WAIT)
    return _backoff(state)


def retry_after(response: requests.Response) -> float | None:
    """The `Retry-After` header in seconds, if there is one."""
    text = response.headers.get("Retry-After", "")
    try:
        return max(float(text), 0.0)
    except ValueError:
        pass
    try:
        return max((email.utils.parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds(), 0.0)
    except (TypeError, ValueError):
        return None


class PlainLoopback(HTTPAdapter):
    """Speaks plain http where a client insists on https; mounted for loopback addresses only."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        request.url = (request.url or "").replace("https://", "http://", 1)
        return super().send(request, *args, **kwargs)
