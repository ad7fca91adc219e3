"""The use cases that people reach, through the API or the console, on one stack's resources."""

import time
from collections.abc import Mapping, Sequence, Set
from functools import cached_property
from typing import TYPE_CHECKING

from perkwire.accepting.acceptance import Acceptance
from perkwire.accepting.mending import Mending
from perkwire.adapters import aws
from perkwire.adapters.dynamodb import tables
from perkwire.adapters.dynamodb.account_store import AccountStore, KeyStore
from perkwire.adapters.dynamodb.activity_log import ActivityLog, ActivityReader
from perkwire.adapters.dynamodb.brand_store import BRAND_ITEMS, BrandStore
from perkwire.adapters.dynamodb.claim_table import ClaimTable
from perkwire.adapters.dynamodb.config_items import CONFIG_ITEMS
from perkwire.adapters.dynamodb.confirmation_counter import ConfirmationCounter
from perkwire.adapters.dynamodb.contract_store import ContractStore
from perkwire.adapters.dynamodb.delivery_items import DELIVERY_TABLE_ITEMS
from perkwire.adapters.dynamodb.delivery_table import DeliveryReader, RetryableDeliveries
from perkwire.adapters.dynamodb.erasure_store import ERASURE_ITEMS, ErasureStore
from perkwire.adapters.dynamodb.event_index import EventIndex
from perkwire.adapters.dynamodb.event_table import EVENT_TABLE_ITEMS, EventReader
from perkwire.adapters.dynamodb.health_reader import HealthReader
from perkwire.adapters.dynamodb.job_store import JOB_ITEMS, JobStore
from perkwire.adapters.dynamodb.key_lookup import KeyLookup
from perkwire.adapters.dynamodb.link_counter import LinkCounter
from perkwire.adapters.dynamodb.mentions import Mentions
from perkwire.adapters.dynamodb.rejected_events import REJECTED_ITEMS, RejectedEventTable
from perkwire.adapters.dynamodb.session_store import SESSION_ITEMS, LinkStore, SessionStore
from perkwire.adapters.dynamodb.slot_counter import SlotCounter
from perkwire.adapters.dynamodb.trial_counter import (
    ContractCheckCounter,
    DryRunCounter,
    SearchCounter,
    TrialCounter,
)
from perkwire.adapters.dynamodb.wait_places import WaitPlaces
from perkwire.adapters.dynamodb.waiting_table import WaitingTable
from perkwire.adapters.dynamodb.webhook_lookup import WebhookLookup
from perkwire.adapters.dynamodb.webhook_store import WebhookStore
from perkwire.adapters.mails import SesMailer
from perkwire.adapters.pull_calls import SigningFunction
from perkwire.adapters.signals import signals_to
from perkwire.adapters.sqs.dead_letters import DeadLetterQueues
from perkwire.adapters.sqs.delivery_traffic import DeliveryTraffic
from perkwire.adapters.sqs.move_tasks import SqsMoveTasks
from perkwire.adapters.sqs.queue_age import QueueAge
from perkwire.adapters.sqs.queues import SqsQueue, delivery_queues
from perkwire.adapters.telemetry import Telemetry
from perkwire.adapters.topics import NoticeTopics
from perkwire.adapters.trial_calls import DispatcherFunction
from perkwire.adapters.vault import Sealer
from perkwire.dispatching.pulling import Pulling
from perkwire.formats.lookup import FormatLookup
from perkwire.jobs.asking import ErasureManagement
from perkwire.jobs.job import JobKind
from perkwire.jobs.selecting import EventSelection, FailedSelection
from perkwire.jobs.sending_on import SendingOn
from perkwire.jobs.starting import JobManagement
from perkwire.managing.accounts import AccountManagement
from perkwire.managing.branding import Branding
from perkwire.managing.contracts import ContractManagement
from perkwire.managing.listening import Listening
from perkwire.managing.mailing_links import MailedLinks
from perkwire.managing.signing_in import SigningIn
from perkwire.managing.webhook_draft import EndpointRules
from perkwire.managing.webhooks import WebhookManagement
from perkwire.model.account_rates import AccountRates
from perkwire.model.activity import BY_NOBODY, Acting
from perkwire.model.event import DataCheck
from perkwire.model.hand_over import HandOver
from perkwire.model.lanes import Lane
from perkwire.model.waiting import WaitingList
from perkwire.primitives.problem import FieldError
from perkwire.primitives.strict_json import Json
from perkwire.primitives.timestamps import now
from perkwire.reading.activity import ActivityListing
from perkwire.reading.event_listing import EventListing
from perkwire.reading.filter_previewing import FilterPreviewing
from perkwire.reading.job_outcomes import JobOutcomes
from perkwire.reading.log import LogReader
from perkwire.reading.member_listing import MemberListing
from perkwire.reading.troubles import Overlooking
from perkwire.reading.trying_contracts import unsayable_examples
from perkwire.recovering.redriving import RedriveQueue, Redriving
from perkwire.recovering.retrying import Retrying
from perkwire.settings.management import ManagementSettings
from perkwire.trials.runner import TrialRunner
from perkwire.trials.sample_events import SampleEvents

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

    from perkwire.adapters.aws import MetricsClient


