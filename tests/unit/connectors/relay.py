"""A real proxy and a real TLS server on loopback, with a certificate authority of their own."""

from __future__ import annotations

import base64
import ipaddress
import select
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Authority:
    """A certificate authority: `bundle` holds its certificate, `chain` a server's key and certificate."""

    bundle: Path
    chain: Path

    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.chain)
        return context


def authority(folder: Path, *names: str) -> Authority:
    """An authority in this folder, with a certificate for these host names and for 127.0.0.1."""
    folder.mkdir(parents=True, exist_ok=True)
    now = datetime.now(UTC)
    issuer = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Authority of the test")])
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())

    def certificate(subject: x509.Name, public: ec.EllipticCurvePublicKey, *, ca: bool) -> x509.Certificate:
        built = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=2))
            .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        )
        if not ca:
            hosts = [*map(x509.DNSName, names), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            built = built.add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        return built.sign(ca_key, hashes.SHA256())

    pem = serialization.Encoding.PEM
    server = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Server of the test")])
    found = Authority(folder / "ca.pem", folder / "server.pem")
    found.bundle.write_bytes(certificate(issuer, ca_key.public_key(), ca=True).public_bytes(pem))
    plain = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    found.chain.write_bytes(plain + certificate(server, key.public_key(), ca=False).public_bytes(pem))
    return found


@contextmanager
def tls_server(trusted: Authority) -> Iterator[tuple[int, list[str]]]:
    """Answers every request over TLS with the JSON that both trackers give for who one is; its port, and the paths."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            asked.append(self.path)
            body = b'{"id": "1", "accountId": "1", "displayName": "Somebody", "experiments": []}'
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None: ...

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_args: object) -> None:
            """A handshake that the client breaks off is what some tests are about."""

        def finish_request(self, request: socket.socket, address: object) -> None:  # type: ignore[override]
            with trusted.context().wrap_socket(request, server_side=True) as secured:
                super().finish_request(secured, address)  # type: ignore[arg-type]

    with Server(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server.server_address[1], asked
        server.shutdown()


@dataclass
class Relay:
    """A proxy: every CONNECT is led to `target`, whatever host it names; other requests are answered by itself."""

    target: int = 0
    credentials: str = ""
    refuses: int = 0
    asked: list[str] = field(default_factory=list)
    port: int = 0

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.port}"

    def allows(self, header: str) -> bool:
        expected = "Basic " + base64.b64encode(self.credentials.encode()).decode()
        return not self.credentials or header == expected


@contextmanager
def relay(target: int = 0, *, credentials: str = "", refuses: int = 0, tls: Authority | None = None) -> Iterator[Relay]:
    """A proxy that may ask for `credentials`, refuse with a status, and be reached over TLS itself."""
    found = Relay(target, credentials, refuses)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _turned_away(self) -> bool:
            found.asked.append(f"{self.command} {self.path}")
            status = found.refuses
            if not status and not found.allows(self.headers.get("Proxy-Authorization", "")):
                status = 407
            if status:
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()
            return bool(status)

        def do_CONNECT(self) -> None:
            if self._turned_away():
                return
            self.send_response(200)
            self.end_headers()
            with socket.create_connection(("127.0.0.1", found.target)) as onward:
                _pump(self.connection, onward)
            self.close_connection = True

        def do_GET(self) -> None:
            if self._turned_away():
                return
            body = b'{"id": "1", "accountId": "1", "host": "%s"}' % (urlsplit(self.path).hostname or "").encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None: ...

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_args: object) -> None: ...

        def finish_request(self, request: socket.socket, address: object) -> None:  # type: ignore[override]
            if tls is None:
                super().finish_request(request, address)  # type: ignore[arg-type]
                return
            with tls.context().wrap_socket(request, server_side=True) as secured:
                super().finish_request(secured, address)  # type: ignore[arg-type]

    with Server(("127.0.0.1", 0), Handler) as server:
        found.port = server.server_address[1]
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield found
        server.shutdown()


def _pump(one: socket.socket, other: socket.socket) -> None:
    """Carry bytes both ways until either side ends."""
    across = {one: other, other: one}
    while True:
        waiting = isinstance(one, ssl.SSLSocket) and one.pending() > 0
        ready = [one] if waiting else select.select(list(across), [], [], 5)[0]
        if not ready:
            return
        for side in ready:
            try:
                data = side.recv(65536)
            except OSError:
                return
            if not data:
                return
            across[side].sendall(data)
