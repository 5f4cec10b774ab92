"""Cut the simulator's sub-schema out of Shopify's full Admin schema.

Run as ``python -m sandbox.shopify.cut_schema FULL.graphql``; writes ``schema.graphql`` beside this
file. The rule: the composite types named below are kept, with the connections over them, the
payloads and user errors of the kept mutations, and every scalar, enum and input type they touch.
A kept type keeps every field whose own type is kept, so a wrong field is refused and a right one
accepted. Names and types only: the descriptions stay with the original.
"""

from __future__ import annotations

import sys
from pathlib import Path

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    build_schema,
    get_named_type,
    is_specified_scalar_type,
    print_ast,
)

_QUERIES = """
automaticDiscountNode automaticDiscountNodes bulkOperation bulkOperations codeDiscountNode
codeDiscountNodeByCode codeDiscountNodes currentAppInstallation customer customerByIdentifier
customers customersCount discountNode discountNodes discountNodesCount event events eventsCount
fulfillment fulfillmentOrder fulfillmentOrders inventoryItem inventoryItems inventoryLevel job
location locations locationsCount manualHoldsFulfillmentOrders node nodes order
orderByIdentifier orders ordersCount product productByIdentifier productOperation productVariant
productVariantByIdentifier productVariants productVariantsCount products productsCount
publicApiVersions refund return shop shopifyPaymentsAccount webhookSubscription
webhookSubscriptions webhookSubscriptionsCount
"""
QUERIES = _QUERIES.split()

_MUTATIONS = """
bulkOperationCancel bulkOperationRunMutation bulkOperationRunQuery customerCreate customerDelete
customerEmailMarketingConsentUpdate customerSet customerSmsMarketingConsentUpdate customerUpdate
discountAutomaticBasicCreate discountAutomaticBasicUpdate discountAutomaticDeactivate
discountAutomaticDelete discountCodeActivate discountCodeBasicCreate discountCodeBasicUpdate
discountCodeDeactivate discountCodeDelete discountRedeemCodeBulkAdd fulfillmentCancel
fulfillmentCreate fulfillmentOrderHold fulfillmentOrderMove fulfillmentOrderReleaseHold
fulfillmentTrackingInfoUpdate inventoryActivate inventoryAdjustQuantities inventoryDeactivate
inventoryItemUpdate inventoryMoveQuantities inventorySetOnHandQuantities inventorySetQuantities
metafieldsSet orderCancel orderCapture orderClose orderCreate orderMarkAsPaid orderOpen
orderUpdate productCreate productDelete productSet productUpdate productVariantsBulkCreate
productVariantsBulkDelete productVariantsBulkUpdate refundCreate returnClose returnCreate
stagedUploadsCreate tagsAdd tagsRemove webhookSubscriptionCreate webhookSubscriptionDelete
webhookSubscriptionUpdate
"""
MUTATIONS = _MUTATIONS.split()

