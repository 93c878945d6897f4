"""What a person sees while work goes on: lines on standard error, never on standard output."""

from __future__ import annotations

from surgenas.cli.console import ConsoleProgress


def test_lines_go_to_standard_error_as_they_are(capsys):
    ConsoleProgress().log("limit [bold]4 ms[/bold] " + "x" * 200)
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "limit [bold]4 ms[/bold] " + "x" * 200 + "\n"


def test_details_are_for_those_who_asked(capsys):
    ConsoleProgress().detail("a candidate")
    assert capsys.readouterr().err == ""
    ConsoleProgress(details=True).detail("a candidate")
    assert capsys.readouterr().err == "a candidate\n"


def test_without_a_terminal_a_short_task_has_a_line_for_those_who_want_details(capsys):
    with ConsoleProgress().task("search", 2) as task:
        task.advance()
        task.advance("loss 1")
    assert capsys.readouterr().err == ""
    with ConsoleProgress(details=True).task("search", 3, done=1) as task:
        task.advance("loss 2")
        task.advance("loss 1")
    _, err = capsys.readouterr()
    assert err == "search 3/3; loss 1\n"


def test_a_task_that_is_cut_off_says_nothing_of_its_end(capsys):
    with ConsoleProgress().task("search", 3) as task:
        task.advance()
    assert capsys.readouterr().err == ""


def test_more_steps_than_were_announced_do_no_harm(capsys):
    with ConsoleProgress(details=True).task("search", 1, done=1) as task:
        task.advance()
    assert "search 2/1" in capsys.readouterr().err


def test_a_long_task_says_how_much_time_is_left_and_that_it_is_over(capsys, monkeypatch):
    clock = iter([0.0, 1.0, 12.0, 13.0])
    monkeypatch.setattr("surgenas.cli.console.time.monotonic", lambda: next(clock))
    with ConsoleProgress().task("search", 3) as task:
        for _ in range(3):
            task.advance()
    assert capsys.readouterr().err == "search 2/3, 6 s left\nsearch 3/3\n"
