//! Doubts that an answer carries.

use serde::Serialize;
use utoipa::ToSchema;

/// A doubt that the asker should know about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Warning {
    /// What kind of doubt.
    pub code: WarningCode,
    /// The doubt in words.
    #[schema(example = "the only seller of this name is `deepinfra`")]
    pub message: String,
    /// The part of the request it is about, as a JSON Pointer.
    #[schema(example = "/items/0/model")]
    pub pointer: String,
}

/// Kinds of doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum WarningCode {
    /// No provider was named; the only one that sells the name was taken.
    ProviderAssumed,
    /// The vendor has announced the end of the model.
    ModelDeprecated,
    /// The price differs by the hour, and only a date was given.
    WindowedPrice,
    /// The mean over all calls chose the tier.
    TierFromMean,
    /// Something the request says has no price of its own; the standard price stands in.
    FallbackPrice,
    /// Something a vendor's response says does not change any price that is known.
    ContextIgnored,
    /// The vendor does not price a meter under these conditions; its standard rate stands in.
    RateInherited,
    /// The vendor charges more than was used: its smallest quantity.
    MinQuantityApplied,
    /// A price is literally zero.
    ZeroPrice,
    /// A meter has no price and was left out, as the request allows.
    UnpricedMeter,
    /// A quotient does not end and was rounded to 28 significant digits.
    Rounded,
    /// The vendor's list is in another currency.
    FxConverted,
    /// Only the day of a price change is known, and the instant lies on it.
    StartIsApproximate,
    /// The price has no known start, and the instant lies before the day on which somebody saw it.
    UndatedPrice,
    /// A price depends on holidays, and the calendar does not cover the day.
    CalendarNotCovering,
    /// A figure in a vendor's response is not one that the reader knows.
    UnreadUsage,
    /// A shape was given in part; the rest was derived or is usual.
    ShapeAssumed,
    /// Fields of a pasted configuration were not read.
    UnreadConfig,
    /// A start is given, and not how long it takes.
    NoSchedule,
    /// A meter is part of two others, is not priced itself, and was charged as the one named.
    ChargedAsPart,
    /// Several prices fit; their median was taken, and the extremes are its range.
    SeveralPrices,
    /// Counts with a range lie on both sides of a price tier; the middle chose it.
    TierStraddled,
    /// No output is given: the total is of the input alone.
    OutputNotCounted,
    /// A conversation is to be cached, and the vendor has no price for that.
    CacheUnpriced,
    /// Nobody has seen the price again for longer than the request, or 90 days, allows.
    PriceStale,
    /// A speed that an operator measured cannot be held against what is predicted, and was left out.
    MeasurementUnused,
    /// Models that are compared count tokens differently, and nobody says by how much.
    TokenCountsNotComparable,
    /// A cost falls somewhere while the number that is looked for rises.
    NotMonotonic,
}