class UseCases:
    """Each use case, made when it is first asked for: an AWS client takes its time to make."""

    def __init__(
        self, settings: ManagementSettings, emulator_ports: Set[int], telemetry: Telemetry
    ) -> None:
        self._settings = settings
        self._telemetry = telemetry
        self._connection = connection = tables.connect()
        tables.bind(
            connection,
            settings.config_table,
            *CONFIG_ITEMS,
            *JOB_ITEMS,
            *ERASURE_ITEMS,
            *SESSION_ITEMS,
            *BRAND_ITEMS,
        )
        tables.bind(connection, settings.event_table, *EVENT_TABLE_ITEMS, *REJECTED_ITEMS)
        tables.bind(connection, settings.delivery_table, *DELIVERY_TABLE_ITEMS)
        self._lookup = WebhookLookup()
        self.rules = EndpointRules(
            settings.endpoint_policy, frozenset(emulator_ports), settings.max_attempts
        )
        self.acting = Acting(BY_NOBODY)
        self._activity = activity = ActivityLog(self.acting)
        self.account_store = AccountStore(connection, activity)
        self.contract_store = ContractStore(connection, activity)
        self.formats = FormatLookup(self.contract_store)
        self.searches = SearchCounter()
        self.slots = SlotCounter()
        self.waiting = WaitingTable(connection, log_retention_days=settings.log_retention_days)
        self._signals = signals_to(settings.signal_bus_name, connection, telemetry)
        self.rates = AccountRates(settings.account_rate_limit, settings.account_burst_limit, now)

    @cached_property
    def accounts(self) -> AccountManagement:
        """Accounts and API keys."""
        return AccountManagement(
            accounts=self.account_store,
            api_keys=KeyStore(self._connection, self._activity),
            topics=self._topics,
            webhooks=self._webhook_store,
            clock=now,
            mails_links=bool(self._settings.mail_sender),
        )

    @cached_property
    def branding(self) -> Branding:
        """The platform's own name, logo and colour."""
        return Branding(BrandStore(self._connection, self._activity), now)

    @cached_property
    def mailed_links(self) -> MailedLinks:
        """Console links by mail; of use where the stack has a sender."""
        return MailedLinks(
            addresses=self.account_store,
            accounts=self.account_store,
            confirmations=self._topics,
            links=LinkStore(self._activity),
            counter=LinkCounter(),
            mailer=SesMailer(
                lambda: aws.ses(self._connection),
                self._settings.mail_sender,
                lambda: self.branding.shown().name,
            ),
            journal=self._telemetry,
            clock=now,
        )

    @cached_property
    def _topics(self) -> NoticeTopics:
        connection, mails = self._connection, ConfirmationCounter(now)
        return NoticeTopics(lambda: aws.sns(connection), self._settings.stack_name, mails.count)

    @cached_property
    def signing_in(self) -> SigningIn:
        """Console links and sessions."""
        return SigningIn(
            links=LinkStore(self._activity),
            sessions=SessionStore(),
            keys=KeyLookup(),
            accounts=self.account_store,
            clock=now,
        )

    @cached_property
    def _webhook_store(self) -> WebhookStore:
        return WebhookStore(
            self._connection,
            tombstone_days=self._settings.event_retention_days,
            activity=self._activity,
        )

    @cached_property
    def webhooks(self) -> WebhookManagement:
        """Webhooks."""
        settings = self._settings
        return WebhookManagement(
            accounts=self.account_store,
            webhooks=self._webhook_store,
            sealer=Sealer(aws.kms(self._connection), settings.secret_key_id),
            rules=self.rules,
            most_webhooks=settings.max_webhooks_per_account,
            formats=self.formats,
            signals=self._signals,
            clock=now,
        )

    @cached_property
    def listening(self) -> Listening:
        """Listening on one's own machine."""
        return Listening(webhooks=self.webhooks, accounts=self.accounts, clock=now)

    @cached_property
    def contracts(self) -> ContractManagement:
        """Contracts, an account's own and the operators'."""
        return ContractManagement(
            accounts=self.account_store,
            contracts=self.contract_store,
            counter=ContractCheckCounter(),
            check=unsayable_examples,
            clock=now,
        )

    @cached_property
    def trying(self) -> TrialRunner:
        """Tests of webhooks."""
        return TrialRunner(
            webhooks=self.webhooks,
            rules=self.rules,
            counter=TrialCounter(),
            dispatcher=DispatcherFunction(
                aws.functions(self._connection), self._settings.dispatcher_function
            ),
            clock=now,
        )

    @cached_property
    def pulling(self) -> Pulling:
        """What is pulled."""
        return Pulling(
            lists=self.waiting,
            log=DeliveryReader(),
            events=EventReader(),
            signer=SigningFunction(
                aws.functions(self._connection), self._settings.dispatcher_function
            ),
            waits=WaitPlaces(),
            sleep=time.sleep,
            clock=now,
        )

    def sample_events(self, event_queue_url: str) -> SampleEvents:
        """Samples that go through the queue of this address."""
        queue = SqsQueue(self._sqs, event_queue_url, self._telemetry)
        return SampleEvents(webhooks=self._lookup, queue=queue, clock=now)

    @cached_property
    def log(self) -> LogReader:
        """The log of deliveries, and single events."""
        return LogReader(
            deliveries=DeliveryReader(),
            events=EventReader(),
            webhooks=self._lookup,
            formats=self.formats,
            retry_interval_seconds=self._settings.retry_interval_seconds,
            log_retention_days=self._settings.log_retention_days,
            clock=now,
        )

    @cached_property
    def events(self) -> EventListing:
        """The accepted events."""
        return EventListing(
            EventIndex(), event_retention_days=self._settings.event_retention_days, clock=now
        )

    @cached_property
    def members(self) -> MemberListing:
        """The events that name a member."""
        return MemberListing(
            accounts=self.account_store,
            mentions=Mentions(),
            events=EventReader(),
            outcomes=self.log.outcomes,
            index=self._settings.member_index,
            event_retention_days=self._settings.event_retention_days,
            clock=now,
        )

    @cached_property
    def streaks(self) -> HealthReader:
        """Streaks of failed attempts."""
        return HealthReader()

    @cached_property
    def overlooking(self) -> Overlooking:
        """What is failing across accounts."""
        return Overlooking(
            webhooks=self._lookup,
            streaks=self.streaks,
            deliveries=DeliveryReader(),
            retry_interval_seconds=self._settings.retry_interval_seconds,
            clock=now,
        )

    @cached_property
    def activity(self) -> ActivityListing:
        """Who changed what."""
        return ActivityListing(
            ActivityReader(), KeyStore(self._connection, self._activity), self.account_store
        )

    @cached_property
    def filter_previews(self) -> FilterPreviewing:
        """What filters would have let through."""
        return FilterPreviewing(
            accounts=self.account_store,
            listing=self.events,
            events=EventReader(),
            searches=self.searches,
            clock=now,
        )

    @cached_property
    def retrying(self) -> Retrying:
        """Sending selected deliveries again."""
        return Retrying(
            deliveries=RetryableDeliveries(self._telemetry),
            events=EventReader(),
            webhooks=self._lookup,
            hand_over=self._hand_over,
            retry_interval_seconds=self._settings.retry_interval_seconds,
            clock=now,
        )

    @cached_property
    def sending_on(self) -> SendingOn:
        """Sending the events of deliveries to another webhook."""
        return SendingOn(
            deliveries=DeliveryReader(),
            events=EventReader(),
            webhooks=self._lookup,
            hand_over=self._hand_over,
            clock=now,
        )

    @cached_property
    def _hand_over(self) -> HandOver:
        settings, telemetry = self._settings, self._telemetry
        return HandOver(
            delivery_queues=delivery_queues(
                self._sqs,
                prompt_url=settings.delivery_queue_url,
                slow_url=settings.slow_delivery_queue_url,
                journal=telemetry,
            ),
            pacing_queue=SqsQueue(self._sqs, settings.pacing_queue_url, telemetry),
            slots=self.slots,
            waiting=WaitingList(
                self.waiting, SqsQueue(self._sqs, settings.job_queue_url, telemetry)
            ),
            journal=telemetry,
            clock=now,
        )

    @cached_property
    def traffic(self) -> DeliveryTraffic:
        """What the lanes and PacingQueue hold."""
        settings = self._settings
        urls = {
            Lane.PROMPT: settings.delivery_queue_url,
            Lane.SLOW: settings.slow_delivery_queue_url,
        }
        return DeliveryTraffic(self._sqs, urls, settings.pacing_queue_url, self._queue_age)

    @cached_property
    def redriving(self) -> Redriving:
        """Redrives of the dead-letter queues."""
        settings, urls = self._settings, self._dead_letter_urls
        arns = {
            RedriveQueue.DELIVERIES: settings.dead_letter_queue_arn,
            RedriveQueue.EVENTS: settings.event_dead_letter_queue_arn,
            RedriveQueue.INBOX: settings.inbox_dead_letter_queue_arn,
        }
        tasks = SqsMoveTasks(self._sqs, arns, urls)
        return Redriving(tasks, self._activity, now, queues=[*urls])

    @cached_property
    def dead_letters(self) -> DeadLetterQueues:
        """What rests in the dead-letter queues."""
        return DeadLetterQueues(self._sqs, self._dead_letter_urls, self._queue_age)

    @cached_property
    def _dead_letter_urls(self) -> Mapping[RedriveQueue, str]:
        """Of those that the stack has."""
        settings = self._settings
        urls = {
            RedriveQueue.DELIVERIES: settings.dead_letter_queue_url,
            RedriveQueue.EVENTS: settings.event_dead_letter_queue_url,
            RedriveQueue.INBOX: settings.inbox_dead_letter_queue_url,
        }
        return {queue: url for queue, url in urls.items() if url}

    @cached_property
    def jobs(self) -> JobManagement:
        """Jobs over a time range."""
        settings = self._settings
        return JobManagement(
            jobs=JobStore(self._connection, self._activity),
            accounts=self.account_store,
            webhooks=self.webhooks,
            selections={
                JobKind.RETRY_FAILED: FailedSelection(
                    DeliveryReader(),
                    retry_interval_seconds=settings.retry_interval_seconds,
                    clock=now,
                ),
                JobKind.REPLAY: EventSelection(EventIndex()),
            },
            queue=SqsQueue(self._sqs, settings.job_queue_url, self._telemetry),
            dry_runs=DryRunCounter(),
            event_retention_days=settings.event_retention_days,
            signals=self._signals,
            clock=now,
        )

    @cached_property
    def erasures(self) -> ErasureManagement:
        """Erasures of members."""
        settings = self._settings
        return ErasureManagement(
            erasures=ErasureStore(self._connection, self._activity),
            accounts=self.account_store,
            queue=SqsQueue(self._sqs, settings.job_queue_url, self._telemetry),
            event_retention_days=settings.event_retention_days,
            dispatcher_timeout_seconds=settings.dispatcher_timeout_seconds,
            clock=now,
        )

    @cached_property
    def _schemas(self) -> DataCheck:
        # Imported here: nothing else that people reach checks the data of events.
        from perkwire.adapters.data_schemas import DataSchemas

        return DataSchemas()

    def _check_data(self, event_type: str, data: dict[str, Json]) -> Sequence[FieldError]:
        return self._schemas(event_type, data)

    @cached_property
    def mending(self) -> Mending:
        """Rejected events of the inbox."""
        settings, check_data = self._settings, self._check_data
        acceptance = Acceptance(
            claims=ClaimTable(
                self._connection, event_retention_days=settings.event_retention_days, clock=now
            ),
            kept_events=EventReader(),
            accounts=self._lookup,
            queue=SqsQueue(self._sqs, settings.event_queue_url, self._telemetry),
            check_data=check_data,
            journal=self._telemetry,
            clock=now,
        )
        return Mending(
            rejected=RejectedEventTable(
                event_retention_days=settings.event_retention_days, clock=now
            ),
            acceptance=acceptance,
            check_data=check_data,
            records=self._activity,
            has_inbox=bool(settings.inbox_queue_url),
        )

    @cached_property
    def _queue_age(self) -> QueueAge:
        return QueueAge(lambda: self._cloudwatch, self._telemetry, now)

    @cached_property
    def job_outcomes(self) -> JobOutcomes:
        """What has become of what jobs sent."""
        return JobOutcomes(
            DeliveryReader(),
            retry_interval_seconds=self._settings.retry_interval_seconds,
            clock=now,
        )

    @cached_property
    def _cloudwatch(self) -> "MetricsClient":
        return aws.cloudwatch(self._connection)

    @cached_property
    def _sqs(self) -> "SQSClient":
        return aws.sqs(self._connection)
