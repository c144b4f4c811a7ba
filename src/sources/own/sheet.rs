//! The catalog's own tables as spreadsheets: what `/prices`, `/gpu-prices` and `/fx-rates` give as CSV, edited, comes back here.
//!
//! Columns are found by name, in any order; those that only help a reader (`ServiceProviderName`, `PricingUnit`,
//! `x_AgeDays`, ...) may be changed or left out. A rate card is the lines with its offering, currency, start and
//! conditions together, and is complete: a meter whose line was deleted is no longer priced. What the sheet has no
//! column for (`inherited`, `from_precision`, `origin`, a card without any rate) stays as the catalog has it.

use std::collections::BTreeMap;

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;

use crate::{
    catalog::{
        fx::FxRate,
        gpu::{Commitment, GpuPurchase, GpuRental},
        ids::MeterId,
        money::{Currency, parse_decimal},
        rate_card::{Conditions, ContextKey, Rate, RateCard},
        time::{AsOf, parse_day},
    },
    sources::{
        json::Fields,
        observation::{Observation, OwnRow, Reading, Reason},
        row::CatalogRow,
    },
};

/// Which of the sheets it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sources) enum Sheet {
    Prices,
    GpuPrices,
    FxRates,
}

/// The sheet that a header belongs to.
pub(in crate::sources) fn which(header: &str) -> Option<Sheet> {
    let cells: Vec<&str> = header.split(',').map(|cell| cell.trim().trim_matches('"')).collect();
    let has = |names: &[&str]| names.iter().all(|name| cells.contains(name));
    if has(&["SkuMeter", "x_GpuId", "x_Kind", "PricingCurrencyListUnitPrice"]) {
        Some(Sheet::GpuPrices)
    } else if has(&["SkuId", "SkuMeter", "SkuPriceDetails", "PricingCurrencyListUnitPrice"]) {
        Some(Sheet::Prices)
    } else {
        has(&["x_Currency", "x_Date", "x_UsdPerUnit"]).then_some(Sheet::FxRates)
    }
}

/// A line by the names of its columns.
struct Line<'l> {
    columns: &'l BTreeMap<String, usize>,
    cells: csv::StringRecord,
}

impl Line<'_> {
    /// A cell as it stands; empty counts as absent. An apostrophe before what a spreadsheet would take for a formula goes.
    fn text(&self, column: &str) -> Option<&str> {
        let cell = self.cells.get(*self.columns.get(column)?)?;
        let begins_like_one = |rest: &&str| rest.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']);
        let shielded = cell.strip_prefix('\'').filter(begins_like_one);
        Some(shielded.unwrap_or(cell)).filter(|cell| !cell.is_empty())
    }

    /// A cell without the spaces around it.
    fn get(&self, column: &str) -> Option<&str> {
        self.text(column).map(str::trim).filter(|cell| !cell.is_empty())
    }

    fn need(&self, column: &str) -> Result<&str, String> {
        self.get(column).ok_or_else(|| format!("has no `{column}`"))
    }

    fn decimal(&self, column: &str) -> Result<Decimal, String> {
        parse_decimal(self.need(column)?).map_err(|error| format!("`{column}` {error}"))
    }

    fn currency(&self, column: &str) -> Result<Currency, String> {
        Currency::parse(self.need(column)?).ok_or_else(|| format!("`{column}` is no code of a currency"))
    }

    fn day(&self, column: &str) -> Result<Option<Date>, String> {
        let day = self.get(column).map(|cell| parse_day(cell).ok_or_else(|| format!("`{column}` is no day")));
        day.transpose()
    }

    fn need_day(&self, column: &str) -> Result<Date, String> {
        self.day(column)?.ok_or_else(|| format!("has no `{column}`"))
    }

    fn instant(&self, column: &str) -> Result<Option<Timestamp>, String> {
        let read =
            |cell| AsOf::parse(cell).map(|at| at.instant).ok_or_else(|| format!("`{column}` is no instant"));
        self.get(column).map(read).transpose()
    }

    fn owned(&self, column: &str) -> Option<String> {
        self.text(column).map(str::to_owned)
    }
}

