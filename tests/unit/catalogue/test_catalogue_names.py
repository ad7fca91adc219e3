"""What the products call the types: the lists of events that their pages print."""

from collections import Counter

import pytest

from perkwire.catalogue.event_types import event_types
from perkwire.catalogue.names import names_in, product_events
from perkwire.reading.type_listing import show_type

PRODUCTS = ("okendo", "qualifio", "voucherify", "zinrelo", "zoho-thrive")

# What follows is typed from the pages, in their order.

ZOHO_THRIVE = """
Share on Facebook; Share on X; Make a Purchase; Become a Member; Referral Purchase; Refer a Friend;
Zoho Survey; Like us on Facebook; Follow us on Instagram; Follow us on LinkedIn; Follow us on X;
Subscribe to us on YouTube; Purchase Value Goal; Purchase Count Goal; Custom Task;
Review on GetApp; Review on Capterra; Review on Product Hunt; Review on Trustpilot;
Customer Testimonial; Review on Google; Manual Point Adjustment; Reward Redemption; Tier Upgrade;
Manual Referral Addition; Manual Opt-in
"""
ZOHO_THRIVE_PRINTED = {
    "Tier Upgrade": "tier_upgrade",
    "Manual Opt-in": "opt_in",
    "Manual Referral Addition": "opt_in",
    "Make a Purchase": "new_purchase",
    "Reward Redemption": "redeem_rewards",
    "Follow us on Instagram": "follow_instagram",
    "Review on Google": "google_review_activity",
    "Customer Testimonial": "testimonial_activity",
    "Custom Task": "custom_activity_tracker",
}
ZINRELO = {
    "Member Enrollment Event": "event_member_enrol",
    "Points Earned Event": "event_points_earned",
    "Points Redeemed Event": "event_points_redeemed",
    "Points Deducted Event": "event_points_deducted",
    "Tier Upgrade Event": "event_member_tierupgrade",
    "Tier Downgrade Event": "event_member_tierdowngrade",
    "Points Expired Event": "event_points_expired",
    "Friend Incentive Request Event": "event_friend_incentive_request",
    "Member Updated Event": "event_member_update",
    "Referral link shared via Email or Social Channels Event": "event_referral_link_share",
    "Referral Successful Event": "event_referral_success",
    "Points Rejected Event": "event_points_rejected",
    "Member Deleted Event": "event_member_delete",
    "Winback Offer": "event_winback_offer",
    "Available Rewards Reminder Event": "event_available_rewards_reminder",
    "Member OTP Generation Event": "event_member_otp_generation",
    "Points Expiration Reminder Event": "event_points_expiration_reminder",
    "Rewards within reach Reminder Event": "event_rewards_within_reach_reminder",
    "Campaign Entered": "event_campaign_entered",
    "Campaign Exited": "event_campaign_exited",
}
QUALIFIO = """
Profile creation; Member portal visit; Change in level; Earning; Burning; Point correction +;
Point correction -; Free Gift
"""
OKENDO = """
Review Created; Review Updated; Review Deleted;
Loyalty Member Created; Loyalty Member Updated; Loyalty Member Deleted;
Loyalty Transaction Adjustment Created; Loyalty Transaction Adjustment Updated;
Loyalty Transaction Adjustment Deleted;
Loyalty Earning Transaction Created; Loyalty Earning Transaction Updated;
Loyalty Earning Transaction Deleted;
Loyalty Redemption Transaction Created; Loyalty Redemption Transaction Updated;
Loyalty Redemption Transaction Deleted;
Quiz Response Created; Quiz Response Updated; Quiz Response Deleted;
Survey Response Created; Survey Response Updated; Survey Response Deleted;
Referral Created; Referral Updated; Referral Deleted
"""
VOUCHERIFY_TRIGGERS = """
Customer entered segment; Customer left segment; Order update; Order has been paid; Order creation;
Order cancelled; Gift credits added; Loyalty points added; Voucher redeemed;
Voucher redemption rollback; Reward redemption; Custom event; Manual message; Successfully published
"""
VOUCHERIFY_PROGRAMMES = """
Publication (assigning) a loyalty card to a customer; New points on the loyalty card;
Reward redemption and updated points balance;
When a new referral code is published to a referrer.;
When the referrer becomes eligible to receive a reward.
"""
VOUCHERIFY_TYPES = """
customer.created; customer.updated; customer.deleted; customer.confirmed; customer.rewarded;
customer.rewarded.loyalty_points; customer.reward_redemptions.created;
customer.reward_redemptions.pending; customer.reward_redemptions.completed;
customer.loyalty.tier.joined; customer.loyalty.tier.upgraded; customer.loyalty.tier.downgraded;
customer.loyalty.tier.prolonged; customer.loyalty.tier.left;
customer.voucher.loyalty_card.points_added; customer.voucher.loyalty_card.points_expired;
customer.voucher.loyalty_card.pending_points.activated;
customer.voucher.loyalty_card.pending_points.added;
customer.voucher.loyalty_card.pending_points.canceled;
customer.voucher.loyalty_card.pending_points.updated;
voucher.loyalty_card.transaction.created; voucher.loyalty_card.points_added;
voucher.loyalty_card.points_expired; campaign.loyalty_tier.created; campaign.loyalty_tier.updated;
campaign.loyalty_tier.deleted; redemption.succeeded; redemption.failed;
redemption.rollback.succeeded; redemption.rollback.failed; publication.succeeded;
voucher.published;
customer.referred; customer.segment.entered; customer.segment.left; customer.order.created;
customer.order.paid; customer.order.updated; customer.order.canceled; customer.custom_event;
manual_distribution_schedule
"""


