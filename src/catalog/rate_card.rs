//! One row of a price table: what an offering costs in a currency, over a span, under conditions.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _, ser::SerializeMap as _};
use utoipa::ToSchema;

use super::{
    ids::{CalendarId, MeterId, OfferingId},
    money::{Currency, decimal_text, parse_decimal},
    time::Span,
};

/// A complete list of an offering's rates; nothing is inherited from another card.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateCard {
    /// What it prices.
    pub offering: OfferingId,
    /// The vendor's own currency.
    pub currency: Currency,
    /// First instant in force; none: as far back as known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_from: Option<Timestamp>,
    /// First instant no longer in force; none: still in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_to: Option<Timestamp>,
    /// How finely the start is known: `instant` or `day`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_precision: Option<String>,
    /// When it applies, within its span.
    #[serde(default, skip_serializing_if = "Conditions::is_empty")]
    pub conditions: Conditions,
    /// Rate by meter. Empty: the vendor lists the model without any price.
    pub rates: BTreeMap<MeterId, Rate>,
    /// Meters that the vendor does not price under these conditions; the standard rate stands in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inherited: Vec<MeterId>,
    /// A doubt or remark about the row.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Through whom the figures came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// URL or citation; null: none is known.
    pub source: Option<String>,
    /// The day somebody looked.
    pub observed_at: Date,
}

impl RateCard {
    /// When it is in force.
    #[must_use]
    pub fn span(&self) -> Span {
        Span::new(self.effective_from, self.effective_to)
    }
}

/// Money for a quantity of a meter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Money, in the card's currency.
    pub amount: Decimal,
    /// For how many units; none: the meter's customary quantity.
    pub per: Option<Decimal>,
    /// The smallest quantity charged once there is any.
    pub min_quantity: Option<u64>,
}

/// `"2.50"`, or `{"amount": "2.50", "per": "1000", "min_quantity": 10}` where more has to be said.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct LongRate {
    #[serde(with = "decimal_text")]
    amount: Decimal,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    per: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    min_quantity: Option<String>,
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.per.is_none() && self.min_quantity.is_none() {
            return serializer.collect_str(&self.amount);
        }
        LongRate {
            amount: self.amount,
            per: self.per.map(|per| per.normalize().to_string()),
            min_quantity: self.min_quantity.map(|quantity| quantity.to_string()),
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged, expecting = "a rate is a decimal string, or an object with `amount`")]
        enum Either {
            Short(String),
            Long(LongRate),
        }
        match Either::deserialize(deserializer)? {
            Either::Short(text) => {
                let amount = parse_decimal(&text).map_err(D::Error::custom)?;
                Ok(Self { amount, per: None, min_quantity: None })
            }
            Either::Long(long) => Ok(Self {
                amount: long.amount,
                per: long.per.map(|text| parse_decimal(&text)).transpose().map_err(D::Error::custom)?,
                min_quantity: long
                    .min_quantity
                    .map(|text| text.parse())
                    .transpose()
                    .map_err(D::Error::custom)?,
            }),
        }
    }
}

/// When a rate card applies, within the span in which it is in force.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Conditions {
    /// Applies when one call's whole input is more than this many tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 200_000)]
    pub input_tokens_above: Option<u64>,
    /// Applies when one call's whole input is at most this many tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(example = 200_000)]
    pub input_tokens_at_most: Option<u64>,
    /// Facts about the request that must all hold.
    #[serde(default, skip_serializing_if = "Context::is_empty")]
    #[schema(value_type = BTreeMap<String, String>, example = json!({"service_tier": "batch"}))]
    pub context: Context,
    /// Hours of the day in which it applies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
}

impl Conditions {
    /// Whether the card applies to every request.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the card depends on the size of one call's input.
    #[must_use]
    pub fn has_threshold(&self) -> bool {
        self.input_tokens_above.is_some() || self.input_tokens_at_most.is_some()
    }

    /// Whether one call's input is on this side of the thresholds.
    #[must_use]
    pub fn admits(&self, input: InputPerCall) -> bool {
        self.input_tokens_above.is_none_or(|limit| input.exceeds(limit))
            && self.input_tokens_at_most.is_none_or(|limit| !input.exceeds(limit))
    }