/// Reads a sheet.
///
/// # Errors
/// When it has no header.
pub(in crate::sources) fn read(sheet: Sheet, text: &[u8]) -> Result<Reading, csv::Error> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text);
    let columns: BTreeMap<String, usize> =
        reader.headers()?.iter().enumerate().map(|(at, name)| (name.trim().to_owned(), at)).collect();
    let mut reading = Reading::default();
    let mut cards = Cards::default();
    for (number, cells) in (2..).zip(reader.records()) {
        let read = match cells {
            Ok(cells) => {
                let line = Line { columns: &columns, cells };
                match sheet {
                    Sheet::Prices => cards.add(&line).map(|()| None),
                    Sheet::GpuPrices => gpu_price(&line).map(Some),
                    Sheet::FxRates => fx_rate(&line).map(Some),
                }
            }
            Err(error) => Err(error.to_string()),
        };
        match read {
            Ok(observation) => reading.observations.extend(observation),
            Err(problem) => reading.refuse(&format!("line {number}"), Reason::Malformed, problem),
        }
    }
    let whole = |card: RateCard| OwnRow { row: card.into(), partial: true, stands_for: None };
    let rows = cards.cards.into_iter().map(|card| Observation::Row(whole(card)));
    reading.observations.extend(rows);
    Ok(reading)
}

/// Cards in the order of their first lines.
#[derive(Default)]
struct Cards {
    cards: Vec<RateCard>,
    places: BTreeMap<String, usize>,
}

impl Cards {
    fn add(&mut self, line: &Line<'_>) -> Result<(), String> {
        use crate::catalog::rows::Row as _;
        let meter = MeterId::from(line.need("SkuMeter")?);
        let rate = Rate {
            amount: line.decimal("PricingCurrencyListUnitPrice")?,
            per: line
                .get("x_PricingBlockSize")
                .map(parse_decimal)
                .transpose()
                .map_err(|error| error.to_string())?,
            min_quantity: match line.get("x_MinimumQuantity") {
                Some(cell) => Some(cell.parse().map_err(|_| "`x_MinimumQuantity` is no whole number")?),
                None => None,
            },
        };
        let card = RateCard {
            offering: line.need("SkuId")?.into(),
            currency: line.currency("PricingCurrency")?,
            effective_from: line.instant("x_EffectiveFrom")?,
            effective_to: line.instant("x_EffectiveTo")?,
            from_precision: None,
            conditions: conditions(line.get("SkuPriceDetails"))?,
            rates: BTreeMap::new(),
            inherited: Vec::new(),
            note: line.owned("x_Note"),
            origin: None,
            source: line.owned("x_Source"),
            observed_at: line.need_day("x_ObservedAt")?,
        };
        let next = self.cards.len();
        let at = *self.places.entry(card.key()).or_insert(next);
        if at == next {
            self.cards.push(card);
        }
        match self.cards[at].rates.insert(meter.clone(), rate) {
            Some(_) => Err(format!("prices `{meter}` of the same card a second time")),
            None => Ok(()),
        }
    }
}

/// `SkuPriceDetails`: `{"x_ServiceTier": "batch", "x_InputTokensAbove": 200000}`.
fn conditions(cell: Option<&str>) -> Result<Conditions, String> {
    let mut conditions = Conditions::default();
    let Some(cell) = cell else { return Ok(conditions) };
    let fields = Fields::parse(cell).ok_or("`SkuPriceDetails` is no JSON object")?;
    for (name, _) in &fields.0 {
        let unread = || format!("`SkuPriceDetails` has a `{name}` that is not known");
        match name.as_ref() {
            "x_InputTokensAbove" => {
                conditions.input_tokens_above = Some(fields.count(name).ok_or_else(unread)?);
            }
            "x_InputTokensAtMost" => {
                conditions.input_tokens_at_most = Some(fields.count(name).ok_or_else(unread)?);
            }
            "x_Window" => {
                let text = fields.text(name).ok_or_else(unread)?;
                conditions.window = Some(serde_json::from_str(&text).map_err(|_| unread())?);
            }
            other => {
                let key = other.strip_prefix("x_").and_then(context_key).ok_or_else(unread)?;
                conditions.context.insert(key, fields.text(name).ok_or_else(unread)?);
            }
        }
    }
    Ok(conditions)
}

