//! What an hour of an accelerator costs to rent, and what one costs to buy: `GET /gpu-prices`.
//!
//! Both are one list, told apart by `kind`: the same columns for a spreadsheet, and one place to look for
//! whatever is known of the price of a part.

use std::cmp::Ordering;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Listing, Resource, Scope,
    fault::Fault,
    item::RowRef,
    lookup,
    models::is,
    order::sort_keys,
    prices::is_news,
    query::{Format, Said as _, query},
};
use crate::catalog::{
    gpu::{Commitment, GpuPurchase, GpuRental},
    ids::{GpuId, ProviderId},
    money::{Currency, Money},
    rows::{Row as _, Versioned},
};

/// Days after which a price that nobody has seen again is doubtful.
const STALE_AFTER_DAYS: u32 = 90;

sort_keys! {
    /// What prices of accelerators can be sorted by.
    GpuPriceKey, GpuPriceSort {
        Gpu = "gpu",
        Provider = "provider",
        Amount = "amount",
        EffectiveFrom = "effective_from",
        LastSeen = "last_seen",
    }
}

/// Whether a price is for renting or for buying.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GpuPriceKind {
    /// For one accelerator and one hour, host included.
    Rental,
    /// For one accelerator, or for a whole system of them.
    Purchase,
}

/// What a price is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum GpuPriceUnit {
    /// One accelerator for one hour.
    GpuHour,
    /// One accelerator.
    Gpu,
    /// The whole system.
    System,
}

query! {
    as_of
    /// Which prices of accelerators, and in which order.
    GpuPriceQuery {
        /// Renting or buying. Default: both.
        #[param(inline)]
        kind: GpuPriceKind,
        /// The accelerator, by any of its names.
        #[param(example = "h100-sxm5-80gb")]
        gpu: String,
        /// Who rents it out, such as `aws`.
        #[param(example = "")]
        provider: String,
        /// What sort of provider: `hyperscaler`, `neocloud` or `marketplace`.
        #[param(example = "")]
        provider_kind: String,
        /// Where, in the provider's words, such as `us-east-1`.
        #[param(example = "")]
        region: String,
        /// The provider's name of the machine, such as `p5.48xlarge`.
        #[param(example = "")]
        instance: String,
        /// How the hours are bought.
        #[param(inline)]
        commitment: Commitment,
        /// What a purchase price is: `list`, `street`, `used`, `server_share`, `estimate` or `server`.
        #[param(example = "")]
        basis: String,
        /// The currency of the price.
        #[param(example = "USD")]
        currency: String,
        /// Only what was last seen within 90 days of the instant asked about (false), or only what was not.
        #[param(example = true)]
        stale: bool,
        /// Only what later revisions than this one introduced or replaced.
        #[param(example = 0)]
        since_revision: u64,
        /// In place of the header `accept`, for a link or a spreadsheet.
        #[param(inline)]
        format: Format,
        /// The order; `-` puts the largest first. Default: by accelerator, rentals first. Amounts are compared
        /// as they stand, so ask for one `currency` and one `kind`.
        #[param(inline)]
        sort: GpuPriceSort,
    }
}

/// A price of an accelerator: rented by the hour, or bought. What belongs to the other kind is null.
#[derive(Debug, Serialize, ToSchema)]
pub struct GpuPrice<'s> {
    /// The row's name.
    #[schema(value_type = String, example = "gpu_rental:17")]
    pub id: RowRef,
    /// Renting or buying.
    pub kind: GpuPriceKind,
    /// The accelerator.
    #[schema(value_type = String, example = "h100-sxm5-80gb")]
    pub gpu: &'s GpuId,
    /// Money for one `unit`, before tax.
    pub amount: Money,
    /// Currency of the amount.
    #[schema(value_type = String, example = "USD")]
    pub currency: Currency,
    /// What the amount buys.
    pub unit: GpuPriceUnit,
    /// Who rents it out.
    #[schema(value_type = Option<String>, example = "aws")]
    pub provider: Option<&'s ProviderId>,
    /// `hyperscaler`, `neocloud` or `marketplace`; null: unknown.
    #[schema(example = "hyperscaler")]
    pub provider_kind: Option<&'s str>,
    /// Where, in the provider's words.
    #[schema(example = "us-east-1")]
    pub region: Option<&'s str>,
    /// The provider's name of the machine.
    #[schema(example = "p5.48xlarge")]
    pub instance: Option<&'s str>,
    /// How the hours are bought.
    pub commitment: Option<Commitment>,
    /// What a purchase price is: `list`, `street`, `used`, `server_share`, `estimate` or `server`.
    #[schema(example = "street")]
    pub basis: Option<&'s str>,
    /// The system, where the price is a whole one's.
    #[schema(example = "DGX H100")]
    pub system: Option<&'s str>,
    /// Accelerators in the machine or the system; null: unknown.
    #[schema(example = 8)]
    pub gpu_count: Option<u32>,
    /// First day of the price.
    #[schema(value_type = String, format = Date, example = "2025-06-05")]
    pub effective_from: Date,
    /// First day of the next price; null: none is known.
    #[schema(value_type = Option<String>, format = Date, example = "2026-01-01")]
    pub effective_to: Option<Date>,
    /// Last day on which the source showed the price; of a purchase, its only day.
    #[schema(value_type = String, format = Date, example = "2026-08-01")]
    pub last_seen: Date,
    /// Days between that day and the instant asked about; 0 when it was seen later.
    #[schema(example = 115)]
    pub age_days: u32,
    /// Whether that is more than 90 days.
    #[schema(example = true)]
    pub stale: bool,
    /// `medium`: a directory or scrape; null: the vendor's own feed or page.
    #[schema(example = "medium")]
    pub confidence: Option<&'s str>,
    /// A doubt or remark; null: none.
    #[schema(example = "community cloud tier")]
    pub note: Option<&'s str>,
    /// URL or citation; null: none is known.
    #[schema(example = "AWS Price List API")]
    pub source: Option<&'s str>,
    /// The day somebody looked.
    #[schema(value_type = String, format = Date, example = "2026-08-01")]
    pub observed_at: Date,
    /// The revision of the catalog that introduced it.
    #[schema(example = 1)]
    pub revision: u32,
    /// The revision that replaced or withdrew it; null: none has.
    #[schema(example = 2)]
    pub superseded: Option<u32>,
}

