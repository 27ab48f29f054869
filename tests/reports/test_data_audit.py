"""The table of what was found in the data, and that nothing in it is said twice."""

from hand_made import Arm, write_run

from harness.analysis import analyse
from harness.store.finding import Finding
from reports import whole_markdown as markdown
from reports.sections.data_audit import data_audit

LEAK = Finding(
    kind="leaks", text="2 rows leak", count=2, rows=("t1", "t2"), severity="severe", remedy="cut"
)
NOTE = Finding(kind="sizes", text="so few")


def compared(folder, findings):
    arms = [Arm("good", [["yes", "no"]]), Arm("poor", [["no", "no"]])]
    return analyse(write_run(folder, ["yes", "no"], arms, data={"findings": findings}))


def test_the_gravest_finding_stands_first_with_count_and_remedy(tmp_path):
    comparison = compared(tmp_path, (NOTE, LEAK))
    table, _ = data_audit(comparison).blocks
    assert table.rows == (
        ("severe", "leaks", "2", "2 rows leak", "cut"),
        ("note", "sizes", "", "so few", ""),
    )
    assert [finding.kind for finding in comparison.audit] == ["sizes", "leaks"]
    assert "2 rows leak → cut" in comparison.findings  # the sentences stay where they were


def test_what_stands_in_the_table_is_not_said_again(tmp_path):
    page = markdown(compared(tmp_path, (LEAK,)))
    assert page.count("2 rows leak") == 1


def test_without_findings_there_is_no_section(tmp_path):
    assert data_audit(compared(tmp_path, ())) is None