/// `ServiceTier` is `service_tier`.
fn context_key(pascal: &str) -> Option<ContextKey> {
    ContextKey::ALL.into_iter().find(|key| key.as_str().replace('_', "").eq_ignore_ascii_case(pascal))
}

fn gpu_price(line: &Line<'_>) -> Result<Observation, String> {
    let details = line.get("SkuPriceDetails").and_then(Fields::parse);
    let detail = |name: &str| details.as_ref().and_then(|details| details.count(name));
    let count = detail("GpuCount").and_then(|count| u32::try_from(count).ok());
    let amount = line.decimal("PricingCurrencyListUnitPrice")?;
    let currency = line.currency("PricingCurrency")?;
    let row = match line.need("x_Kind")? {
        "rental" => GpuRental {
            id: new_id(line)?,
            provider: line.need("x_ProviderId")?.into(),
            provider_kind: line.owned("x_ProviderKind"),
            region: line.owned("RegionId"),
            instance: details.as_ref().and_then(|details| details.text("InstanceType")),
            gpu: line.need("x_GpuId")?.into(),
            gpu_count: count.ok_or("`SkuPriceDetails` has no `GpuCount`")?,
            price_per_gpu_hour: amount,
            currency,
            commitment: commitment(line.need("x_Commitment")?)?,
            effective_from: line.need_day("x_EffectiveFrom")?,
            effective_to: line.day("x_EffectiveTo")?,
            last_seen: line.need_day("x_LastSeen")?,
            confidence: line.owned("x_Confidence"),
            note: line.owned("x_Note"),
            source: line.owned("x_Source"),
            observed_at: line.need_day("x_ObservedAt")?,
        }
        .into(),
        "purchase" => GpuPurchase {
            gpu: line.need("x_GpuId")?.into(),
            kind: line.need("x_Basis")?.to_owned(),
            system: line.owned("x_System"),
            gpus: count,
            amount,
            currency,
            effective_from: line.need_day("x_EffectiveFrom")?,
            source: line.owned("x_Source"),
            observed_at: line.need_day("x_ObservedAt")?,
        }
        .into(),
        other => return Err(format!("`x_Kind` is `{other}`, neither `rental` nor `purchase`")),
    };
    Ok(own(line, row))
}

/// A row that stands for the one whose number the line still has.
fn own(line: &Line<'_>, row: CatalogRow) -> Observation {
    let number = line.get("x_RowId").and_then(|cell| cell.rsplit_once(':')?.1.parse().ok());
    Observation::Row(OwnRow { row, partial: false, stands_for: number })
}

/// An id for a rental that is new: what it is a price of.
fn new_id(line: &Line<'_>) -> Result<String, String> {
    Ok(format!("{}/{}", line.need("SkuPriceId")?, line.need("x_EffectiveFrom")?))
}

fn commitment(word: &str) -> Result<Commitment, String> {
    serde_json::from_value(word.into()).map_err(|_| format!("`x_Commitment` is `{word}`, which is not known"))
}

fn fx_rate(line: &Line<'_>) -> Result<Observation, String> {
    Ok(own(
        line,
        FxRate {
            currency: line.currency("x_Currency")?,
            date: line.need_day("x_Date")?,
            usd_per_unit: line.decimal("x_UsdPerUnit")?,
            source: line.text("x_Source").map(Into::into),
            observed_at: line.need_day("x_ObservedAt")?,
        }
        .into(),
    ))
}
