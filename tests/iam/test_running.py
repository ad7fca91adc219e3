"""Whose calls are judged: those of the function that is running, and of nothing else."""

from greenlet import getcurrent, greenlet

from tests.iam.judging import Running


def test_functions_that_go_on_in_turns_leave_nothing_running_whichever_ends_first() -> None:
    """As the simulation's invocations do, which another file of the same process runs."""

    def handler() -> str | None:
        getcurrent().parent.switch()
        return Running.function()

    first = greenlet(Running.within("router", handler))
    second = greenlet(Running.within("dispatcher", handler))
    first.switch()
    second.switch()

    assert Running.function() is None
    assert [first.switch(), second.switch()] == ["router", "dispatcher"]
    assert Running.function() is None
