"""The ear that listens for secrets over the whole suite really hears."""

from __future__ import annotations

import logging

from tests.conftest import SECRETS, Ear


def test_a_secret_in_a_record_s_arguments_is_heard() -> None:
    ear, logger = Ear(), logging.getLogger("tests.ear")
    logger.addHandler(ear)

    logger.warning("sent %s", f"Bearer {SECRETS[0]}")

    assert [SECRETS[0] in leak for leak in ear.leaks] == [True]
    logger.removeHandler(ear)


def test_what_the_libraries_say_about_a_request_is_heard(ear: Ear) -> None:
    before = ear.heard

    logging.getLogger("urllib3.connectionpool").debug("http://127.0.0.1:9100 GET /1/boards")

    assert ear.heard == before + 1
