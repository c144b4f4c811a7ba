//! One machine, rented by the hour or bought: at which use, and after how many months, buying is cheaper.
//!
//! - By use: `U* = (A + O) / (8760 p)`.
//! - By time: the least `t` with `8760 U P(t) >= K - (1 - h) V(t) + O t`, where `P(t)` is the rent of `t` years, flat or
//!   falling, and `V(t) = K 10^(-d t)` what the machine would be sold for.
//!
//! `K`, `O` and `A` are those of an ownership as `POST /estimate` prices it, of one accelerator. Ranges go through the
//! formulas world by world.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::svg::Picture;
use crate::{
    catalog::{
        gpu::Commitment,
        money::{Currency, rounded_to_nine},
        snapshot::Snapshot,
    },
    decide::{Refused, under},
    estimate::{
        self,
        desk::{Desk, Scope},
        fault::{Fault, FaultKind},
        figure::{Figure, Price},
        hardware::{
            owned::{
                HOURS_PER_YEAR,
                payback::{Buying, Rent, Resale},
            },
            rental,
        },
        metric::Metric,
        object::Object,
        ownership::against_rent::{AgainstRent, Sale},
        quote::{ENGINE, References, Warning},
        request::{Detail, EstimateRequest, Workload},
        uncertain::{Sampler, Uncertain},
    },
};

/// Months of the curves where nothing is said.
const USUAL_MONTHS: u32 = 60;

/// Months of the curves at most.
const MOST_MONTHS: u32 = 600;

const MONTHS_PER_YEAR: f64 = 12.0;

/// What a rent is also tried at: 30 percent less and more.
const FACTORS: [f64; 3] = [0.7, 1.0, 1.3];

/// Uses of the curve: twentieths.
const USES: u32 = 20;

/// A rent and a purchase.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({
    "rent": {"price_per_gpu_hour": "2.99", "decline": 0},
    "buy": {"kind": "ownership", "as_of": "2025-01-31", "years": 4,
        "hardware": {"gpu": "h100-sxm5-80gb", "count": 8, "price_each": "31904.63"},
        "server_factor": 1, "network_share": 0.19, "power": {"pue": 1.25}},
    "utilization": 0.9, "resale": {"haircut": 0.15}
})))]
pub struct RentOrBuyRequest<'a> {
    /// What an hour is rented for.
    #[schema(value_type = RentGiven)]
    pub rent: Object<RentGiven>,
    /// What is bought: an ownership as `POST /estimate` takes it.
    #[serde(borrow)]
    #[schema(value_type = crate::estimate::ownership::request::Ownership)]
    pub buy: &'a RawValue,
    /// Used hours over all hours. Default: that of the ownership.
    #[schema(value_type = Option<Figure>, example = 0.9)]
    pub utilization: Option<Figure>,
    /// What a sale brings; null, or nothing: the machine is not sold.
    #[schema(value_type = Option<ResaleGiven>)]
    pub resale: Option<Object<ResaleGiven>>,
    /// Months of the curves.
    #[schema(minimum = 1, maximum = 600, default = 60, example = 60)]
    pub months: Option<u32>,
    /// Currency of the answer. Default: that of the ownership.
    #[schema(value_type = Option<String>, pattern = "^[A-Za-z]{3}$", example = "USD")]
    pub currency: Option<Box<str>>,
    /// Whether a picture of the curves is wanted, as SVG.
    #[serde(default)]
    #[schema(example = false)]
    pub svg: bool,
}

/// What an hour of an accelerator is rented for.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RentGiven {
    /// The price. Default: the catalog's.
    pub price_per_gpu_hour: Option<Price>,
    /// Its currency.
    #[schema(value_type = Option<String>, default = "USD", example = "USD")]
    pub currency: Option<Box<str>>,
    /// Whose rental prices. Default: everybody's, the median with the extremes as its range.
    #[schema(example = "aws")]
    pub provider: Option<String>,
    /// `hyperscaler`, `neocloud` or `marketplace`: the market of one class of provider.
    #[schema(example = "neocloud")]
    pub provider_kind: Option<String>,
    /// Where it stands, in the provider's words.
    #[schema(example = "us-east-1")]
    pub region: Option<String>,
    /// How its hours are bought. Default: on demand.
    pub commitment: Option<Commitment>,
    /// By how much the rent falls in a year; below zero it rises.
    #[serde(default)]
    #[schema(minimum = -1, exclusive_maximum = 1, default = 0, example = 0.1)]
    pub decline: f64,
}