/// A row of either table.
#[derive(Clone, Copy)]
enum Known<'s> {
    Rental(&'s Versioned<GpuRental>),
    Purchase(&'s Versioned<GpuPurchase>),
}

impl<'s> Known<'s> {
    /// The row of a place: rentals first, then purchases.
    fn at(scope: Scope<'s>, place: u32) -> Self {
        let history = scope.view.snapshot().history();
        let (place, rentals) = (place as usize, history.gpu_rentals.len());
        match place.checked_sub(rentals) {
            None => Self::Rental(&history.gpu_rentals[place]),
            Some(place) => Self::Purchase(&history.gpu_purchases[place]),
        }
    }

    /// The rows of both tables with their places.
    fn all(scope: Scope<'s>) -> impl Iterator<Item = (u32, Self)> {
        let history = scope.view.snapshot().history();
        let rentals = history.gpu_rentals.iter().map(Self::Rental);
        (0..).zip(rentals.chain(history.gpu_purchases.iter().map(Self::Purchase)))
    }

    fn is_told(self, scope: Scope<'_>, since: Option<u64>) -> bool {
        let revision = scope.view.revision;
        match (self, since) {
            (Self::Rental(row), None) => row.known_at(revision),
            (Self::Purchase(row), None) => row.known_at(revision),
            (Self::Rental(row), Some(since)) => is_news(row, since, revision),
            (Self::Purchase(row), Some(since)) => is_news(row, since, revision),
        }
    }

    /// Whether a rental price was in force on a day, or a purchase price had been named by then.
    fn holds_on(self, day: Date) -> bool {
        match self {
            Self::Rental(row) => {
                row.row.effective_from <= day && row.row.effective_to.is_none_or(|end| day < end)
            }
            Self::Purchase(row) => row.row.effective_from <= day,
        }
    }

    fn price(self, scope: Scope<'s>) -> GpuPrice<'s> {
        match self {
            Self::Rental(known) => rental(scope, known),
            Self::Purchase(known) => purchase(scope, known),
        }
    }

    fn amount(self) -> Decimal {
        match self {
            Self::Rental(known) => known.row.price_per_gpu_hour,
            Self::Purchase(known) => known.row.amount,
        }
    }
}

fn rental<'s>(scope: Scope<'s>, known: &'s Versioned<GpuRental>) -> GpuPrice<'s> {
    let row = &known.row;
    let age_days = scope.age_days(row.last_seen);
    GpuPrice {
        id: RowRef { table: GpuRental::TABLE, id: known.id },
        kind: GpuPriceKind::Rental,
        gpu: &row.gpu,
        amount: row.price_per_gpu_hour.into(),
        currency: row.currency,
        unit: GpuPriceUnit::GpuHour,
        provider: Some(&row.provider),
        provider_kind: row.provider_kind.as_deref(),
        region: row.region.as_deref(),
        instance: row.instance.as_deref(),
        commitment: Some(row.commitment),
        basis: None,
        system: None,
        gpu_count: Some(row.gpu_count),
        effective_from: row.effective_from,
        effective_to: row.effective_to,
        last_seen: row.last_seen,
        age_days,
        stale: age_days > STALE_AFTER_DAYS,
        confidence: row.confidence.as_deref(),
        note: row.note.as_deref(),
        source: row.source.as_deref(),
        observed_at: row.observed_at,
        revision: known.introduced.0,
        superseded: known.superseded.filter(|end| *end <= scope.view.revision).map(|end| end.0),
    }
}

fn purchase<'s>(scope: Scope<'s>, known: &'s Versioned<GpuPurchase>) -> GpuPrice<'s> {
    let row = &known.row;
    let age_days = scope.age_days(row.effective_from);
    let whole_system = row.kind == "server";
    GpuPrice {
        id: RowRef { table: GpuPurchase::TABLE, id: known.id },
        kind: GpuPriceKind::Purchase,
        gpu: &row.gpu,
        amount: row.amount.into(),
        currency: row.currency,
        unit: if whole_system { GpuPriceUnit::System } else { GpuPriceUnit::Gpu },
        provider: None,
        provider_kind: None,
        region: None,
        instance: None,
        commitment: None,
        basis: Some(&row.kind),
        system: row.system.as_deref(),
        gpu_count: row.gpus,
        effective_from: row.effective_from,
        effective_to: None,
        last_seen: row.effective_from,
        age_days,
        stale: age_days > STALE_AFTER_DAYS,
        confidence: None,
        note: None,
        source: row.source.as_deref(),
        observed_at: row.observed_at,
        revision: known.introduced.0,
        superseded: known.superseded.filter(|end| *end <= scope.view.revision).map(|end| end.0),
    }
}

/// One page, as the document describes it: without `<..>`, which utoipa would take apart.
pub type GpuPriceList = Listing<GpuPrice<'static>>;

/// The list of prices of accelerators.
#[derive(Debug)]
pub struct GpuPrices;

impl Resource for GpuPrices {
    type Query = GpuPriceQuery;
    type Item<'s> = GpuPrice<'s>;

    fn rows(scope: Scope<'_>, query: &GpuPriceQuery) -> Result<Vec<u32>, Fault> {
        let view = scope.view;
        let gpu = query.gpu.said().map(|name| lookup::gpu(view, name)).transpose();
        let gpu = gpu.map_err(|unknown| Fault::unknown("gpu", unknown))?;
        let provider = query.provider.said().map(|name| lookup::provider(view, name)).transpose();
        let provider = provider.map_err(|unknown| Fault::unknown("provider", unknown))?;
        let currency = query.currency.said().map(|code| lookup::currency(view, code)).transpose();
        let currency = currency.map_err(|unknown| Fault::unknown("currency", unknown))?;
        let keep = |price: &GpuPrice<'_>| {
            query.kind.is_none_or(|kind| price.kind == kind)
                && gpu.is_none_or(|gpu| *price.gpu == gpu.row.id)
                && provider.is_none_or(|provider| price.provider == Some(&provider.row.id))
                && currency.is_none_or(|currency| price.currency == currency)
                && query.commitment.is_none_or(|commitment| price.commitment == Some(commitment))
                && query.stale.is_none_or(|stale| price.stale == stale)
                && is(query.provider_kind.said(), price.provider_kind)
                && is(query.region.said(), price.region)
                && is(query.instance.said(), price.instance)
                && is(query.basis.said(), price.basis)
        };
        let told = Known::all(scope).filter(|(_, row)| row.is_told(scope, query.since_revision));
        let in_force = told.filter(|(_, row)| row.holds_on(scope.day()));
        let priced = in_force.map(|(at, row)| (at, row.amount(), row.price(scope)));
        let mut hits: Vec<_> = priced.filter(|(_, _, price)| keep(price)).collect();
        hits.sort_by(|(at, amount, a), (other_at, other_amount, b)| {
            let first = query.sort.map_or(Ordering::Equal, |sort| match sort.key {
                GpuPriceKey::Gpu => sort.by(a.gpu, b.gpu),
                GpuPriceKey::Provider => sort.by_some(a.provider, b.provider),
                GpuPriceKey::Amount => sort.by(amount, other_amount),
                GpuPriceKey::EffectiveFrom => sort.by(&a.effective_from, &b.effective_from),
                GpuPriceKey::LastSeen => sort.by(&a.last_seen, &b.last_seen),
            });
            first.then_with(|| ties(a, b)).then_with(|| at.cmp(other_at))
        });
        Ok(hits.into_iter().map(|(at, _, _)| at).collect())
    }

    fn items<'s>(scope: Scope<'s>, rows: &[u32]) -> Vec<GpuPrice<'s>> {
        rows.iter().map(|at| Known::at(scope, *at).price(scope)).collect()
    }
}

/// By accelerator and kind, then by where it is to be had, the oldest first.
fn ties(a: &GpuPrice<'_>, b: &GpuPrice<'_>) -> Ordering {
    (a.gpu.cmp(b.gpu))
        .then_with(|| a.kind.cmp(&b.kind))
        .then_with(|| a.provider.cmp(&b.provider))
        .then_with(|| a.region.cmp(&b.region))
        .then_with(|| a.effective_from.cmp(&b.effective_from))
}
