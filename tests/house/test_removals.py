"""What holds a case is listed, stands where the list says, and has the tests that were seen to fail without it."""

import pytest

from named_tests import CASES, ROOT, known_tests, rows
from removals.take_out import protections, taken_out

WITHOUT_PROTECTION = {27}
"""Cases that cannot arise; their rows in docs/reliability.md say why."""


def test_every_case_has_a_protection_that_can_be_taken_out():
    assert {one.case for one in protections()} == {int(row[0]) for row in rows(CASES)} - WITHOUT_PROTECTION


@pytest.mark.parametrize("protection", protections(), ids=str)
def test_the_lines_of_a_protection_stand_there_once_and_its_tests_are_there(protection):
    taken_out((ROOT / protection.file).read_text(), protection)
    assert protection.tests
    for test in protection.tests:
        file, _, name = test.partition("::")
        assert (ROOT / file).is_file()
        assert name.partition("[")[0] in known_tests()
