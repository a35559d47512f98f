"""A mail server as a receiver of messages: each channel is somebody's address."""

from __future__ import annotations

import contextlib
import re
import smtplib
import socket
from collections.abc import Iterator
from datetime import UTC, datetime

from connectors.deadline import Deadline
from connectors.email.failures import CAUGHT, answered, not_offered, not_signed_in, refused, unknown, unreached
from connectors.email.mail import mail_of
from connectors.email.settings import EmailSettings
from connectors.errors import TrackerError
from connectors.messages import Message
from connectors.network import Network, Way
from connectors.receiving import Posted

SECONDS = 30.0
"""How long a mail may take, in all."""

_OK, _GO_ON = range(200, 300), 354
_DOTS = re.compile(rb"(?m)^\.")
_END = b".\r\n"


class _Connection(smtplib.SMTP):
    """A connection that is judged before the first byte, of TLS too, and ends with the deadline."""

    def __init__(self, settings: EmailSettings, way: Way, deadline: Deadline, seconds: float) -> None:
        self._way, self._deadline, self._settings = way, deadline, settings
        # Named by the sender's domain: what this machine calls itself is nobody's business, and may take long to find.
        name = settings.from_address.rpartition("@")[2]
        super().__init__(settings.host.strip("[]"), settings.called_port, name, seconds)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        made = socket.create_connection((host, port), timeout)
        try:
            self._deadline.watch(made)
            if self._way.guard is not None:
                self._way.guard.judge_socket(host, made)
            return self._way.tls().wrap_socket(made, server_hostname=host) if self._settings.security == "tls" else made
        except BaseException:
            made.close()
            raise


class EmailReceiver:
    """A mail server; a connection for each mail."""

    def __init__(self, settings: EmailSettings, timeout: float | None = None, network: Network | None = None) -> None:
        self._settings = settings
        self._way = (network or Network()).straight_to(settings.host)
        self._seconds = SECONDS if timeout is None else min(timeout, SECONDS)

    def __repr__(self) -> str:
        return f"EmailReceiver({self._settings.place})"

    @property
    def looks_up(self) -> bool:
        """Nobody looks into other people's mail."""
        return False

    @property
    def deduplicates(self) -> bool:
        """A mail that is sent twice is there twice, in most programs."""
        return False

    @property
    def threads(self) -> bool:
        """Each mail stands for itself."""
        return False

    def whoami(self) -> str:
        """Whom mails are from, once the server lets us in."""
        with self._connected():
            return f"{self._settings.from_address} at {self._settings.place}"

    def send(self, channel: str, message: Message, marker: str, thread: str = "") -> Posted:
        """Hand the mail over once."""
        mail = mail_of(message, marker, self._settings.sender, channel, datetime.now(UTC))
        with self._connected() as connection:
            self._begin(connection, channel)
            self._hand_over(connection, mail.as_bytes())
            return Posted(marker)

    @contextlib.contextmanager
    def _connected(self) -> Iterator[_Connection]:
        place = self._settings.place
        with Deadline(self._seconds) as deadline:
            connection: _Connection | None = None
            try:
                connection = _Connection(self._settings, self._way, deadline, self._seconds)
                self._greet(connection)
                yield connection
                with contextlib.suppress(*CAUGHT):  # it is done, whatever is said to the goodbye
                    connection.quit()
            except TrackerError:
                raise
            except CAUGHT as error:
                raise unreached(place, self._way, error) from None  # the original may hold what was sent
            finally:
                if connection is not None:
                    connection.close()

    def _greet(self, connection: _Connection) -> None:
        settings, place = self._settings, self._settings.place
        connection.ehlo_or_helo_if_needed()
        if settings.security == "starttls":
            if not connection.has_extn("starttls"):
                fix = "Use --security tls, and the port that goes with it; none only inside your own network."
                raise not_offered(place, "STARTTLS", fix)
            connection.starttls(context=self._way.tls())
            connection.ehlo()
        if settings.username:
            try:
                connection.login(settings.username, settings.password.get_secret_value())
            except smtplib.SMTPNotSupportedError:
                raise not_offered(place, "to sign in", "Leave out --username and the password.") from None
            except (smtplib.SMTPAuthenticationError, smtplib.SMTPResponseException) as error:
                raise not_signed_in(place, error) from None

    def _begin(self, connection: _Connection, to: str) -> None:
        """Say from whom to whom; nothing was sent until the mail itself is."""
        place = self._settings.place
        code, said = connection.mail(self._settings.from_address)
        if code not in _OK:
            raise answered(place, "the sender", code, _words(said))
        code, said = connection.rcpt(to)
        if code not in _OK:
            raise refused(place, to, code, _words(said))
        code, said = connection.docmd("DATA")
        if code != _GO_ON:
            raise refused(place, "the mail", code, _words(said))

    def _hand_over(self, connection: _Connection, mail: bytes) -> None:
        try:
            connection.send(_DOTS.sub(b"..", mail) + (b"" if mail.endswith(b"\r\n") else b"\r\n") + _END)
            code, said = connection.getreply()
        except CAUGHT:
            raise unknown(self._settings.place) from None
        if code in _OK:
            return
        if not 400 <= code < 600:
            raise unknown(self._settings.place)
        raise refused(self._settings.place, "the mail", code, _words(said))

    def find(self, channel: str, marker: str, since: datetime, thread: str = "") -> Posted | None:
        """Nobody can be asked."""
        return None

    def close(self) -> None:
        """There is nothing open between two mails."""


def _words(said: bytes) -> str:
    return said.decode("utf-8", "replace")
