//! Price tables as CSV, under the names that FOCUS has for its columns.
//!
//! FOCUS (the `FinOps` Open Cost and Usage Specification, 1.3) describes charges, of which a price list knows the
//! part that comes before any use. Columns it has no name for begin with `x_`, as it asks. A price is
//! `PricingCurrencyListUnitPrice`, not `ListUnitPrice`: that one is in the currency of a bill, and here is none.
//! `ServiceProviderName` stands for the `ProviderName` that 1.3 gives up. `SkuPriceId` says the same for as long as
//! a price is the same price, whatever its amount: the row's own number is `x_RowId`.

use std::borrow::Cow;

use super::{
    Resource, Scope,
    fx_rates::{FxRateItem, FxRateQuery, FxRates},
    gpu_prices::{GpuPrice, GpuPriceKind, GpuPriceQuery, GpuPriceUnit, GpuPrices},
    prices::{HistoryQuery, Price, PriceHistory, PriceQuery, PriceRate, Prices},
    query::Format,
};
use crate::catalog::{
    gpu::Commitment,
    ids::{MeterId, ProviderId},
    rate_card::{Conditions, ContextKey, Window},
};

/// A cell.
type Cell<'c> = Cow<'c, str>;

/// A list that can be had as a table.
pub trait Table: Resource + 'static {
    /// The names of the columns.
    const COLUMNS: &'static [&'static str];

    /// How the query wants the table, where it says.
    fn format(query: &Self::Query) -> Option<Format>;

    /// Writes the rows that an item has in the table.
    ///
    /// # Errors
    /// When a row has not as many cells as there are columns.
    fn write(scope: Scope<'_>, item: &Self::Item<'_>, sheet: &mut Sheet) -> csv::Result<()>;
}

/// The first line of a table: the names of its columns.
///
/// # Errors
/// None in practice: memory takes everything.
pub fn header<T: Table>() -> csv::Result<Vec<u8>> {
    let mut sheet = Sheet::default();
    sheet.0.write_record(T::COLUMNS)?;
    sheet.into_text()
}

/// Rows of a table as CSV, without its header.
///
/// # Errors
/// None in practice: memory takes everything.
pub fn rows<T: Table>(scope: Scope<'_>, rows: &[u32]) -> csv::Result<Vec<u8>> {
    let mut sheet = Sheet::default();
    for item in T::items(scope, rows) {
        T::write(scope, &item, &mut sheet)?;
    }
    sheet.into_text()
}

/// A table being written.
#[derive(Debug)]
pub struct Sheet(csv::Writer<Vec<u8>>);

impl Default for Sheet {
    fn default() -> Self {
        Self(csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new()))
    }
}

impl Sheet {
    /// Adds a row, its cells made harmless to spreadsheets.
    ///
    /// # Errors
    /// When it has not as many cells as the row before.
    pub fn row<const N: usize>(&mut self, cells: [Cow<'_, str>; N]) -> csv::Result<()> {
        self.0.write_record(cells.map(harmless).iter().map(|cell| cell.as_bytes()))
    }

    /// Writes a row of a table that is no list of the catalog.
    ///
    /// # Errors
    /// When it has not as many cells as the first.
    pub fn record(&mut self, cells: Vec<String>) -> csv::Result<()> {
        self.0.write_record(cells.into_iter().map(|cell| harmless(cell.into()).into_owned()))
    }

    /// What has been written.
    ///
    /// # Errors
    /// None in practice: memory takes everything.
    pub fn into_text(self) -> csv::Result<Vec<u8>> {
        self.0.into_inner().map_err(|error| csv::Error::from(error.into_error()))
    }
}

/// A cell that no spreadsheet takes for a formula: text that begins like one gets an apostrophe before it.
/// Numbers stay as they are.
fn harmless(cell: Cell<'_>) -> Cell<'_> {
    let begins_like_one = cell.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
    if begins_like_one && crate::catalog::money::parse_decimal(&cell).is_err() {
        format!("'{cell}").into()
    } else {
        cell
    }
}

fn text(value: &impl ToString) -> Cell<'static> {
    value.to_string().into()
}

fn some<'c>(value: Option<impl ToString>) -> Cell<'c> {
    value.map_or(Cow::Borrowed(""), |value| value.to_string().into())
}

fn word(value: Option<&str>) -> Cell<'_> {
    value.unwrap_or_default().into()
}