/// What a sale brings; what is left out is an assumption (see `/assumptions`).
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResaleGiven {
    /// The share of the worth that the sale costs.
    #[schema(value_type = Option<Figure>, example = 0.15)]
    pub haircut: Option<Figure>,
    /// By how many powers of ten newer machines are better for their price, a year: so the worth falls.
    #[schema(value_type = Option<Figure>, example = 0.14)]
    pub decades_per_year: Option<Figure>,
}

/// When buying pays; money is in the currency of the answer, of one accelerator.
#[derive(Debug, Serialize, ToSchema)]
pub struct RentOrBuy {
    /// Currency of every amount.
    #[schema(value_type = String, example = "USD")]
    pub currency: Currency,
    /// The instant whose prices were used.
    #[schema(value_type = String, format = DateTime, example = "2026-11-24T12:00:00Z")]
    pub as_of: Timestamp,
    /// The revision of the catalog that was used.
    #[schema(example = 1)]
    pub catalog_revision: u32,
    /// Name and version of the engine.
    #[schema(example = "farthing 0.1.0")]
    pub engine: &'static str,
    /// Which is cheaper, and when.
    #[schema(example = "buying pays at 61.1% of use or more; at 90%, after 8.7 months")]
    pub text: String,
    /// `p`: the rent of an hour, today.
    pub rent_per_gpu_hour: Metric,
    /// `K`: what it costs to buy, servers and network with it.
    pub installed: Metric,
    /// `O`: power, place, upkeep and people of a year.
    pub operating_per_year: Metric,
    /// `A + O`: everything, spread over the years.
    pub cost_per_year: Metric,
    /// `U`: used hours over all.
    pub utilization: Metric,
    /// `U*`: the use from which on buying is cheaper; above 1 it never is. Null where the rent is nothing.
    pub break_even_utilization: Option<Metric>,
    /// When the rent that was saved has paid for the machine.
    pub break_even_months: Months,
    /// The same at 30 percent less rent, at the rent, and at 30 percent more.
    pub sensitivity: Vec<AtRent>,
    /// What has been paid for, month by month, since the first day.
    pub by_month: Vec<MonthPaid>,
    /// What a used hour costs, by use.
    pub by_utilization: Vec<UsePaid>,
    /// Rows of the catalog that the rent rests on.
    #[schema(example = json!(["gpu_rental:h100-sxm5-80gb"]))]
    pub refs: Vec<String>,
    /// Doubts.
    pub warnings: Vec<Warning>,
    /// A picture of `by_month`; only where it is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "<svg xmlns=\"http://www.w3.org/2000/svg\"></svg>")]
    pub svg: Option<String>,
}

/// A number of months, or never.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
#[schema(as = BreakEvenMonths)]
pub struct Months {
    /// The months, P50 where there is a range; null: never.
    #[schema(example = 8.7)]
    pub value: Option<f64>,
    /// P10; only where there is a range. Null: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>, example = 7.2)]
    pub low: Option<Option<f64>>,
    /// P90; only where there is a range. Null: never.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<f64>, example = 11.0)]
    pub high: Option<Option<f64>>,
}

/// When buying pays at a rent.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = BreakEvenAtRent)]
pub struct AtRent {
    /// The rent of an hour.
    #[schema(example = 2.99)]
    pub rent_per_gpu_hour: f64,
    /// The use from which on buying is cheaper.
    #[schema(example = 0.611)]
    pub break_even_utilization: Option<f64>,
    /// After how many months; null: never.
    #[schema(example = 8.7)]
    pub break_even_months: Option<f64>,
}

/// What has been paid after some months.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = BreakEvenMonth)]
pub struct MonthPaid {
    /// How many months.
    #[schema(example = 12)]
    pub month: u32,
    /// Rent of the hours that were used.
    #[schema(example = 23_573.16)]
    pub rented: f64,
    /// The purchase and what it cost to run, less what a sale would bring now.
    #[schema(example = 20_396.59)]
    pub owned: f64,
}

