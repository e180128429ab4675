"""`login()` of the SOAP API, as older clients sign in.

Elements are known by their local names, whatever their prefix. Source: SOAP API Developer Guide, "login()"; gone
from version 65.0 on.
"""

from __future__ import annotations

import re

# Parsing what a test client sends to a pretend org on this machine; entity tricks would only hurt itself.
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from xml.sax.saxutils import escape

from connector.sandbox.wire import Request, Response

FIRST_VERSION_WITHOUT_LOGIN = 65


@dataclass(frozen=True, slots=True)
class LoginCall:
    """A readable call of login()."""

    version: str
    username: str
    password: str


class FaultError(Exception):
    """A refusal, in SOAP's words."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def read_login(request: Request) -> LoginCall:
    """Raises `FaultError` for anything but a call of login() in a version that has it."""
    version = re.fullmatch(r"/services/Soap/u/(\d{1,3})\.0(?:/.*)?", request.path)
    if version is None:
        raise FaultError("UNKNOWN_EXCEPTION", "no such SOAP endpoint")
    if int(version[1]) >= FIRST_VERSION_WITHOUT_LOGIN:
        raise FaultError("UNSUPPORTED_API_VERSION", f"login() is not available in version {version[1]}.0")
    try:
        root = ET.fromstring(request.body)  # noqa: S314  # see the import
    except (ET.ParseError, LookupError, ValueError) as error:  # the latter two for an encoding that is none
        raise FaultError("UNKNOWN_EXCEPTION", f"the envelope is not well-formed: {error}") from None
    said = {element.tag.rpartition("}")[2]: (element.text or "").strip() for element in root.iter()}
    if "login" not in said:
        raise FaultError("INVALID_OPERATION", "only login is known here")
    return LoginCall(f"{version[1]}.0", said.get("username", ""), said.get("password", ""))


def answer_login(call: LoginCall, server: str, organization: str, session: str, user: str) -> Response:
    """`server` is the address of the org, without a path."""
    url = f"{server}/services/Soap/u/{call.version}/{organization[:15]}"
    return _envelope(
        '<loginResponse xmlns="urn:partner.soap.sforce.com"><result>'
        f"<passwordExpired>false</passwordExpired><sandbox>true</sandbox><serverUrl>{escape(url)}</serverUrl>"
        f"<sessionId>{escape(session)}</sessionId><userId>{user}</userId>"
        "</result></loginResponse>"
    )


def answer_fault(fault: FaultError) -> Response:
    code, message = fault.code, escape(fault.message)
    return _envelope(
        f"<soapenv:Fault><faultcode>sf:{code}</faultcode><faultstring>{code}: {message}</faultstring>"
        '<detail><sf:LoginFault xsi:type="sf:LoginFault" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
        f"<sf:exceptionCode>{code}</sf:exceptionCode><sf:exceptionMessage>{message}</sf:exceptionMessage>"
        "</sf:LoginFault></detail></soapenv:Fault>",
        500,
    )


def _envelope(inner: str, status: int = 200) -> Response:
    text = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/" '
        f'xmlns:sf="urn:fault.partner.soap.sforce.com"><soapenv:Body>{inner}</soapenv:Body></soapenv:Envelope>'
    )
    return Response(status, text.encode(), {"Content-Type": "text/xml;charset=UTF-8"})
