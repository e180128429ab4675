"""The one door to the network: every call to a CRM goes through it.

It gives each call a timeout, waits and tries again where the vendor says so (tenacity), counts calls, and
keeps secrets out of every message. What a vendor's answers mean for trying again is told by its adapter.

Nothing leaves but to an address that may be called (`connector/addresses.py`), by https whose certificate is
checked. No setting and no variable turns that off, and no redirect is followed: neither API has any, and whoever
redirects a call would be sent its body, with what is secret in it.
"""

from __future__ import annotations

import base64
import contextlib
import email.utils
import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import requests
from requests.adapters import BaseAdapter, HTTPAdapter
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    stop_after_attempt,
    wait_exponential_jitter,
)

from connector.addresses import belongs_to, host_of, is_plain_loopback, is_safe_url
from connector.core.model import Side
from connector.errors import Later, Unreachable
from connector.secrecy import Secrets

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
        home: the address of the settings; without one every address is called that is safe.
        writes: whether a request (method, path) may write.
        confirm: called before each try of a request that may write; raises if it is not to be made.
        secrets: values that never appear in a message. What a sign-in returns is added to them.
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
        home: str | None = None,
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
        self._home = home
        self._secrets = Secrets(*secrets)
        self._sleep = sleep
        self._attempts = attempts
        self._aliases = aliases or {}
        self._lock = threading.Lock()
        self._local = threading.local()
        self.trust_env = False  # an environment that someone else set up must not reroute customer data
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))  # nothing shared between threads
        if proxy:
            self._secrets.add(*_secrets_of(proxy))
            self.proxies = {"https": proxy}  # plain http is for this machine, which no proxy has to reach
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

    def count_unknown(self) -> int:
        """How many calls of this thread were sent again so far, of which nobody knew whether they took effect."""
        return getattr(self._local, "unknown", 0)

    def rest(self, seconds: float) -> None:
        """Wait as this door waits between tries."""
        self._sleep(seconds)

    def redact(self, text: str) -> str:
        return self._secrets.redact(text)

    def redact_all(self, told: Any) -> Any:
        """The same for every text in a JSON value: for what an answer says of errors, never for records."""
        return self._secrets.redact_all(told)

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
        kwargs["allow_redirects"] = False
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
        self._check_address(request.url or "")
        self._secrets.add(*_tokens_of(request))
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
                self._note_unknown_fate()
            raise Later(self.redact(f"{type(error).__name__} at {host_of(request.url or '')}")) from None
        except requests.RequestException as error:
            message = self.redact(f"{type(error).__name__}: {error}")
            remedy = "check the address in the settings"
            raise Unreachable(self.side, "connection", message, remedy) from None
        self._note_time(response)
        self._check_answer(response)
        if response.status_code >= 500 and response.status_code != requests.codes.service_unavailable:
            self._note_unknown_fate(response)
        self._judge(response)
        if response.ok and "text/html" in response.headers.get("Content-Type", ""):
            # A page of a proxy or of maintenance, whatever its status: neither vendor's API answers in HTML.
            self._note_unknown_fate(response)
            raise Later(f"HTTP {response.status_code} with a page in place of data")
        return response

    def _check_address(self, url: str) -> None:
        """Raise `Unreachable` if an address may not be called, before anything is sent there."""
        if is_safe_url(url) and (self._home is None or belongs_to(url, self._home)):
            return
        home = f"{host_of(self._home)}, the address of the settings" if self._home else "https"
        message = f"{self.side} was to be called at {host_of(url)}, and nothing is sent but to {home}"
        raise Unreachable(self.side, "connection", self.redact(message), "check the address in the settings")

    def _check_answer(self, response: requests.Response) -> None:
        """Refuse a redirect, and clean an answer that is an error, and so nothing but words."""
        if response.status_code in requests.models.REDIRECT_STATI:
            there = host_of(urljoin(response.url or "", response.headers.get("Location", "")))
            message = f"{self.side} sends the call on to {there}, and redirects are not followed"
            remedy = "if that is where it is now, put that address into the settings"
            raise Unreachable(self.side, "connection", self.redact(message), remedy)
        if response.status_code >= 400:
            said = response.content.decode("utf-8", "surrogateescape")
            if (clean := self.redact(said)) != said:
                response._content = clean.encode("utf-8", "surrogateescape")  # noqa: SLF001  # requests has no other way

    def _note_unknown_fate(self, response: requests.Response | None = None) -> None:
        """A call that is going to be sent again may have taken effect; inside `once` the run ends rather."""
        if not getattr(self._local, "once", False):
            self._local.unknown = self.count_unknown() + 1
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
            with contextlib.suppress(
                ValueError, OverflowError
            ):  # some proxies write dates of their own: the last time stands
                self.server_time = email.utils.parsedate_to_datetime(stamp).astimezone(UTC)


def _tokens_of(request: requests.PreparedRequest) -> Iterator[str]:
    """What a request identifies itself by: the token of a session, or key and secret."""
    token = str(request.headers.get("Authorization", "")).partition(" ")[2]
    yield token
    with contextlib.suppress(ValueError):
        yield from base64.b64decode(token, validate=True).decode().split(":", 1)


def _secrets_of(proxy: str) -> Iterator[str]:
    """The password in a proxy's address."""
    with contextlib.suppress(ValueError):
        yield unquote(urlsplit(proxy).password or "")


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
        seconds = float(text)
        return None if math.isnan(seconds) else max(seconds, 0.0)
    except ValueError:
        pass
    try:
        return max((email.utils.parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds(), 0.0)
    except (OverflowError, TypeError, ValueError):
        return None


class PlainLoopback(HTTPAdapter):
    """Speaks plain http to this machine where a client insists on https. To any other host it speaks https."""

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        plain = (request.url or "").replace("https://", "http://", 1)
        if is_plain_loopback(plain):
            request.url = plain
        return super().send(request, *args, **kwargs)
