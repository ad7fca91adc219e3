"""ConfigTable as the brand is kept in it: one item, `brand` and `brand`."""

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.exceptions import TransactWriteError
from pynamodb.transactions import TransactWrite

from perkwire.adapters.dynamodb.activity_log import ActivityLog, conditions, unavailable
from perkwire.adapters.dynamodb.config_items import ConfigItem
from perkwire.adapters.dynamodb.tables import find
from perkwire.managing.stores import ChangedMeanwhile
from perkwire.model.activity import brand_change
from perkwire.model.brand import Brand
from perkwire.model.logo import Logo

_PK = _SK = "brand"


class BrandItem(ConfigItem, discriminator="brand"):
    """The platform's name, colour and logo."""

    name = UnicodeAttribute()
    colour = UnicodeAttribute(null=True)
    logo_type = UnicodeAttribute(null=True)
    logo = BinaryAttribute(legacy_encoding=False, null=True)
    logo_width = NumberAttribute(null=True)
    version = NumberAttribute()


BRAND_ITEMS: tuple[type[ConfigItem], ...] = (BrandItem,)


class BrandStore:
    """Fulfils branding.Brands."""

    def __init__(self, connection: Connection, activity: ActivityLog) -> None:
        self._connection = connection
        self._activity = activity

    def find(self) -> Brand:
        """The brand, read consistently; raises Unavailable."""
        item = find(BrandItem, _PK, _SK)
        if item is None:
            return Brand()
        logo = None
        if item.logo is not None and item.logo_type is not None and item.logo_width is not None:
            logo = Logo(item.logo_type, item.logo, float(item.logo_width))
        return Brand(name=item.name, colour=item.colour, logo=logo, version=int(item.version))

    def replace(self, before: Brand, after: Brand) -> None:
        """Store another; raises ChangedMeanwhile, Unavailable."""
        logo = after.logo
        item = BrandItem(
            _PK,
            _SK,
            name=after.name,
            colour=after.colour,
            logo_type=logo and logo.media_type,
            logo=logo and logo.content,
            logo_width=logo and logo.width,
            version=after.version,
        )
        unchanged = (
            BrandItem.version == before.version if before.version else BrandItem.pk.does_not_exist()
        )
        try:
            with TransactWrite(connection=self._connection) as transaction:
                transaction.save(item, condition=unchanged)
                self._activity.add(transaction, brand_change(before, after))
        except TransactWriteError as error:
            if not conditions(error, 1)[0]:
                raise ChangedMeanwhile from None
            raise unavailable(error) from error
