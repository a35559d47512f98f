"""Where links may lead is told by their shape in every way of writing it; nothing is ever opened."""
# ruff: noqa: RUF001 (letters that imitate others are what is tested)

from __future__ import annotations

import socket
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.audit.links import Link, kinds_of, links_in
from service.domain.audit.subject import LinkKind
from service.domain.template.hosts import ANY_PUBLIC, bad_host, covered, refusal
from tests.effort import examples

OWN = "https://tracker.corp/browse/ML-9"
RUN = LinkKind("run", "a run", ("run", "Läufe", "实验"), ("*/#/experiments/*",))
CARD = LinkKind("model-card", "the model card", ("model card",))
CODE = LinkKind("repo", "code", (), ("https://github.com/*/*", "*.ipynb"))
KINDS = (RUN, CARD, CODE)

LOOPBACK = [
    "http://127.0.0.1/x",
    "http://127.1",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0x7F.0.0.0x1",
    "http://017700000001/",
    "http://0177.0.0.1/",
    "http://127.0.0.1.:8080/",
    "http://%31%32%37.0.0.1/",
    "http://１２７.０.０.１/",
    "http://①②⑦.⓪.⓪.①/",
    "http://127。0。0。1/",
    "http://[::1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://0/",
    "http://0.0.0.0:80/",
]
PRIVATE = [
    "http://10.1.2.3/",
    "http://172.16.0.1/",
    "http://192.168.1.1/admin",
    "http://169.254.169.254/latest/meta-data",
    "http://0xA9FEA9FE/",
    "http://100.64.0.1/",
    "http://[fe80::1%25eth0]/",
    "http://[fc00::1]/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
]
NAMES = [
    "http://localhost/",
    "http://LOCALHOST:3000/",
    "http://foo.localhost/",
    "http://ｌｏｃａｌｈｏｓｔ/",
    "http://wiki/",
    "http://mlflow.internal/",
    "http://nas.local./",
    "http://git.corp/",
    "http://router.home.arpa/",
    "http://127.0.0.1.nip.io/",
]
MISLEADING = [
    "https://github.com@10.0.0.1/",
    "https://user:secret@example.com/",
    "https://example.com\\@evil.example/",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "file:///etc/passwd",
    "ftp://files.example.com/x",
    "vbscript:x",
    "https:///nohost",
    "https://exa mple.com/",
    "https://exam\u200bple.com/",
    "https://example.com/\u202egnp.exe",
    "https://gіthub.com/a/b",
    "http://256.1.1.1/",
    "http://1.2.3.4.5/",
    "http://0x/",
    "https://[::1/",
    "https://example.com:99999/",
    "example.com/no-scheme",
    "",
]


@pytest.mark.parametrize("url", [*LOOPBACK, *PRIVATE, *NAMES, *MISLEADING])
def test_what_is_private_or_misleading_is_refused_however_it_is_written(url: str) -> None:
    assert refusal(url, (), OWN)
    assert refusal(url, (ANY_PUBLIC,), OWN)
    assert refusal(url, ("*.example.org",), OWN)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com/runs/1",
        "HTTPS://Example.COM./",
        "http://8.8.8.8/",
        "https://[2606:4700::1111]/",
        "https://bücher.example.com/",
        "https://xn--bcher-kva.example.com/",
        "https://例え.テスト.example.com/",
        "https://example.com:8443/a?b=c#d",
        "https://en.wikipedia.org/wiki/F1_(score)",
    ],
)
def test_what_is_public_is_fine_unless_hosts_are_named(url: str) -> None:
    assert refusal(url) == ""
    assert "not among the allowed hosts" in refusal(url, ("wiki.other.org",))


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("http://10.1.2.3/", ("10.1.2.3",)),
        ("http://0x0a.1.2.3/", ("10.1.2.3",)),
        ("http://mlflow.internal:5000/x", ("mlflow.internal",)),
        ("http://mlflow.internal:5000/x", ("mlflow.internal:5000",)),
        ("http://[::1]:5000/", ("[::1]",)),
        ("http://wiki/", ("wiki",)),
        ("https://a.b.example.com/", ("*.example.com",)),
        ("https://xn--bcher-kva.example.com/", ("BÜCHER.example.com",)),
        ("ftp://files.example.com/x", ("files.example.com",)),
        ("https://github.com/a", (ANY_PUBLIC, "mlflow.internal")),
        ("http://mlflow.internal/a", (ANY_PUBLIC, "mlflow.internal")),
    ],
)
def test_a_host_that_is_named_is_allowed_in_whatever_form(url: str, hosts: tuple[str, ...]) -> None:
    assert refusal(url, hosts) == ""


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("http://mlflow.internal:22/x", ("mlflow.internal:5000",)),
        ("https://example.com/", ("*.example.com",)),
        ("https://notexample.com/", ("*.example.com",)),
        ("https://example.com.evil.org/", ("example.com",)),
        ("https://me@wiki.example.com/", ("wiki.example.com",)),
    ],
)
def test_a_host_that_only_resembles_a_named_one_is_refused(url: str, hosts: tuple[str, ...]) -> None:
    assert refusal(url, hosts)


