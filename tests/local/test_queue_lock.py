"""A message sent while the emulator tidies its queue is not lost."""

import subprocess
import sys

from infra.local.emulator import ROOT

# The sweep for dead letters reads the list of messages and puts a new one in its place. The list
# here has a message sent at the worst moment: when it has been read to its end.
_SEND_DURING_SWEEP = """
import json, sys, threading
from ministack.services import sqs
from infra.local.patches import queue_lock

if sys.argv[1] == "patched":
    queue_lock.apply()

dead = sqs._HANDLERS["CreateQueue"]({"QueueName": "dead"}, "")["QueueUrl"]
arn = sqs._queues[dead]["attributes"]["QueueArn"]
policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 3})
created = {"QueueName": "queue", "Attributes": {"RedrivePolicy": policy}}
url = sqs._HANDLERS["CreateQueue"](created, "")["QueueUrl"]


def send():
    sqs._HANDLERS["SendMessage"]({"QueueUrl": url, "MessageBody": "hello"}, url)


class ReadToItsEnd(list):
    def __iter__(self):
        yield from super().__iter__()
        sender = threading.Thread(target=send)
        sender.start()
        sender.join(0.3)


sqs._queues[url]["messages"] = ReadToItsEnd()
sqs._dlq_sweep(sqs._queues[url])
for thread in threading.enumerate():
    if thread is not threading.main_thread():
        thread.join()
print(len(sqs._queues[url]["messages"]))
"""


def messages_left(mode: str) -> str:
    command = [sys.executable, "-c", _SEND_DURING_SWEEP, mode]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()


def test_message_sent_during_a_sweep_stays() -> None:
    assert messages_left("patched") == "1"


def test_upstream_still_loses_it() -> None:
    assert messages_left("as it is") == "0", "drop the patch: the emulator has been mended"
