"""Answers that pass between threads, and the threads that work is given to."""

import threading
import time

import pytest

from shared.threads import Answer, Threads

TIMEOUT_SECONDS = 10.0


def test_an_answer_reaches_the_thread_that_waits() -> None:
    answer: Answer[int] = Answer()
    threading.Timer(0.05, answer.give, [7]).start()
    assert answer.is_given(TIMEOUT_SECONDS)
    assert answer.get() == 7


def test_an_error_is_raised_in_the_thread_that_waits() -> None:
    answer: Answer[int] = Answer()
    threading.Timer(0.05, answer.fail, [LookupError("no such row")]).start()
    assert answer.is_given(TIMEOUT_SECONDS)
    with pytest.raises(LookupError, match="no such row"):
        answer.get()


def test_an_answer_that_does_not_come_in_time_can_be_waited_for_again() -> None:
    answer: Answer[int] = Answer()
    assert not answer.is_given(0.01)
    answer.give(7)
    assert answer.is_given(TIMEOUT_SECONDS)


def test_as_many_pieces_of_work_run_at_a_time_as_the_limit_allows() -> None:
    threads = Threads(3, "test")
    running, go_on, most, all_begun = [0], threading.Event(), [0], threading.Semaphore(0)
    lock = threading.Lock()

    def work() -> None:
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        all_begun.release()
        assert go_on.wait(TIMEOUT_SECONDS)
        with lock:
            running[0] -= 1

    for _ in range(10):
        threads.run(work)
    assert all(all_begun.acquire(timeout=TIMEOUT_SECONDS) for _ in range(3))
    assert not all_begun.acquire(timeout=0.1), "the fourth waits"
    go_on.set()
    threads.stop()
    assert (most, running) == ([3], [0])


def test_a_free_thread_is_used_again() -> None:
    threads, used = Threads(50, "test"), set()
    for _ in range(50):
        done = threading.Event()
        threads.run(lambda: used.add(threading.get_ident()))
        threads.run(done.set)
        assert done.wait(TIMEOUT_SECONDS)
        time.sleep(0.002)  # a thread is free a moment after its work
    threads.stop()
    assert len(used) < 25, "each round would need new threads"


def test_stopping_waits_for_the_work() -> None:
    threads, ended = Threads(1, "test"), []
    slow = threading.Event()
    threads.run(lambda: ended.append(slow.wait(TIMEOUT_SECONDS)))
    threads.run(lambda: ended.append(True))
    threading.Timer(0.1, slow.set).start()
    threads.stop()
    assert ended == [True, True]