def test_a_record_may_lead_to_its_own_tracker_and_to_no_other_port_of_it() -> None:
    assert refusal("https://tracker.corp/browse/ML-1", (), OWN) == ""
    assert refusal("https://TRACKER.corp:443/x", ("example.com",), OWN) == ""
    assert refusal("https://tracker.corp:8080/x", (), OWN)
    assert refusal("http://127.0.0.1:9/browse/ML-2", (), "http://127.0.0.1:9/browse/ML-1") == ""


def test_a_refusal_says_where_the_address_really_leads() -> None:
    assert refusal("http://2130706433/") == "leads to 127.0.0.1, an address of a private network or of one machine"
    assert refusal("javascript:alert(1)").startswith('begins with "javascript:"')


@settings(max_examples=examples(300), deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["{0}", "{0:#x}", "0{0:o}", "four", "hexes", "short"]))
def test_an_ipv4_address_is_judged_alike_in_every_notation(number: int, form: str) -> None:
    octets = [number >> shift & 255 for shift in (24, 16, 8, 0)]
    usual = ".".join(map(str, octets))
    shown = {
        "four": usual,
        "hexes": ".".join(map(hex, octets)),
        "short": f"{octets[0]}.{number & 0xFFFFFF}",
    }.get(form, form.format(number))
    if form == "0{0:o}" and number < 8:
        shown = usual
    assert refusal(f"http://{shown}/") == refusal(f"http://{usual}/")


@settings(max_examples=examples(500), deadline=None)
@given(st.text(max_size=60), st.lists(st.text(max_size=20), max_size=3), st.text(max_size=30))
def test_any_text_is_judged_as_an_address_and_as_a_host(url: str, hosts: list[str], own: str) -> None:
    for address in (url, f"http://{url}", f"https://{url}/x", f"http://[{url}]"):
        assert isinstance(refusal(address, hosts, own), str)
    for host in hosts:
        assert isinstance(bad_host(host), str)
        assert covered(host, hosts) in (True, False)


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        (
            "See https://example.com/a. Then (https://example.com/b), ok",
            ["https://example.com/a", "https://example.com/b"],
        ),
        (
            "[run](https://example.com/a) and <https://example.com/b>",
            ["https://example.com/a", "https://example.com/b"],
        ),
        ("[F1](https://en.wikipedia.org/wiki/F1_(score))", ["https://en.wikipedia.org/wiki/F1_(score)"]),
        ("[x](<https://example.com/a b>)", ["https://example.com/a b"]),
        ("[card]: https://example.com/card", ["https://example.com/card"]),
        ("| run | https://example.com/a |", ["https://example.com/a"]),
        ("www.example.com/a", ["http://www.example.com/a"]),
        ("[x](//10.0.0.1/a)", ["https://10.0.0.1/a"]),
        ("[x](javascript:alert(1))", ["javascript:alert(1)"]),
        ("[x](javascript&colon;alert(1))", ["javascript:alert(1)"]),
        ("[x](java\tscript:y)", []),
        (r"https://example.com/a\_b", ["https://example.com/a_b"]),
        ("[here](#goal) [mail](mailto:ml-1@example.com) s3://bucket/data runs:/abc ml-1@example.com", []),
        ("`https://example.com/in-code`", ["https://example.com/in-code"]),
    ],
)
def test_links_are_found_in_every_way_people_write_them(text: str, urls: list[str]) -> None:
    assert [link.url for link in links_in(text)] == urls


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("- Run: https://example.com/1", {"run"}),
        ("[the best RUN](https://example.com/1)", {"run"}),
        ("https://example.com/model-card/3", {"model-card"}),
        ("Model card\nhttps://example.com/3", set()),
        ("Model card:\nhttps://example.com/3", {"model-card"}),
        ("**Model card:**\n- https://example.com/3", {"model-card"}),
        ("### Model card\n\n<https://example.com/3>", {"model-card"}),
        ("There is no model card yet, the plan is https://example.com/3", set()),
        ("Kein Model card: https://example.com/3", set()),
        ("Laufe: https://example.com/3", {"run"}),
        ("本次实验记录 https://example.com/3", {"run"}),
        ("brunch https://example.com/3", set()),
        ("https://github.com/team/repo", {"repo"}),
        ("https://github.com/team", set()),
        ("https://evil.example/https://github.com.x/a/b", set()),
        ("https://example.com/a.ipynb", {"repo"}),
        ("https://mlflow.example.com/#/experiments/1/x", {"run"}),
        ("> Link the runs and the model card.\n\nhttps://example.com/x", set()),
    ],
)
def test_kinds_are_told_by_words_beside_a_link_or_by_its_address(text: str, kinds: set[str]) -> None:
    found = set().union(*(kinds_of(link, KINDS) for link in links_in(text)))
    assert found == kinds