/// A unit as FOCUS writes it: `1000000 Tokens`, `Images`.
fn pricing_unit(per: &str, unit: &str) -> String {
    let mut letters = unit.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    let capitalised: String = first.into_iter().chain(letters).collect();
    let plural = if capitalised.ends_with("ch") { "es" } else { "s" };
    match per {
        "1" => format!("{capitalised}{plural}"),
        per => format!("{per} {capitalised}{plural}"),
    }
}

/// Columns of a rate.
const RATE_COLUMNS: &[&str] = &[
    "ServiceProviderName",
    "SkuId",
    "SkuMeter",
    "SkuPriceId",
    "SkuPriceDetails",
    "PricingCategory",
    "PricingCurrency",
    "PricingCurrencyListUnitPrice",
    "PricingUnit",
    "RegionId",
    "x_ProviderId",
    "x_ModelId",
    "x_ModelName",
    "x_PricingBlockSize",
    "x_Unit",
    "x_MinimumQuantity",
    "x_ServiceTier",
    "x_EffectiveFrom",
    "x_EffectiveTo",
    "x_Source",
    "x_ObservedAt",
    "x_AgeDays",
    "x_Note",
    "x_RowId",
    "x_Revision",
    "x_SupersededByRevision",
];

impl Table for Prices {
    const COLUMNS: &'static [&'static str] = RATE_COLUMNS;

    fn format(query: &PriceQuery) -> Option<Format> {
        query.format
    }

    fn write(scope: Scope<'_>, price: &Price<'_>, sheet: &mut Sheet) -> csv::Result<()> {
        price.rates.iter().try_for_each(|(meter, rate)| write_rate(scope, price, meter, rate, sheet))
    }
}

impl Table for PriceHistory {
    const COLUMNS: &'static [&'static str] = RATE_COLUMNS;

    fn format(query: &HistoryQuery) -> Option<Format> {
        query.format
    }

    fn write(scope: Scope<'_>, price: &Price<'_>, sheet: &mut Sheet) -> csv::Result<()> {
        Prices::write(scope, price, sheet)
    }
}

fn write_rate(
    scope: Scope<'_>,
    price: &Price<'_>,
    meter: &MeterId,
    rate: &PriceRate<'_>,
    sheet: &mut Sheet,
) -> csv::Result<()> {
    let seller = price.provider.map(ProviderId::as_str);
    let seller_name = seller.and_then(|id| scope.view.provider(id)).map(|provider| provider.name.as_str());
    let context = &price.conditions.context;
    let per = rate.per.to_string();
    sheet.row([
        word(seller_name),
        price.offering.as_str().into(),
        meter.as_str().into(),
        sku_price_id(price, meter).into(),
        details(price.conditions).into(),
        if context.get(ContextKey::Commitment).is_some() { "Committed" } else { "Standard" }.into(),
        text(&price.currency),
        text(&rate.amount),
        pricing_unit(&per, rate.unit).into(),
        word(context.get(ContextKey::Region)),
        word(seller),
        some(price.model),
        word(price.model_name),
        per.into(),
        rate.unit.into(),
        some(rate.min_quantity),
        context.get(ContextKey::ServiceTier).unwrap_or("standard").into(),
        some(price.effective_from),
        some(price.effective_to),
        word(price.source),
        text(&price.observed_at),
        text(&price.age_days),
        word(price.note),
        text(&price.id),
        text(&price.revision),
        some(price.superseded),
    ])
}

