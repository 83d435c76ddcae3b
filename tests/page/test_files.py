import pytest

from synthgen.errors import InvalidParameterError
from synthgen.page.files import write_report


def test_a_report_replaces_the_old_one(tmp_path):
    path = tmp_path / "report.html"
    for text in ("old", "new, \u00fc"):
        write_report(path, text)
    assert path.read_text("utf-8") == "new, \u00fc"
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]


def test_no_path_is_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_report(None, "text")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", [3, 1.5, True, b"x", ["x"], {}])
def test_what_is_no_path(path):
    with pytest.raises(InvalidParameterError, match="path must be the path of a file"):
        write_report(path, "text")


def test_folders(tmp_path):
    with pytest.raises(FileNotFoundError, match="There is no folder"):
        write_report(tmp_path / "nowhere" / "report.html", "text")
    with pytest.raises(IsADirectoryError, match="name a file in it"):
        write_report(tmp_path, "text")