/// What a used hour costs at a use.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[schema(as = BreakEvenUse)]
pub struct UsePaid {
    /// Used hours over all.
    #[schema(example = 0.9)]
    pub utilization: f64,
    /// Rented.
    #[schema(example = 2.99)]
    pub rented: f64,
    /// Owned.
    #[schema(example = 2.03)]
    pub owned: f64,
}

/// Finds when buying pays.
///
/// # Errors
/// Every fault of the question and of the ownership.
pub fn rent_or_buy(
    asked: &RentOrBuyRequest<'_>,
    snapshot: &Snapshot,
    now: Timestamp,
) -> Result<RentOrBuy, Refused> {
    let request = ownership(asked)?;
    let quote = estimate::estimate(&request, snapshot, now).map_err(|faults| under("/buy", faults))?;
    let view = estimate::view(&request, snapshot).map_err(|fault| under("/buy", vec![fault]))?;
    let [item] = request.items.as_slice() else { return Err(only_one().into()) };
    let Workload::Ownership(owned) = &item.workload else { return Err(only_one().into()) };
    let scope = Scope {
        view,
        currency: quote.currency,
        as_of: request.as_of,
        now: now.into(),
        detail: Detail::Lines,
    };
    let (mut references, mut sampler) = (References::default(), Sampler::default());
    let mut desk = Desk::new(scope, "", owned.as_of, &mut references, &mut sampler);
    let rent = rented(&asked.rent);
    let sale = asked.resale.as_deref();
    let sale = sale.map(|sale| Sale { haircut: sale.haircut, decades_per_year: sale.decades_per_year });
    let figures = desk.against_rent(owned, rent, asked.utilization, sale);
    let as_of = desk.at.instant;
    let (mut faults, mut warnings) = (std::mem::take(&mut desk.faults), std::mem::take(&mut desk.warnings));
    for fault in &mut faults {
        fault.pointer = place(&fault.pointer);
    }
    for warning in &mut warnings {
        warning.pointer = place(&warning.pointer);
    }
    faults.extend(check(asked));
    let (Some(figures), true) = (figures, faults.is_empty()) else { return Err(Refused::Faults(faults)) };
    faults.extend(check_use(&figures));
    if !faults.is_empty() {
        return Err(Refused::Faults(faults));
    }
    let race = Race { figures: &figures, decline: asked.rent.decline };
    Ok(RentOrBuy {
        as_of,
        catalog_revision: quote.catalog_revision,
        warnings,
        ..race.told(asked, quote.currency)
    })
}

/// The ownership as a request.
fn ownership(asked: &RentOrBuyRequest<'_>) -> Result<EstimateRequest, Fault> {
    let mut request = EstimateRequest::parse(asked.buy.get().as_bytes())
        .map_err(|not_json| Fault::new("/buy", FaultKind::wrong_type(not_json.to_string())))?;
    if asked.currency.is_some() {
        request.currency.clone_from(&asked.currency);
    }
    let is_ownership = |item: &estimate::request::Item| matches!(item.workload, Workload::Ownership(_));
    if request.faults.is_empty() && !(request.items.len() == 1 && request.items.iter().all(is_ownership)) {
        return Err(only_one());
    }
    Ok(request)
}

fn only_one() -> Fault {
    let kind =
        FaultKind::wrong_type("must be one workload of kind `ownership`, by itself or as the one of `items`");
    Fault::new("/buy", kind)
}

fn rented(rent: &RentGiven) -> rental::Rent<'_> {
    rental::Rent {
        price_per_gpu_hour: rent.price_per_gpu_hour,
        currency: rent.currency.as_deref(),
        provider: rent.provider.as_deref(),
        provider_kind: rent.provider_kind.as_deref(),
        region: rent.region.as_deref(),
        commitment: rent.commitment,
        max_price_age_days: None,
    }
}