_TYPES = """
Node DisplayableError LegacyInteroperability PageInfo Count MoneyV2 MoneyBag Attribute Metafield
HasMetafields Job Image Event BasicEvent CommentEvent Order OrderApp OrderCancellation
CashRoundingAdjustment LineItem ShippingLine TaxLine DiscountApplication DiscountCodeApplication
AutomaticDiscountApplication ManualDiscountApplication ScriptDiscountApplication
DiscountAllocation PricingValue PricingPercentageValue OrderTransaction TransactionFee
OrderAdjustment Refund RefundLineItem RefundShippingLine Return ReturnLineItem
ReturnLineItemType SuggestedRefund ShippingRefund SuggestedOrderTransaction OrderPaymentStatus
OrderRiskSummary CustomerJourneySummary Duty Fulfillment FulfillmentLineItem
FulfillmentTrackingInfo FulfillmentEvent FulfillmentOrder FulfillmentOrderLineItem
FulfillmentOrderAssignedLocation FulfillmentOrderSupportedAction FulfillmentOrderDestination
FulfillmentHold DeliveryMethod FulfillmentService MailingAddress Location LocationAddress
Product ProductOption ProductOptionValue ProductVariant SelectedOption ProductPriceRangeV2
ProductSetOperation ProductOperation Collection SEO InventoryItem InventoryItemMeasurement
Weight InventoryLevel InventoryQuantity InventoryAdjustmentGroup InventoryChange Customer
CustomerEmailAddress CustomerPhoneNumber CustomerSmsMarketingConsent
CustomerSmsMarketingConsentState CustomerEmailMarketingConsentState CustomerStatistics
CustomerMergeable Shop ShopPlan ShopAddress ShopFeatures Domain App AppInstallation AccessScope
ApiVersion WebhookSubscription WebhookSubscriptionEndpoint WebhookHttpEndpoint
WebhookPubSubEndpoint WebhookEventBridgeEndpoint BulkOperation StagedMediaUploadTarget
StagedUploadParameter DiscountNode Discount DiscountCodeNode DiscountCode DiscountCodeBasic
DiscountCodeBxgy DiscountCodeFreeShipping DiscountCodeApp DiscountAutomaticNode
DiscountAutomatic DiscountAutomaticBasic DiscountAutomaticBxgy DiscountAutomaticFreeShipping
DiscountAutomaticApp DiscountRedeemCode DiscountRedeemCodeBulkCreation DiscountCustomerGets
DiscountCustomerGetsValue DiscountAmount DiscountPercentage DiscountOnQuantity DiscountEffect
DiscountQuantity DiscountItems AllDiscountItems DiscountProducts DiscountCollections
DiscountMinimumRequirement DiscountMinimumQuantity DiscountMinimumSubtotal DiscountCombinesWith
DiscountContext DiscountBuyerSelectionAll DiscountBuyerSelection DiscountCustomers
DiscountCustomerAll DiscountCustomerSelection DiscountCustomerBuys DiscountCustomerBuysValue
DiscountPurchaseAmount DiscountCountries DiscountCountryAll DiscountShippingDestinationSelection
ShopifyPaymentsAccount ShopifyPaymentsPayout ShopifyPaymentsPayoutSummary
ShopifyPaymentsBalanceTransaction ShopifyPaymentsBalanceTransactionAssociatedPayout
ShopifyPaymentsAssociatedOrder ShopifyPaymentsAdjustmentOrder
"""
TYPES = _TYPES.split()


def kept_names(full: GraphQLSchema) -> set[str]:
    """Return the names of every type of the sub-schema."""
    keep = {name for name in TYPES if name in full.type_map} | {"QueryRoot", "Mutation"}
    mutation = full.mutation_type
    assert mutation is not None  # noqa: S101 - narrowed for mypy - the file is Shopify's schema or nothing
    for name in MUTATIONS:
        payload = get_named_type(mutation.fields[name].type)
        keep.add(payload.name)
        keep |= {
            get_named_type(field.type).name
            for key, field in getattr(payload, "fields", {}).items()
            if key.endswith("UserErrors") or key == "userErrors"
        }
    for name in [*keep, "String"]:
        keep |= {name + end for end in ("Connection", "Edge") if name + end in full.type_map}
    return keep | _leaves(full, keep)


def _leaves(full: GraphQLSchema, keep: set[str]) -> set[str]:
    """Close over the scalars, enums and inputs that kept fields and arguments name."""
    found: set[str] = set()
    todo = [t for name in keep for f in _fields(full.type_map[name], keep, full) for t in _types(f)]
    while todo:
        named = todo.pop()
        if named.name in found or not isinstance(
            named, GraphQLScalarType | GraphQLEnumType | GraphQLInputObjectType
        ):
            continue
        found.add(named.name)
        if isinstance(named, GraphQLInputObjectType):
            todo += [get_named_type(f.type) for f in named.fields.values()]
    return found


