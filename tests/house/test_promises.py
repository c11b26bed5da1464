"""What pages promise has the tests that they name."""

import pytest

from named_tests import CASES, ROOT, cases_of_tests, known_tests, named_in, rows

SECURITY = ROOT / "SECURITY.md"
WITHOUT_A_TEST = {27}
"""Cases that cannot arise; their rows say why."""


@pytest.mark.parametrize("page", [CASES, SECURITY])
def test_every_test_that_a_page_names_is_there(page):
    assert not {*named_in(page.read_text())} - known_tests()
    assert named_in(page.read_text())


def test_every_case_has_its_row_and_every_row_a_test():
    found = {int(row[0]): row for row in rows(CASES)}
    assert [*found] == [*range(1, 61)]
    assert {number for number, row in found.items() if not named_in(row[2])} == WITHOUT_A_TEST


def test_every_sentence_of_the_security_page_that_promises_has_a_test():
    promises = [row for row in rows(SECURITY) if len(row) == 2]
    assert len(promises) > 20
    assert not [what for what, tests in promises if not named_in(tests)]


def test_the_tests_of_a_case_are_found_by_its_number(request):
    names = {
        getattr(item, "originalname", None)
        for item in request.session.items
        if "case_48" in item.listextrakeywords()
    }
    there = {getattr(item, "originalname", None) for item in request.session.items}
    assert names == {name for name, cases in cases_of_tests().items() if "case_48" in cases} & there