/// Where a place of the arithmetic stands in the body: faults of the purchase have been told before.
fn place(pointer: &str) -> String {
    match pointer.strip_prefix("/hardware") {
        Some("/gpu" | "") => "/rent".to_owned(),
        Some(field) => format!("/rent{field}"),
        None if pointer.starts_with("/resale") || pointer.starts_with("/utilization") => pointer.to_owned(),
        None => format!("/buy{pointer}"),
    }
}

fn check(asked: &RentOrBuyRequest<'_>) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut fault = |at: &str, detail: String| faults.push(Fault::new(at, FaultKind::out_of_range(detail)));
    let decline = asked.rent.decline;
    if !(-1.0..1.0).contains(&decline) {
        fault("/rent/decline", format!("must be at least -1 and below 1, got {decline}"));
    }
    if let Some(months) = asked.months
        && !(1..=MOST_MONTHS).contains(&months)
    {
        fault("/months", format!("must be 1 to {MOST_MONTHS}, got {months}"));
    }
    if asked.resale.is_some_and(|sale| sale.haircut.is_some_and(|haircut| haircut.0.high() > 1.0)) {
        fault("/resale/haircut", "must be at most 1".to_owned());
    }
    faults
}

/// Hours that are used are some, and not more than there are.
fn check_use(figures: &AgainstRent) -> Option<Fault> {
    let (low, high) =
        figures.utilization.range().unwrap_or((figures.utilization.mid(), figures.utilization.mid()));
    let wrong = low <= 0.0 || high > 1.0;
    let detail = format!("must be in (0, 1], got {low} to {high}");
    wrong.then(|| Fault::new("/utilization", FaultKind::out_of_range(detail)))
}

/// Rent against purchase.
struct Race<'f> {
    figures: &'f AgainstRent,
    decline: f64,
}

