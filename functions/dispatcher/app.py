"""Dispatcher: delivery messages in, signed requests out. The only function that calls endpoints.

Management invokes it directly to test a webhook, and to have signed what is pulled.
"""

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

from pynamodb.connection import Connection

from perkwire.adapters import aws
from perkwire.adapters.dynamodb import tables
from perkwire.adapters.dynamodb.config_items import CONFIG_ITEMS
from perkwire.adapters.dynamodb.contract_texts import ContractTexts
from perkwire.adapters.dynamodb.delivery_items import DELIVERY_TABLE_ITEMS
from perkwire.adapters.dynamodb.delivery_records import DeliveryRecords
from perkwire.adapters.dynamodb.delivery_table import DeliveryTable
from perkwire.adapters.dynamodb.signal_counts import SignalCounts
from perkwire.adapters.dynamodb.webhook_states import WebhookStates
from perkwire.adapters.initialising import while_initialising
from perkwire.adapters.pull_calls import answer_pull, is_pull
from perkwire.adapters.sender.http import HttpSender
from perkwire.adapters.sender.tls import tls_context
from perkwire.adapters.signals import signals_to
from perkwire.adapters.sqs.event_source import batch_item_failures
from perkwire.adapters.sqs.visibility import SqsVisibility
from perkwire.adapters.telemetry import LambdaContext, Telemetry
from perkwire.adapters.topics import NoticePublisher
from perkwire.adapters.trial_calls import answer_test, is_test
from perkwire.adapters.vault import Opener
from perkwire.dispatching.dispatcher import Dispatcher
from perkwire.dispatching.follow_up import FollowUp
from perkwire.dispatching.noticing import Noticing
from perkwire.dispatching.pausing import PauseRule
from perkwire.dispatching.signalling import Signalling
from perkwire.dispatching.signing import PullSigner
from perkwire.dispatching.timing import DispatchRule
from perkwire.formats.lookup import FormatLookup
from perkwire.model.messages import Received
from perkwire.primitives.timestamps import now
from perkwire.settings.dispatcher import DispatcherSettings
from perkwire.settings.environment import emulator_ports
from perkwire.trials.sender import TrialSender
from perkwire.trials.trial import MOST_SECONDS

_BATCH = 10  # the mapping's BatchSize: a thread for each request of an invocation
_SPARE_THREADS = 2
_ANSWER_SECONDS = 0.1  # what the answer to SQS needs after all else


@cache
def _telemetry() -> Telemetry:
    return Telemetry("dispatcher")


@cache
def _settings() -> DispatcherSettings:
    return DispatcherSettings.from_env(os.environ)


@cache
def _connection() -> Connection:
    settings = _settings()
    connection = tables.connect("batch_write_item")
    tables.bind(connection, settings.config_table, *CONFIG_ITEMS)
    tables.bind(connection, settings.delivery_table, *DELIVERY_TABLE_ITEMS)
    return connection


@cache
def _vault() -> Opener:
    return Opener(aws.kms(_connection()), _settings().secret_key_id)


@cache
def _formats() -> FormatLookup:
    return FormatLookup(ContractTexts())


@cache
def _sender(timeout_seconds: float) -> HttpSender:
    return HttpSender(
        timeout_seconds=timeout_seconds,
        policy=_settings().endpoint_policy,
        denied_ports=emulator_ports(os.environ),
    )


def _signalling() -> Signalling | None:
    """Made only where there is a bus."""
    settings, telemetry = _settings(), _telemetry()
    signals = signals_to(settings.signal_bus_name, _connection(), telemetry)
    if signals is None:
        return None
    return Signalling(
        counts=SignalCounts(),
        signals=signals,
        journal=telemetry,
        interval_minutes=settings.notice_interval_minutes,
    )


@cache
def _dispatching() -> Dispatcher:
    settings = _settings()
    telemetry = _telemetry()
    connection = _connection()
    states = WebhookStates()
    return Dispatcher(
        records=DeliveryRecords(),
        log=DeliveryTable(connection, telemetry, log_retention_days=settings.log_retention_days),
        vault=_vault(),
        formats=_formats(),
        sender=_sender(settings.endpoint_timeout_seconds),
        visibility=SqsVisibility(lambda: aws.sqs(connection, briefly=True), telemetry),
        follow_up=FollowUp(
            health=states,
            noticing=Noticing(
                counts=states,
                publisher=NoticePublisher(lambda: aws.sns(connection)),
                journal=telemetry,
                interval_minutes=settings.notice_interval_minutes,
                console_url=settings.console_url,
            ),
            signalling=_signalling(),
            journal=telemetry,
            rule=PauseRule(settings.pause_after_failures, settings.pause_when_exhausted),
            max_attempts=settings.max_attempts,
            request_seconds=settings.endpoint_timeout_seconds,
            clock=now,
        ),
        journal=telemetry,
        rule=DispatchRule(
            max_attempts=settings.max_attempts,
            retry_interval_seconds=settings.retry_interval_seconds,
            request_seconds=settings.endpoint_timeout_seconds,
            log_successes=settings.log_successes,
        ),
        executor=ThreadPoolExecutor(_BATCH + _SPARE_THREADS, thread_name_prefix="send"),
        clock=now,
    )


@cache
def _sampling() -> TrialSender:
    return TrialSender(
        webhooks=WebhookStates(),
        vault=_vault(),
        formats=_formats(),
        sender=_sender(min(_settings().endpoint_timeout_seconds, MOST_SECONDS)),
        journal=_telemetry(),
        clock=now,
    )


@cache
def _signing() -> PullSigner:
    return PullSigner(
        webhooks=WebhookStates(),
        vault=_vault(),
        formats=_formats(),
        journal=_telemetry(),
        clock=now,
    )


def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Send each delivery; the partial batch response names those that SQS is to bring again."""
    _telemetry().begin(context.aws_request_id)
    if is_test(event):
        return answer_test(event, _telemetry(), lambda trial: _sampling().send(trial))
    if is_pull(event):
        return answer_pull(event, _telemetry(), lambda *asked: _signing().sign(*asked))

    def dispatch(received: Sequence[Received]) -> Sequence[str]:
        return _dispatching().dispatch(
            received,
            lambda: context.get_remaining_time_in_millis() / 1000 - _ANSWER_SECONDS,
        )

    return batch_item_failures(event, _telemetry(), dispatch)


while_initialising(_dispatching, _sampling, tls_context)