def _types(field: GraphQLField) -> list[GraphQLNamedType]:
    return [get_named_type(field.type), *(get_named_type(a.type) for a in field.args.values())]


def _fields(named: GraphQLNamedType, keep: set[str], full: GraphQLSchema) -> list[GraphQLField]:
    return list(_kept_fields(named, keep, full).values())


def _kept_fields(
    named: GraphQLNamedType, keep: set[str], full: GraphQLSchema
) -> dict[str, GraphQLField]:
    if not isinstance(named, GraphQLObjectType | GraphQLInterfaceType):
        return {}
    only = {"QueryRoot": QUERIES, "Mutation": MUTATIONS}.get(named.name)
    kept = {}
    for name, field in named.fields.items():
        target = get_named_type(field.type)
        leaf = isinstance(target, GraphQLScalarType | GraphQLEnumType)
        if (leaf or target.name in keep) and (only is None or name in only):
            kept[name] = field
    return kept


def _arguments(args: dict[str, GraphQLArgument]) -> str:
    if not args:
        return ""
    return "(" + ", ".join(_argument(name, arg) for name, arg in args.items()) + ")"


def _argument(name: str, arg: GraphQLArgument | GraphQLInputField) -> str:
    text = f"{name}: {arg.type}"
    if arg.default is not None and arg.default.literal is not None:
        text += f" = {print_ast(arg.default.literal)}"
    return text


def _print(named: GraphQLNamedType, keep: set[str], full: GraphQLSchema) -> str:
    name = named.name
    if isinstance(named, GraphQLScalarType):
        return f"scalar {name}"
    if isinstance(named, GraphQLEnumType):
        return f"enum {name} {{\n" + "".join(f"  {v}\n" for v in named.values) + "}"
    if isinstance(named, GraphQLUnionType):
        members = [t.name for t in named.types if t.name in keep]
        return f"union {name} = " + " | ".join(members)
    if isinstance(named, GraphQLInputObjectType):
        one = " @oneOf" if named.is_one_of else ""
        rows = "".join(f"  {_argument(k, f)}\n" for k, f in named.fields.items())
        return f"input {name}{one} {{\n{rows}}}"
    assert isinstance(named, GraphQLObjectType | GraphQLInterfaceType)  # noqa: S101 - narrowed for mypy
    above = [i.name for i in named.interfaces if i.name in keep]
    head = f" implements {' & '.join(above)}" if above else ""
    word = "type" if isinstance(named, GraphQLObjectType) else "interface"
    rows = "".join(
        f"  {k}{_arguments(f.args)}: {f.type}\n" for k, f in _kept_fields(named, keep, full).items()
    )
    return f"{word} {name}{head} {{\n{rows}}}"


def cut(full: GraphQLSchema) -> str:
    """Return the sub-schema as text."""
    keep = kept_names(full)
    parts = [
        "# Cut from Shopify's Admin GraphQL schema, version 2026-10, by cut_schema.py.",
        "schema {\n  query: QueryRoot\n  mutation: Mutation\n}",
        "directive @idempotent(key: String!) on FIELD",
        "directive @oneOf on INPUT_OBJECT",
    ]
    for name in sorted(keep):
        named = full.type_map[name]
        if is_specified_scalar_type(named):
            continue
        empty = isinstance(named, GraphQLObjectType | GraphQLInterfaceType) and not _kept_fields(
            named, keep, full
        )
        if not empty:
            parts.append(_print(named, keep, full))
    return "\n\n".join(parts) + "\n"


def main() -> int:
    """Read the full schema named on the command line and write the cut one."""
    text = Path(sys.argv[1]).read_text(encoding="utf-8")
    full = build_schema(text, assume_valid=True, no_location=True)
    unknown = [name for name in TYPES if name not in full.type_map]
    if unknown:
        sys.stderr.write(f"not in the schema: {' '.join(unknown)}\n")
    target = Path(__file__).with_name("schema.graphql")
    target.write_text(cut(full), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
