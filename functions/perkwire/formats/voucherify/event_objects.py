"""What one event says, in Voucherify's words.

A programme is a campaign there, and a membership in it is a voucher: the loyalty card.
"""

from functools import cached_property

from perkwire.formats.reading import Object, number, part, present, text
from perkwire.formats.voucherify.objects import (
    VoucherifyObject,
    campaign,
    customer,
    referral_code,
    voucher,
    whole_customer,
)
from perkwire.formats.voucherify.orders import order, reward
from perkwire.model.event import Event

_ABOUT_CUSTOMERS = (
    "customer.created",
    "customer.updated",
    "customer.deleted",
    "customer.confirmed",
    "customer.segment.",
)
_REFERRALS = {"referral.code_published", "referral.completed", "referral.rewarded"}
_USES = {
    "voucher.redeemed",
    "voucher.redemption_failed",
    "voucher.redemption_rolled_back",
    "voucher.redemption_rollback_failed",
}
_ORDER_STATUSES = {"order.created": "CREATED", "order.paid": "PAID", "order.cancelled": "CANCELED"}


class EventObjects:
    """Those of Voucherify's objects that several members of a webhook's `data` are made of.

    `webhook` is the webhook's type, as a project or a distribution calls it.
    """

    def __init__(self, event: Event, webhook: str) -> None:
        self.event = event
        self.type = event.type
        self.webhook = webhook
        self.member = self.part("member")
        self.transaction = self.part("transaction")
        self.is_about_customer = webhook.startswith(_ABOUT_CUSTOMERS)
        self.is_referral = event.type in _REFERRALS
        self.is_loyalty = "loyalty" in webhook or "reward_redemptions" in webhook

    def part(self, *path: str) -> Object:
        """The neutral object at the end of these members of the event's data, perhaps empty."""
        return part(self.event.data, *path)

    @cached_property
    def customer(self) -> VoucherifyObject:
        """The member."""
        if self.is_about_customer:
            return whole_customer(self.member, self.event.program_id)
        return customer(self.member)

    @cached_property
    def referrer(self) -> VoucherifyObject:
        """Who brought the friend in; of a referral the member, unless it names another."""
        return customer(self._referrer)

    @cached_property
    def campaign(self) -> VoucherifyObject:
        """The event's own, or else the programme."""
        return campaign(self.part("campaign"), self.event.program_id, loyalty=self.is_loyalty)

    @cached_property
    def voucher(self) -> VoucherifyObject:
        """The code that the event is about; of points and rewards the member's card."""
        given = self.part("voucher")
        kind = text(given, "type")
        if self.is_referral:
            code = given if kind == "referral_code" else {}
            return referral_code(code, self.part("referral"), self.campaign, self._referrer)
        if self.is_loyalty and not given:
            given = self._card()
        if self.type == "voucher.gift_credits_added":
            # Here `value` is what was added, not what the card is worth: see `credit_balance`.
            given = {name: value for name, value in given.items() if name != "value"}
        return voucher(given, self.campaign, self._holder)

    @cached_property
    def holder(self) -> VoucherifyObject:
        """Whose card or code it is."""
        return customer(self._holder)

    @cached_property
    def order(self) -> VoucherifyObject:
        """What was bought: of a referral, what the friend bought."""
        buyer = customer(self.part("referral", "friend")) if self.is_referral else self.customer
        status = _ORDER_STATUSES.get(self.type)
        whole = self.webhook.startswith("customer.order.")
        return order(self.part("order"), status, buyer, self.referrer, whole=whole)

    @cached_property
    def reward(self) -> VoucherifyObject:
        """What was redeemed or given. The voucher of a referral's reward is what was given."""
        given = self.part("voucher")
        given_away = self.is_referral and text(given, "type") != "referral_code"
        code = voucher(given, None, self.member) if given_away else None
        return reward(self.part("reward"), code, self.member)

    @property
    def _holder(self) -> Object:
        """The member; but who uses a code need not be the one who holds it."""
        anyone = self.type in _USES and text(self.part("voucher"), "type") != "loyalty_card"
        return self.part("holder") or ({} if anyone else self.member)

    @property
    def _referrer(self) -> Object:
        return self.part("referral", "referrer") or (self.member if self.is_referral else {})

    def _card(self) -> Object:
        said = {
            "id": text(self.member, "membership_id"),
            "balance": number(self.transaction, "balance_after"),
        }
        known = present(said) or part(self.member, "points")
        return present({**said, "type": "loyalty_card"}) if known else {}
