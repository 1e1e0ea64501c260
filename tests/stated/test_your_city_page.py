"""`docs/your-city.md` says of every column what its table's declaration says."""

from __future__ import annotations

from sim.commands.check_city import command


def test_the_page_holds_the_columns_of_every_file(root, capsys):
    page = (root / "docs" / "your-city.md").read_text(encoding="utf-8")
    told = page.partition("<!-- columns: begin -->\n")[2].partition("<!-- columns: end -->")[0]
    assert command(["--doc"]) == 0
    mend = "put the output of `dgsim check-city --doc` between the marks of docs/your-city.md"
    assert told.strip() == capsys.readouterr().out.strip(), mend