    /// Whether the two threshold ranges share a count.
    #[must_use]
    pub fn thresholds_overlap(&self, other: &Self) -> bool {
        let range = |c: &Self| {
            (c.input_tokens_above.map_or(0, |t| t + 1), c.input_tokens_at_most.unwrap_or(u64::MAX))
        };
        let ((low, high), (other_low, other_high)) = (range(self), range(other));
        low <= other_high && other_low <= high
    }
}

/// The input of one call, as a ratio so that a mean over many calls is compared exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InputPerCall {
    /// Input tokens over all calls.
    pub tokens: u128,
    /// Calls they are spread over; at least 1.
    pub calls: u64,
}

impl InputPerCall {
    /// Whether the (mean) input is more than a threshold.
    #[must_use]
    pub fn exceeds(self, limit: u64) -> bool {
        self.tokens > u128::from(limit) * u128::from(self.calls)
    }
}

/// What can be said about a call besides its usage; in the order of the keys' names, as files are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContextKey {
    /// A term that was committed to.
    Commitment,
    /// Picture quality.
    Quality,
    /// Where it is processed, in the vendor's words.
    Region,
    /// Where data must stay.
    Residency,
    /// Through whom it is routed.
    Route,
    /// How a search is done.
    SearchType,
    /// `standard` (the card without that key), `batch`, `flex`, `priority`, `fast`.
    ServiceTier,
    /// Picture size.
    Size,
    /// A vendor's faster mode.
    Speed,
    /// Diffusion steps.
    Steps,
}

impl ContextKey {
    /// Every key.
    pub const ALL: [Self; 10] = [
        Self::Commitment,
        Self::Quality,
        Self::Region,
        Self::Residency,
        Self::Route,
        Self::SearchType,
        Self::ServiceTier,
        Self::Size,
        Self::Speed,
        Self::Steps,
    ];

    /// Vendors' own words for some of them.
    pub const WIRE_WORDS: [&'static str; 3] = ["processing", "deployment", "inference_geo"];

    /// The key as requests spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ServiceTier => "service_tier",
            Self::Speed => "speed",
            Self::Region => "region",
            Self::Residency => "residency",
            Self::Commitment => "commitment",
            Self::Quality => "quality",
            Self::Size => "size",
            Self::Steps => "steps",
            Self::SearchType => "search_type",
            Self::Route => "route",
        }
    }

    /// Reads a key, vendors' wire words included (`processing`, `deployment`, `inference_geo`).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "processing" => Some(Self::ServiceTier),
            "deployment" | "inference_geo" => Some(Self::Residency),
            _ => Self::ALL.into_iter().find(|key| key.as_str() == text),
        }
    }

    /// Whether a value says the same as leaving the key out.
    #[must_use]
    pub fn is_standard(self, value: &str) -> bool {
        self == Self::ServiceTier && matches!(value, "standard" | "default" | "auto")
    }
}

/// Context keys with their values, in the order of the keys.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Context(BTreeMap<ContextKey, String>);

impl Context {
    /// Whether nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many keys are set.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The value of a key.
    #[must_use]
    pub fn get(&self, key: ContextKey) -> Option<&str> {
        self.0.get(&key).map(String::as_str)
    }

    /// Sets a key and returns what it said before.
    pub fn insert(&mut self, key: ContextKey, value: String) -> Option<String> {
        self.0.insert(key, value)
    }

    /// Takes a key out.
    pub fn remove(&mut self, key: ContextKey) {
        self.0.remove(&key);
    }

    /// Keys and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (ContextKey, &str)> {
        self.0.iter().map(|(key, value)| (*key, value.as_str()))
    }

    /// Whether everything said here is also said there.
    #[must_use]
    pub fn holds_in(&self, other: &Self) -> bool {
        self.iter().all(|(key, value)| other.get(key) == Some(value))
    }
}