def labels(text: str) -> list[str]:
    return [label.strip().replace("\n", " ") for label in text.split(";")]


# The lines whose body no page prints, whole or in part.
BODIES_INFERRED = {
    "zinrelo": set(ZINRELO)
    - {
        "Member Enrollment Event",
        "Member Updated Event",
        "Member Deleted Event",
    },
    "okendo": {
        f"{of} {topic}"
        for of in (
            "Review",
            "Loyalty Member",
            "Loyalty Earning Transaction",
            "Loyalty Redemption Transaction",
            "Quiz Response",
            "Survey Response",
            "Referral",
        )
        for topic in ("Created", "Updated", "Deleted")
    },
    "voucherify": set(),
    "zoho-thrive": {"Become a Member", "Zoho Survey", "Manual Point Adjustment"},
    "qualifio": set(labels(QUALIFIO)),
}


@pytest.mark.parametrize(
    ("product", "printed", "number"),
    [
        ("zoho-thrive", labels(ZOHO_THRIVE), 26),
        ("zinrelo", [*ZINRELO], 20),
        ("qualifio", labels(QUALIFIO), 8),
        ("okendo", labels(OKENDO), 24),
        (
            "voucherify",
            labels(VOUCHERIFY_TRIGGERS) + labels(VOUCHERIFY_PROGRAMMES) + labels(VOUCHERIFY_TYPES),
            14 + 5 + 41,
        ),
    ],
)
def test_every_event_of_a_page_is_there_in_its_order(
    product: str, printed: list[str], number: int
) -> None:
    assert [event.label for event in product_events(product)] == printed
    assert len(set(printed)) == number


@pytest.mark.parametrize("product", PRODUCTS)
def test_every_event_of_a_product_comes_from_types_of_the_catalogue(product: str) -> None:
    for event in product_events(product):
        assert event.types
        assert all(name == "custom.*" or name in event_types() for name in event.types), event


def test_every_type_is_known_by_a_product() -> None:
    known = {name for product in PRODUCTS for name in names_in(product)}

    assert known == {*event_types(), "custom.*"}


@pytest.mark.parametrize("product", PRODUCTS)
def test_a_type_has_one_name_in_a_product(product: str) -> None:
    for event in product_events(product):
        assert {names_in(product)[name] for name in event.types} == {event.name}


@pytest.mark.parametrize("product", PRODUCTS)
def test_an_inferred_name_says_what_the_page_leaves_open(product: str) -> None:
    assert [
        event for event in product_events(product) if event.name.inferred and not event.note
    ] == []


def test_printed_names_are_the_pages_and_all_others_are_said_to_be_inferred() -> None:
    def printed(product: str) -> dict[str, str]:
        events = product_events(product)
        return {event.label: event.name.name for event in events if not event.name.inferred}

    assert printed("zinrelo") == ZINRELO
    assert printed("zoho-thrive") == ZOHO_THRIVE_PRINTED
    assert printed("qualifio") == {}
    assert set(printed("okendo").values()) == {
        "review",
        "loyalty_customer",
        "loyalty_adjustment_transaction",
        "loyalty_earning_transaction",
        "loyalty_redemption_transaction",
        "quiz_response",
        "survey_response",
        "referral",
    }
    for event in product_events("voucherify"):
        assert event.label not in labels(VOUCHERIFY_TYPES) or event.label in (
            event.name.name,
            event.name.in_distribution,
            event.name.otherwise,
        )


@pytest.mark.parametrize("product", PRODUCTS)
def test_a_body_that_no_page_prints_is_said_to_be_inferred(product: str) -> None:
    inferred = {event.label for event in product_events(product) if event.name.body_inferred}

    assert inferred == BODIES_INFERRED[product]


def test_the_names_of_a_type_say_what_is_inferred() -> None:
    survey, rejected = show_type("survey_response.created"), show_type("points.rejected")

    assert isinstance(survey["names"], dict)
    assert isinstance(rejected["names"], dict)
    assert survey["names"]["standard"] == {
        "name": "survey_response.created",
        "inferred": False,
        "body_inferred": False,
    }
    assert survey["names"]["zoho-thrive"] == {
        "name": "zoho_survey",
        "inferred": True,
        "body_inferred": True,
    }
    assert rejected["names"]["zinrelo"] == {
        "name": "event_points_rejected",
        "inferred": False,
        "body_inferred": True,
    }


def test_every_okendo_resource_is_created_updated_and_deleted() -> None:
    resources = Counter(event.name.name for event in product_events("okendo"))
    topics = {"Created": "create", "Updated": "update", "Deleted": "delete"}

    assert set(resources.values()) == {3}
    assert len(resources) == 8
    for event in product_events("okendo"):
        assert event.name.topic == topics[event.label.rpartition(" ")[2]]


def test_a_product_without_names_has_none() -> None:
    assert product_events("standard") == ()
    assert names_in("standard") == {}