/// What names a price whatever its amount: the offering, the meter, and the conditions.
fn sku_price_id(price: &Price<'_>, meter: &MeterId) -> String {
    let Conditions { input_tokens_above, input_tokens_at_most, context, window } = price.conditions;
    let mut conditions: Vec<String> =
        context.iter().map(|(key, value)| format!("{}={value}", key.as_str())).collect();
    conditions.extend(input_tokens_above.map(|tokens| format!("input_tokens_above={tokens}")));
    conditions.extend(input_tokens_at_most.map(|tokens| format!("input_tokens_at_most={tokens}")));
    conditions.extend(window.as_ref().map(|window| format!("window={}", window_text(window))));
    let mark = if conditions.is_empty() { "" } else { "?" };
    format!("{}#{meter}{mark}{}", price.offering, conditions.join("&"))
}

fn window_text(window: &Window) -> String {
    serde_json::to_string(window).unwrap_or_default() // plain strings and numbers always serialise
}

/// The conditions as FOCUS has properties of a price: a JSON object, its own names in `PascalCase` after `x_`.
fn details(conditions: &Conditions) -> String {
    let mut properties = serde_json::Map::new();
    for (key, value) in conditions.context.iter() {
        properties.insert(format!("x_{}", pascal_case(key.as_str())), value.into());
    }
    if let Some(tokens) = conditions.input_tokens_above {
        properties.insert("x_InputTokensAbove".to_owned(), tokens.into());
    }
    if let Some(tokens) = conditions.input_tokens_at_most {
        properties.insert("x_InputTokensAtMost".to_owned(), tokens.into());
    }
    if let Some(window) = &conditions.window {
        properties.insert("x_Window".to_owned(), window_text(window).into());
    }
    json_or_nothing(properties)
}

fn json_or_nothing(properties: serde_json::Map<String, serde_json::Value>) -> String {
    if properties.is_empty() { String::new() } else { serde_json::Value::Object(properties).to_string() }
}

fn pascal_case(name: &str) -> String {
    let word = |word: &str| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_ascii_uppercase() + rest
    };
    name.split('_').map(word).collect()
}

impl Table for GpuPrices {
    const COLUMNS: &'static [&'static str] = &[
        "ServiceProviderName",
        "SkuId",
        "SkuMeter",
        "SkuPriceId",
        "SkuPriceDetails",
        "PricingCategory",
        "PricingCurrency",
        "PricingCurrencyListUnitPrice",
        "PricingUnit",
        "RegionId",
        "x_ProviderId",
        "x_ProviderKind",
        "x_Kind",
        "x_GpuId",
        "x_Commitment",
        "x_Basis",
        "x_System",
        "x_EffectiveFrom",
        "x_EffectiveTo",
        "x_LastSeen",
        "x_AgeDays",
        "x_Stale",
        "x_Confidence",
        "x_Source",
        "x_ObservedAt",
        "x_Note",
        "x_RowId",
        "x_Revision",
        "x_SupersededByRevision",
    ];

    fn format(query: &GpuPriceQuery) -> Option<Format> {
        query.format
    }

    fn write(scope: Scope<'_>, price: &GpuPrice<'_>, sheet: &mut Sheet) -> csv::Result<()> {
        let seller = price.provider.map(ProviderId::as_str);
        let seller_name = seller.and_then(|id| scope.view.provider(id)).map(|it| it.name.as_str());
        let kind = match price.kind {
            GpuPriceKind::Rental => "rental",
            GpuPriceKind::Purchase => "purchase",
        };
        let (meter, unit) = match price.unit {
            GpuPriceUnit::GpuHour => ("GPU hours", "GPU-Hours"),
            GpuPriceUnit::Gpu => ("GPUs", "GPUs"),
            GpuPriceUnit::System => ("Systems", "Systems"),
        };
        sheet.row([
            word(seller_name),
            gpu_sku_id(price).into(),
            meter.into(),
            gpu_sku_price_id(price).into(),
            gpu_details(price).into(),
            gpu_category(price).into(),
            text(&price.currency),
            text(&price.amount),
            unit.into(),
            word(price.region),
            word(seller),
            word(price.provider_kind),
            kind.into(),
            price.gpu.as_str().into(),
            word(price.commitment.map(commitment)),
            word(price.basis),
            word(price.system),
            text(&price.effective_from),
            some(price.effective_to),
            text(&price.last_seen),
            text(&price.age_days),
            text(&price.stale),
            word(price.confidence),
            word(price.source),
            text(&price.observed_at),
            word(price.note),
            text(&price.id),
            text(&price.revision),
            some(price.superseded),
        ])
    }
}