impl FromIterator<(ContextKey, String)> for Context {
    fn from_iter<I: IntoIterator<Item = (ContextKey, String)>>(pairs: I) -> Self {
        Self(pairs.into_iter().collect())
    }
}

/// Hours of local days: DeepSeek's off-peak, for example.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// IANA time zone of days and hours.
    #[schema(example = "Asia/Shanghai")]
    pub time_zone: String,
    /// ISO weekdays, Monday 1 to Sunday 7.
    #[schema(example = json!([1, 2, 3, 4, 5]))]
    pub days: Vec<u8>,
    /// Local hours, start inclusive, end exclusive.
    #[schema(value_type = Vec<Vec<String>>, example = json!([["09:00", "12:00"]]))]
    pub hours: Vec<Hours>,
    /// A calendar whose days do not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, example = "cn_public_holidays")]
    pub except: Option<CalendarId>,
}

/// `["09:00", "12:00"]`: minutes of a local day, start inclusive, end exclusive; `24:00` is its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Hours {
    /// First minute that counts.
    pub from: u16,
    /// First minute that no longer counts.
    pub to: u16,
}

impl Hours {
    fn parse(from: &str, to: &str) -> Option<Self> {
        let minute = |text: &str| {
            let (hour, minute) = text.split_once(':')?;
            let two = |part: &str| (part.len() == 2).then(|| part.parse::<u16>().ok()).flatten();
            let (hour, minute) = (two(hour)?, two(minute)?);
            (minute < 60 && hour * 60 + minute <= 24 * 60).then_some(hour * 60 + minute)
        };
        let (from, to) = (minute(from)?, minute(to)?);
        (from < to).then_some(Self { from, to })
    }
}

impl Serialize for Hours {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        [text(self.from), text(self.to)].serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Hours {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let [from, to] = <[String; 2]>::deserialize(deserializer)?;
        Self::parse(&from, &to).ok_or_else(|| {
            D::Error::custom(
                "hours are [\"HH:MM\", \"HH:MM\"], the start before the end; split what crosses midnight",
            )
        })
    }
}

/// What a modifier asks of one context key.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Test {
    /// This value.
    Is(String),
    /// Any value but this one.
    Not(String),
}

impl Test {
    /// Whether a value passes.
    #[must_use]
    pub fn passes(&self, value: &str) -> bool {
        match self {
            Self::Is(wanted) => wanted == value,
            Self::Not(unwanted) => unwanted != value,
        }
    }

    /// Whether the test settles what a value costs, by passing or by naming it as the exception.
    #[must_use]
    pub fn decides(&self, value: &str) -> bool {
        match self {
            Self::Is(wanted) => wanted == value,
            Self::Not(_) => true,
        }
    }
}

impl std::fmt::Display for Test {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Is(value) => f.write_str(value),
            Self::Not(value) => write!(f, "any but {value}"),
        }
    }
}

impl Serialize for Test {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Is(value) => serializer.serialize_str(value),
            Self::Not(value) => {
                let mut map = serializer.serialize_map(Some(1))?;
                map.serialize_entry("not", value)?;
                map.end()
            }
        }
    }
}

impl<'de> Deserialize<'de> for Test {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Is(String),
            Not { not: String },
        }
        Ok(match Either::deserialize(deserializer)? {
            Either::Is(value) => Self::Is(value),
            Either::Not { not } => Self::Not(not),
        })
    }
}

/// A factor on named meters under a context, applied last and shown as a line of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Modifier {
    /// What it applies to.
    pub offering: OfferingId,
    /// What people call it.
    pub label: String,
    /// When it applies.
    pub context: BTreeMap<ContextKey, Test>,
    /// What the affected lines are multiplied by.
    #[serde(with = "decimal_text")]
    pub factor: Decimal,
    /// The meters it acts on.
    pub meters: Vec<MeterId>,
    /// First instant in force; none: as far back as known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_from: Option<Timestamp>,
    /// First instant no longer in force; none: still in force.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_to: Option<Timestamp>,
    /// URL or citation; null: none is known.
    pub source: Option<String>,
    /// The day somebody looked.
    pub observed_at: Date,
}
