"""Single calls to servers on loopback. `httpx.get` and its like read all trusted certificates anew for each call, which
takes longer than the call: most of the time of some tests."""

from __future__ import annotations

import ssl

import httpx

NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Give this as `verify` to a client that speaks plain HTTP alone: it trusts nobody."""

# Connections are not kept: servers here come and go, some of them on the same port.
_client = httpx.Client(verify=NO_TLS, trust_env=False, limits=httpx.Limits(max_keepalive_connections=0))
_client.event_hooks["response"].append(lambda _: _client.cookies.clear())

request = _client.request
get = _client.get
post = _client.post
put = _client.put
patch = _client.patch
delete = _client.delete
head = _client.head