fn commitment(commitment: Commitment) -> &'static str {
    match commitment {
        Commitment::OnDemand => "on_demand",
        Commitment::Spot => "spot",
        Commitment::Reserved1y => "reserved_1y",
        Commitment::Reserved3y => "reserved_3y",
        Commitment::CapacityBlock => "capacity_block",
    }
}

fn gpu_category(price: &GpuPrice<'_>) -> &'static str {
    match price.commitment {
        None | Some(Commitment::OnDemand) => "Standard",
        Some(Commitment::Spot) => "Dynamic",
        Some(Commitment::Reserved1y | Commitment::Reserved3y | Commitment::CapacityBlock) => "Committed",
    }
}

/// What is sold: the machine where it has a name, else the accelerator.
fn gpu_sku_id(price: &GpuPrice<'_>) -> String {
    let name = price.instance.or(price.system).unwrap_or(price.gpu.as_str());
    match price.provider {
        Some(provider) => format!("{provider}/{name}"),
        None => name.to_owned(),
    }
}

/// What names a price whatever its amount: what is sold, where, and how.
fn gpu_sku_price_id(price: &GpuPrice<'_>) -> String {
    let how = price.commitment.map(commitment).or(price.basis).unwrap_or_default();
    let at = price.region.map_or_else(String::new, |region| format!("@{region}"));
    format!("{}{at}#{how}", gpu_sku_id(price))
}

fn gpu_details(price: &GpuPrice<'_>) -> String {
    let mut properties = serde_json::Map::new();
    if let Some(count) = price.gpu_count {
        properties.insert("GpuCount".to_owned(), count.into());
    }
    if let Some(instance) = price.instance {
        properties.insert("InstanceType".to_owned(), instance.into());
    }
    properties.insert("x_Gpu".to_owned(), price.gpu.as_str().into());
    json_or_nothing(properties)
}

impl Table for FxRates {
    const COLUMNS: &'static [&'static str] = &[
        "x_Currency",
        "x_Date",
        "x_UsdPerUnit",
        "x_AgeDays",
        "x_Source",
        "x_ObservedAt",
        "x_RowId",
        "x_Revision",
        "x_SupersededByRevision",
    ];

    fn format(query: &FxRateQuery) -> Option<Format> {
        query.format
    }

    fn write(_: Scope<'_>, rate: &FxRateItem<'_>, sheet: &mut Sheet) -> csv::Result<()> {
        sheet.row([
            text(&rate.currency),
            text(&rate.date),
            text(&rate.usd_per_unit.normalize()),
            text(&rate.age_days),
            word(rate.source),
            text(&rate.observed_at),
            text(&rate.id),
            text(&rate.revision),
            some(rate.superseded),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_begins_like_a_formula_is_disarmed() {
        for cell in ["=1+1", "+1-800", "-cmd", "@SUM(A1)", "\t=1", "\r=1"] {
            assert_eq!(harmless(cell.into()), format!("'{cell}"));
        }
    }

    #[test]
    fn numbers_and_other_text_stay_as_they_are() {
        for cell in ["-0.5", "2.50", "openai/gpt-4o", "~openai/gpt-latest", ""] {
            assert_eq!(harmless(cell.into()), cell);
        }
    }

    #[test]
    fn units_are_capitalised_plurals_after_their_quantity() {
        assert_eq!(pricing_unit("1000000", "token"), "1000000 Tokens");
        assert_eq!(pricing_unit("1", "image"), "Images");
        assert_eq!(pricing_unit("1000", "search"), "1000 Searches");
    }

    #[test]
    fn a_row_has_a_cell_for_each_column() {
        let mut sheet = Sheet::default();
        sheet.0.write_record(["a", "b"]).unwrap();
        assert!(sheet.row(["1".into()]).is_err());
    }
}
