"""``millstream bench``: its tables, its files, and what happens where a package is missing or wrong."""

import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from millstream.cli import main
from millstream.cli.bench import client, memory, report
from millstream.cli.bench.harness import Contender, over
from millstream.cli.bench.results import Results, read_results
from millstream.cli.bench.tables import Row, Table
from millstream.cli.bench.units import ratio_text, time_text
from millstream.testing import VERSE, MockServer

PEERS = ("msgspec", "openai", "langchain_openai", "millstream.integrations.langchain", "millstream.integrations.openai")


def without_peers(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PEERS:
        monkeypatch.setitem(sys.modules, name, None)


@pytest.mark.usefixtures("native")
def test_the_tables_have_everything_that_is_installed(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    data, chart = tmp_path / "bench.json", tmp_path / "bench.svg"
    command = ["bench", "--quick", "--only", "memory", "--json", str(data), "--chart", str(chart)]
    assert main(command) == 0
    printed, progress = capsys.readouterr()
    assert progress.startswith("measuring text of a stream\n")
    assert "left out" not in printed
    results = read_results(data.read_text("utf-8"))
    assert [table.work for table in results.tables] == [work.title for work in memory.WORKS]
    assert [len(table.rows) for table in results.tables] == [4, 6, 3]
    names = {row.name for table in results.tables for row in table.rows}
    assert all(name in printed for name in names)
    labels = {text.text for text in ElementTree.parse(chart).iter("{http://www.w3.org/2000/svg}text")}
    assert names <= labels


def test_without_any_peer_there_is_something_to_compare_with(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    without_peers(monkeypatch)
    assert main(["bench", "--quick", "--only", "memory"]) == 0
    printed = capsys.readouterr().out
    assert "Millstream, the Python half" in printed
    assert "a loop of split and json" in printed
    assert "left out: a loop of split and msgspec (msgspec " in printed
    assert printed.count("left out: LangChain's app (langchain-openai ") == 2


def one_work(monkeypatch: pytest.MonkeyPatch, *outputs: Any) -> None:
    contenders = [Contender(str(number), f"number {number}", over(run), list) for number, run in enumerate(outputs)]
    monkeypatch.setattr(memory, "WORKS", (memory.Work("a work", lambda: iter(contenders)),))


def right(reads: Any) -> list[str]:
    from millstream.cli.bench.streams import chat_stream

    return chat_stream(200)[0]


def raising(reads: Any) -> list[str]:
    raise TypeError("another version")


def test_a_peer_that_fails_or_returns_another_text_is_left_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    one_work(monkeypatch, right, raising, lambda reads: ["another text"], right)
    assert main(["bench", "--quick", "--only", "memory"]) == 0
    printed = capsys.readouterr().out
    assert "left out: number 1: TypeError: another version\n" in printed
    assert "left out: number 2: number 2 read 1 items where there are 200, another one first at 0\n" in printed
    assert "  number 3" in printed


def test_a_file_that_cannot_be_written_is_reported_before_anything_is_measured(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["bench", "--json", str(tmp_path / "missing" / "bench.json")]) == 2
    line = capsys.readouterr().err
    assert line.startswith("millstream bench: ")
    assert line.endswith("bench.json: there is no such folder; create it, or name another file\n")


def test_nothing_is_timed_if_our_text_is_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    one_work(monkeypatch, lambda reads: [], right)
    assert main(["bench", "--quick", "--only", "memory"]) == 1
    assert capsys.readouterr().err.endswith(
        "millstream bench: not timed, for an output is wrong: number 0 read 0 items where there are 200,"
        " another one first at the end; 'millstream doctor' examines the installation\n"
    )


def test_clients_in_processes_of_their_own_read_from_a_server_in_another(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for key in ("openai", "langchain"):
        monkeypatch.delitem(client.CLIENTS, key)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    assert main(["bench", "--quick", "--only", "sockets"]) == 0
    printed = capsys.readouterr().out
    assert "chat model over sockets: 100 chunks" in printed
    assert "  a loop over http.client and json" in printed
    assert "  a loop over httpx2 and json" in printed
    assert "left out" not in printed


def test_a_client_that_fails_is_left_out(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for key in ("http.client", "httpx2", "openai"):
        monkeypatch.delitem(client.CLIENTS, key)
    # The process of the client does not have the name.
    monkeypatch.setitem(client.CLIENTS, "unknown", ("a client", client.CLIENTS["ours"][1]))
    monkeypatch.delitem(client.CLIENTS, "langchain")
    assert main(["bench", "--quick", "--only", "sockets"]) == 0
    assert "left out: a client: KeyError: 'unknown'\n" in capsys.readouterr().out


@pytest.mark.parametrize("key", ["ours", "openai", "langchain"])
def test_a_client_reads_the_text(key: str, mock_server: MockServer) -> None:
    assert "".join(client.CLIENTS[key][1](mock_server.url)()) == "".join(VERSE)


def test_tables_are_drawn_by_rich_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [Row("ours", "Millstream", 120.0, 1.0), Row("peer", "a peer", 2260.0, 18.8)]
    table = Table("work: a stream", "memory", "chunk", rows)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    report.print_results(Results("a machine", [table]), [])
    drawn = capsys.readouterr().out
    assert "━" in drawn
    assert "2.26 µs" in drawn
    monkeypatch.setitem(sys.modules, "rich.table", None)
    report.print_results(Results("a machine", [table]), [])
    plain = capsys.readouterr().out
    assert "  a peer           2.26 µs       19×\n" in plain


def test_times_have_the_unit_that_people_read() -> None:
    times = (0.137, 9.996, 123.4, 999.7, 2260.0, 34_370_829.0, 2.5e9)
    assert [time_text(one) for one in times] == [
        *("0.14 ns", "10.0 ns", "123 ns", "1.00 µs", "2.26 µs", "34.4 ms", "2.50 s")
    ]
    assert [ratio_text(one) for one in (0.97, 5.512, 14.21, 158.4, 2019.0)] == [
        "0.97×",
        "5.5×",
        "14×",
        "158×",
        "2,019×",
    ]