impl Race<'_> {
    /// In the middle of all ranges.
    fn buying(&self) -> Buying {
        Buying {
            installed: self.figures.installed.mid(),
            operating_per_year: self.figures.operating_per_year.mid(),
            cost_per_year: self.figures.cost_per_year.mid(),
        }
    }

    fn resale(&self) -> Option<Resale> {
        let (haircut, decades) = self.figures.sale.as_ref()?;
        Some(Resale { haircut: haircut.mid(), decades_per_year: decades.mid() })
    }

    fn rent(&self, times: f64) -> Rent {
        let price_per_gpu_hour = self.figures.price_per_gpu_hour.mid() * times;
        Rent { price_per_gpu_hour, decline_per_year: self.decline }
    }

    /// Months in every world; without end where it never pays.
    fn months(&self) -> Months {
        let AgainstRent { installed, operating_per_year, price_per_gpu_hour, utilization, sale, .. } =
            self.figures;
        let none = (Uncertain::exact(0.0), Uncertain::exact(0.0));
        let (haircut, decades) = sale.as_ref().unwrap_or(&none);
        let from = [installed, operating_per_year, price_per_gpu_hour, utilization, haircut, decades];
        let [months] =
            Uncertain::join(from, |[installed, operating, price, utilization, haircut, decades]| {
                let buying = Buying { installed, operating_per_year: operating, cost_per_year: operating };
                let rent = Rent { price_per_gpu_hour: price, decline_per_year: self.decline };
                let resale = sale.is_some().then_some(Resale { haircut, decades_per_year: decades });
                [buying.break_even_months(utilization, rent, resale).unwrap_or(f64::INFINITY)]
            });
        let told = |months: f64| months.is_finite().then(|| rounded_to_nine(months));
        let range = months.range();
        Months {
            value: told(months.mid()),
            low: range.map(|(low, _)| told(low)),
            high: range.map(|(_, high)| told(high)),
        }
    }

    fn utilization(&self) -> Option<Metric> {
        let AgainstRent { cost_per_year, price_per_gpu_hour, .. } = self.figures;
        if price_per_gpu_hour.range().map_or(price_per_gpu_hour.mid(), |(low, _)| low) <= 0.0 {
            return None;
        }
        Some(Metric::of(
            &cost_per_year.with(price_per_gpu_hour, |cost, price| cost / (HOURS_PER_YEAR * price)),
            "ratio",
        ))
    }

    fn at_rent(&self, times: f64) -> AtRent {
        let (buying, rent, used) = (self.buying(), self.rent(times), self.figures.utilization.mid());
        let even = buying.break_even_utilization(rent.price_per_gpu_hour);
        AtRent {
            rent_per_gpu_hour: rounded_to_nine(rent.price_per_gpu_hour),
            break_even_utilization: even.map(rounded_to_nine),
            break_even_months: buying.break_even_months(used, rent, self.resale()).map(rounded_to_nine),
        }
    }

    fn paid(&self, month: u32) -> MonthPaid {
        let (years, used) = (f64::from(month) / MONTHS_PER_YEAR, self.figures.utilization.mid());
        let nothing = Buying { installed: 0.0, operating_per_year: 0.0, cost_per_year: 0.0 };
        let rented = nothing.saved(used, self.rent(1.0), None, years);
        let owned = rented - self.buying().saved(used, self.rent(1.0), self.resale(), years);
        MonthPaid { month, rented: rounded_to_nine(rented), owned: rounded_to_nine(owned) }
    }

    fn told(&self, asked: &RentOrBuyRequest<'_>, currency: Currency) -> RentOrBuy {
        let figures = self.figures;
        let by_month: Vec<MonthPaid> =
            (0..=asked.months.unwrap_or(USUAL_MONTHS)).map(|month| self.paid(month)).collect();
        let by_utilization = (1..=USES).map(|part| {
            let utilization = f64::from(part) / f64::from(USES);
            let owned = figures.cost_per_year.mid() / (HOURS_PER_YEAR * utilization);
            UsePaid { utilization, rented: figures.price_per_gpu_hour.mid(), owned: rounded_to_nine(owned) }
        });
        let months = self.months();
        let svg = asked.svg.then(|| self.picture(&by_month, months, currency));
        RentOrBuy {
            currency,
            as_of: Timestamp::UNIX_EPOCH,
            catalog_revision: 0,
            engine: ENGINE,
            text: self.text(months),
            rent_per_gpu_hour: Metric::of(&figures.price_per_gpu_hour, currency),
            installed: Metric::of(&figures.installed, currency),
            operating_per_year: Metric::of(&figures.operating_per_year, currency),
            cost_per_year: Metric::of(&figures.cost_per_year, currency),
            utilization: Metric::of(&figures.utilization, "ratio"),
            break_even_utilization: self.utilization(),
            break_even_months: months,
            sensitivity: FACTORS.map(|times| self.at_rent(times)).into(),
            by_month,
            by_utilization: by_utilization.collect(),
            refs: figures.refs.clone(),
            warnings: Vec::new(),
            svg,
        }
    }

    fn text(&self, months: Months) -> String {
        let even = self.buying().break_even_utilization(self.rent(1.0).price_per_gpu_hour);
        let by_use = match even {
            Some(even) if even <= 1.0 => format!("buying pays at {:.1}% of use or more", 100.0 * even),
            _ => "over its life, renting is cheaper whatever the use".to_owned(),
        };
        let used = 100.0 * self.figures.utilization.mid();
        match months.value {
            Some(months) => format!("{by_use}; at {used:.0}%, after {months:.1} months"),
            None => format!("{by_use}; at {used:.0}%, never"),
        }
    }

    fn picture(&self, by_month: &[MonthPaid], months: Months, currency: Currency) -> String {
        let curve = |of: fn(&MonthPaid) -> f64| {
            by_month.iter().map(|paid| (f64::from(paid.month), of(paid))).collect()
        };
        let last = by_month.last().map_or(0.0, |paid| f64::from(paid.month));
        let mark = months.value.filter(|months| *months <= last).map(|months| {
            let nothing = Buying { installed: 0.0, operating_per_year: 0.0, cost_per_year: 0.0 };
            let used = self.figures.utilization.mid();
            (months, nothing.saved(used, self.rent(1.0), None, months / MONTHS_PER_YEAR))
        });
        Picture {
            across: "months",
            up: currency.as_str(),
            is_log: false,
            curves: [("rented", curve(|paid| paid.rented)), ("owned", curve(|paid| paid.owned))],
            marks: mark.into_iter().collect(),
        }
        .draw()
    }
}
