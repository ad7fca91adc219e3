from perkwire.model.lanes import DeliveryQueues, Lane
from perkwire.primitives.queueing import Outgoing
from tests.fakes import FakeQueue


def test_each_message_goes_into_its_lane_and_the_answer_is_in_the_order_of_all() -> None:
    prompt, slow = FakeQueue(), FakeQueue()
    prompt.refuse(2)
    slow.refuse(1)
    queues = DeliveryQueues({Lane.PROMPT: prompt, Lane.SLOW: slow})
    lanes = (Lane.SLOW, Lane.PROMPT, Lane.SLOW, Lane.PROMPT, Lane.PROMPT)

    held = queues.send([(lane, Outgoing(str(at), "wh_1")) for at, lane in enumerate(lanes)])

    assert held == [False, True, True, False, True]
    assert [one.body for one in prompt.messages] == ["1", "4"]
    assert [one.body for one in slow.messages] == ["2"]


def test_a_lane_for_which_there_is_nothing_is_not_asked() -> None:
    slow = FakeQueue()
    queues = DeliveryQueues({Lane.PROMPT: FakeQueue(), Lane.SLOW: slow})

    assert queues.send([(Lane.PROMPT, Outgoing("0", "wh_1"))]) == [True]
    assert queues.send([]) == []
    assert slow.calls.total() == 0


def test_a_lane_that_fails_takes_nothing_of_the_other() -> None:
    prompt, slow = FakeQueue(), FakeQueue()
    slow.fail("send")
    queues = DeliveryQueues({Lane.PROMPT: prompt, Lane.SLOW: slow})

    held = queues.send([(lane, Outgoing("0", "wh_1")) for lane in Lane])

    assert held == [True, False]