def test_a_link_says_in_which_section_it_stands() -> None:
    (link,) = links_in("## Links\n\n- [run 7](https://example.com/7) is the best")
    assert link == Link("https://example.com/7", "run 7", "-   is the best", "section Links")


@settings(max_examples=examples(300), deadline=None)
@given(st.text(alphabet="[]()<>:/\\#|*_ahtps.w\n \u200b&;", max_size=200))
def test_any_heap_of_marks_has_links_or_none(text: str) -> None:
    for link in links_in(text):
        kinds_of(link, KINDS)
        refusal(link.url)


@pytest.mark.parametrize(
    "piece", ["[", "[](", "](", "[a](b", "https://", "http://a", "<a:", "www.", "\\[", "(", "x" * 50, "[x](a(b", "a:/"]
)
def test_a_text_of_any_length_is_read_in_time_that_grows_with_it(piece: str) -> None:
    def taken(size: int) -> float:
        text = piece * (size // len(piece))
        begun = time.process_time()
        links_in(text)
        return time.process_time() - begun

    small = max(min(taken(25_000) for _ in range(3)), 0.002)
    assert taken(200_000) < 40 * small


def test_nothing_is_ever_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("a link was followed")

    for name in ("getaddrinfo", "gethostbyname", "create_connection"):
        monkeypatch.setattr(socket, name, never)
    assert refusal("https://example.com/") == ""


@pytest.mark.parametrize(
    "host", ["https://example.com", "a b", "*", "a.*.com", "exa/mple", "", "user@example.com", "gіthub.com"]
)
def test_an_entry_of_the_allowed_hosts_is_a_host(host: str) -> None:
    assert (bad_host(host) == "") is (host == ANY_PUBLIC)


@pytest.mark.parametrize(
    ("host", "allowed", "inside"),
    [
        ("wiki.example.com", ("*.example.com",), True),
        ("*.a.example.com", ("*.example.com",), True),
        ("*.example.com", ("wiki.example.com",), False),
        ("example.com", ("*.example.com",), False),
        ("example.com:443", ("example.com",), True),
        ("example.com", ("example.com:443",), False),
        ("github.com", (ANY_PUBLIC,), True),
        ("wiki.internal", (ANY_PUBLIC,), False),
        (ANY_PUBLIC, ("github.com",), False),
        (ANY_PUBLIC, (ANY_PUBLIC, "wiki.internal"), True),
    ],
)
def test_hosts_are_covered_by_wider_ones(host: str, allowed: tuple[str, ...], inside: bool) -> None:
    assert covered(host, allowed) is inside
