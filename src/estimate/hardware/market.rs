//! The rental market on a day: whose prices answer a question, and their median.
//!
//! Of the prices in force, those that nobody has seen again within 90 days give way to fresher ones. Each provider
//! has one vote, the median of its own prices: one with twenty regions does not outweigh the others. The median of
//! the votes is the price, the extremes are its range. Of a single provider each price is a vote.

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::{
    part::Part,
    rental::{HourPrice, Rent},
};
use crate::{
    catalog::{
        gpu::{Commitment, GpuRental},
        money::Currency,
        rows::Versioned,
        snapshot::View,
        time::{start_of_day, utc_day},
    },
    estimate::{
        desk::Desk,
        fault::FaultKind,
        figure::Price,
        quote::{Origin, Ref, Reference, RowConditions, WarningCode},
        shape::cut,
    },
};

/// Days after which a price that nobody has seen again is old.
const MAX_PRICE_AGE_DAYS: f64 = 90.0;

/// Names in a list of what there is.
const MOST_LISTED: usize = 12;

type Row<'a> = &'a Versioned<GpuRental>;

/// What a provider, or a row, says the price is.
#[derive(Debug)]
struct Vote<'a> {
    price: Decimal,
    rows: Vec<Row<'a>>,
}

/// The price of an hour from the catalog.
pub(super) fn hour_price<'a>(
    desk: &mut Desk<'a, '_>,
    rent: Rent<'a>,
    part: &Part<'a>,
) -> Option<HourPrice<'a>> {
    let before = desk.faults.len();
    check_names(desk, rent);
    if desk.faults.len() > before {
        return None;
    }
    let rows = asked_for(desk, rent, part)?;
    let (rows, age) = freshest(rows, utc_day(desk.instant()), rent.max_price_age_days);
    let currency = common_currency(&rows);
    let votes = votes(desk, &rows, currency)?;
    let price = middle_and_extremes(&votes)?;
    warn(desk, part, &rows, &votes, price, currency);
    warn_of_age(desk, age, rent.max_price_age_days);
    let spread = desk.sampler.draw(&question(desk.instant(), rent, part), price.range());
    Some(HourPrice {
        price,
        currency,
        spread,
        origin: Origin::Catalog,
        refs: cite(desk, &votes),
        commitment: rent.commitment.unwrap_or(Commitment::OnDemand),
        provider_kind: same(rows.iter().map(|row| row.row.provider_kind.as_deref())).flatten(),
        instance_gpus: rows.iter().map(|row| row.row.gpu_count).min(),
    })
}

/// What tells one rental question from another: equal questions get equal draws.
fn question(at: jiff::Timestamp, rent: Rent<'_>, part: &Part<'_>) -> String {
    let Rent { provider, provider_kind, region, commitment, max_price_age_days, .. } = rent;
    let day = utc_day(at);
    let (gpu, asked) = (part.name, (provider, provider_kind, region, commitment, max_price_age_days));
    format!("gpu_rental:{gpu}:{day}:{asked:?}")
}

/// Refuses a provider, or a class of providers, that nobody knows.
fn check_names(desk: &mut Desk<'_, '_>, rent: Rent<'_>) {
    let view = desk.view();
    if let Some(name) = rent.provider
        && view.provider(name).is_none()
    {
        let near = view.near_providers(name);
        desk.fault("/hardware/provider", FaultKind::UnknownProvider { name: cut(name), near });
    }
    if let Some(kind) = rent.provider_kind {
        let rentals = view.known(&view.snapshot().history().gpu_rentals);
        let kinds = names_of(rentals.filter_map(|row| row.row.provider_kind.as_deref()));
        if !kinds.iter().any(|known| known == kind) {
            let detail = format!("must be one of {}, got `{}`", kinds.join(", "), cut(kind));
            desk.fault("/hardware/provider_kind", FaultKind::OutOfRange { detail });
        }
    }
}

/// The class of provider that a request with a price of its own names, itself or by a provider.
pub(super) fn kind_of<'a>(desk: &mut Desk<'a, '_>, rent: Rent<'a>) -> Option<&'a str> {
    check_names(desk, rent);
    let view = desk.view();
    let by_provider = || {
        let id = &view.provider(rent.provider?)?.id;
        let mut rentals = view.known(&view.snapshot().history().gpu_rentals);
        rentals.find(|row| row.row.provider == *id)?.row.provider_kind.as_deref()
    };
    rent.provider_kind.or_else(by_provider)
}

/// The part's prices that a request asks for, in force on its day; or a fault that says what there is.
fn asked_for<'a>(desk: &mut Desk<'a, '_>, rent: Rent<'a>, part: &Part<'a>) -> Option<Vec<Row<'a>>> {
    let view = desk.view();
    let Some(gpu) = part.row else {
        desk.fault("/hardware", FaultKind::MissingField { name: "price_per_gpu_hour".to_owned() });
        return None;
    };
    let mut rows: Vec<Row<'a>> = view.rentals_of(&gpu.row.id).collect();
    if rows.is_empty() {
        let near = nearest_priced(view, part, utc_day(desk.instant()));
        let detail = format!(
            "nobody's rental price of `{}` is known: give `price_per_gpu_hour`{}",
            part.name,
            if near.is_empty() { String::new() } else { format!("; priced are {}", near.join(", ")) },
        );
        desk.fault("/hardware/gpu", FaultKind::UnpricedGpu { detail, near });
        return None;
    }
    let provider = rent.provider.and_then(|name| view.provider(name)).map(|provider| provider.id.as_str());
    narrow(desk, part, &mut rows, "provider", provider, |row| Some(row.provider.as_str()))?;
    narrow(desk, part, &mut rows, "provider_kind", rent.provider_kind, |row| row.provider_kind.as_deref())?;
    narrow(desk, part, &mut rows, "region", rent.region, |row| row.region.as_deref())?;
    let commitment = word(rent.commitment.unwrap_or(Commitment::OnDemand));
    narrow(desk, part, &mut rows, "commitment", Some(commitment), |row| Some(word(row.commitment)))?;
    in_force(desk, part, &rows)
}

/// Keeps the rows with a word in a field; a fault that lists the words there are, where none has it.
fn narrow<'a>(
    desk: &mut Desk<'a, '_>,
    part: &Part<'a>,
    rows: &mut Vec<Row<'a>>,
    field: &str,
    wanted: Option<&str>,
    of: impl Fn(&'a GpuRental) -> Option<&'a str>,
) -> Option<()> {
    let Some(wanted) = wanted else { return Some(()) };
    let known = names_of(rows.iter().filter_map(|row| of(&row.row)));
    let first = rows.iter().map(|row| row.row.effective_from).min();
    rows.retain(|row| of(&row.row).is_some_and(|word| word.eq_ignore_ascii_case(wanted)));
    if !rows.is_empty() {
        return Some(());
    }
    let more = known.len().saturating_sub(MOST_LISTED);
    let listed = known[..known.len().min(MOST_LISTED)].join(", ");
    let detail = format!(
        "no price of `{}` is known with {field} `{}`; there are {listed}{}{}",
        part.name,
        cut(wanted),
        if more == 0 { String::new() } else { format!(" and {more} more") },
        first.map_or_else(String::new, |day| format!(", from {day} on")),
    );
    desk.fault(&format!("/hardware/{field}"), FaultKind::UnpricedGpu { detail, near: known });
    None
}

/// Keeps the rows in force on the day asked about.
fn in_force<'a>(desk: &mut Desk<'a, '_>, part: &Part<'a>, rows: &[Row<'a>]) -> Option<Vec<Row<'a>>> {
    let day = utc_day(desk.instant());
    let holding: Vec<Row<'a>> = rows.iter().copied().filter(|row| holds(&row.row, day)).collect();
    if !holding.is_empty() {
        return Some(holding);
    }
    let next = rows.iter().map(|row| row.row.effective_from).filter(|from| *from > day).min();
    let last = rows.iter().filter_map(|row| row.row.effective_to).filter(|to| *to <= day).max();
    let known = match (last, next) {
        (Some(last), Some(next)) => format!("one ended on {last}, the next is from {next}"),
        (Some(last), None) => format!("the last one ended on {last}"),
        (None, Some(next)) => format!("the first one is from {next}"),
        (None, None) => "none has a span".to_owned(),
    };
    let detail = format!("no price of `{}` like that is in force on {day}: {known}", part.name);
    desk.fault("/as_of", FaultKind::UnpricedGpu { detail, near: Vec::new() });
    None
}

fn holds(rental: &GpuRental, day: Date) -> bool {
    rental.effective_from <= day && rental.effective_to.is_none_or(|to| day < to)
}

/// Of prices in force those seen within some days of the day asked about, or else of the freshest; and how many days
/// before the day asked about that was.
fn freshest(mut rows: Vec<Row<'_>>, day: Date, max_age: Option<f64>) -> (Vec<Row<'_>>, i32) {
    let newest = rows.iter().map(|row| row.row.last_seen).max().unwrap_or(day).min(day);
    let most = max_age.unwrap_or(MAX_PRICE_AGE_DAYS);
    rows.retain(|row| f64::from(days_between(row.row.last_seen, newest)) <= most);
    (rows, days_between(newest, day))
}

fn days_between(from: Date, to: Date) -> i32 {
    to.since(from).map_or(0, |span| span.get_days())
}

/// The currency that all prices are in, or else the dollar.
fn common_currency(rows: &[Row<'_>]) -> Currency {
    same(rows.iter().map(|row| row.row.currency)).unwrap_or(Currency::USD)
}

/// What all of some are, where they are the same.
fn same<T: PartialEq>(mut of: impl Iterator<Item = T>) -> Option<T> {
    let first = of.next()?;
    of.all(|other| other == first).then_some(first)
}

/// Prices by provider, or by row where there is only one provider, in order.
fn votes<'a>(desk: &mut Desk<'a, '_>, rows: &[Row<'a>], currency: Currency) -> Option<Vec<Vote<'a>>> {
    let mut priced = Vec::with_capacity(rows.len());
    for row in rows {
        priced.push(Vote { price: price_in(desk, row, currency)?, rows: vec![*row] });
    }
    sort(&mut priced);
    let mut providers: Vec<Vec<Vote<'a>>> = Vec::new();
    for vote in priced {
        let provider =
            |known: &&mut Vec<Vote<'a>>| known[0].rows[0].row.provider == vote.rows[0].row.provider;
        match providers.iter_mut().find(provider) {
            Some(known) => known.push(vote),
            None => providers.push(vec![vote]),
        }
    }
    if let [alone] = &mut providers[..] {
        return Some(std::mem::take(alone));
    }
    let mut votes: Vec<Vote<'a>> = providers.iter().filter_map(|own| middle(own)).collect();
    sort(&mut votes);
    Some(votes)
}

fn sort(votes: &mut [Vote<'_>]) {
    votes.sort_by(|a, b| a.price.cmp(&b.price).then_with(|| a.rows[0].row.id.cmp(&b.rows[0].row.id)));
}

/// The median of votes in order, with the rows it lies on: of an even number the mean of the two in the middle.
fn middle<'a>(votes: &[Vote<'a>]) -> Option<Vote<'a>> {
    let (below, above) = (votes.get(votes.len().checked_sub(1)? / 2)?, votes.get(votes.len() / 2)?);
    if std::ptr::eq(below, above) {
        return Some(Vote { price: below.price, rows: below.rows.clone() });
    }
    // Two prices near the end of what a decimal holds have no sum.
    let sum = below.price.checked_add(above.price);
    let price = sum.map_or(below.price, |sum| sum / Decimal::TWO);
    Some(Vote { price, rows: below.rows.iter().chain(&above.rows).copied().collect() })
}

fn middle_and_extremes(votes: &[Vote<'_>]) -> Option<Price> {
    let (low, high) = (votes.first()?.price, votes.last()?.price);
    Price::new(low, middle(votes)?.price.clamp(low, high), high)
}

/// A row's price in the currency of all; a fault where no rate is known.
fn price_in(desk: &mut Desk<'_, '_>, row: Row<'_>, currency: Currency) -> Option<Decimal> {
    let rental = &row.row;
    if rental.currency == currency {
        return Some(rental.price_per_gpu_hour);
    }
    let Some(rate) = desk.view().usd_per_unit(rental.currency, desk.instant()) else {
        let kind = FaultKind::NoFxRate { currency: rental.currency, as_of: desk.instant() };
        desk.fault("/as_of", kind);
        return None;
    };
    let converted = rental.price_per_gpu_hour.checked_mul(rate.rate);
    if converted.is_none() {
        desk.fault("", FaultKind::out_of_range("a rental price has more digits than are kept"));
    }
    converted
}

fn warn(
    desk: &mut Desk<'_, '_>,
    part: &Part<'_>,
    rows: &[Row<'_>],
    votes: &[Vote<'_>],
    price: Price,
    currency: Currency,
) {
    if votes.len() < 2 {
        return;
    }
    let providers = names_of(rows.iter().map(|row| row.row.provider.as_str()));
    let of = match &providers[..] {
        [alone] => format!("{} prices of `{alone}`", rows.len()),
        _ => format!("the prices of {} providers, {} in all", providers.len(), rows.len()),
    };
    let (low, high) = (price.low().normalize(), price.high().normalize());
    let message = format!(
        "the price of `{}` is the median of {of}: {low} to {high} {currency} per GPU-hour",
        part.name
    );
    desk.warn(WarningCode::SeveralPrices, "/hardware/gpu", message);
}

fn warn_of_age(desk: &mut Desk<'_, '_>, age: i32, max_age: Option<f64>) {
    if f64::from(age) > max_age.unwrap_or(MAX_PRICE_AGE_DAYS) {
        let message = format!("the price was last seen {age} days before the day asked about");
        desk.warn(WarningCode::PriceStale, "/hardware/gpu", message);
    }
}

/// Notes the rows that the median and the extremes lie on.
fn cite<'a>(desk: &mut Desk<'a, '_>, votes: &[Vote<'a>]) -> Vec<Ref<'a>> {
    let median = middle(votes).into_iter().flat_map(|median| median.rows);
    let extremes = votes.first().into_iter().chain(votes.last()).flat_map(|vote| vote.rows.iter().copied());
    let mut refs = Vec::new();
    for row in median.chain(extremes) {
        let key = Ref::GpuRental(&row.row.id);
        if refs.contains(&key) {
            continue;
        }
        refs.push(key);
        desk.references.add(key, || Reference {
            source: row.row.source.as_deref(),
            observed_at: row.row.observed_at,
            effective_from: start_of_day(row.row.effective_from),
            effective_to: row.row.effective_to.and_then(start_of_day),
            conditions: RowConditions::Always {},
            value: None,
            note: row.row.note.as_deref(),
            revision: row.introduced.0,
        });
    }
    refs
}

/// Parts with a rental price on a day, the most alike first: by vendor and generation, then by peak and memory.
fn nearest_priced(view: View<'_>, part: &Part<'_>, day: Date) -> Vec<String> {
    const MOST: usize = 5;
    let mut near: Vec<(u8, f64, &str)> = view
        .known(&view.snapshot().history().gpus)
        .filter(|row| view.rentals_of(&row.row.id).any(|rental| holds(&rental.row, day)))
        .map(|row| {
            let other = Part::of_row(row);
            let differs =
                u8::from(other.vendor != part.vendor) * 2 + u8::from(other.generation != part.generation);
            (differs, part.distance(&other), other.name)
        })
        .collect();
    near.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(b.2)));
    near.into_iter().take(MOST).map(|(_, _, name)| name.to_owned()).collect()
}

impl Part<'_> {
    /// How far apart two parts are in peak and memory, on a scale of ratios.
    fn distance(&self, other: &Self) -> f64 {
        let apart = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) => (a / b).ln().abs(),
            _ => 1.0,
        };
        let peak = |part: &Self| part.reference_peak().map(|(_, peak)| peak);
        apart(peak(self), peak(other)) + apart(self.labelled_gb(), other.labelled_gb())
    }
}

fn names_of<'n>(names: impl Iterator<Item = &'n str>) -> Vec<String> {
    let mut names: Vec<&str> = names.collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().map(str::to_owned).collect()
}

/// A commitment as requests spell it.
fn word(commitment: Commitment) -> &'static str {
    match commitment {
        Commitment::OnDemand => "on_demand",
        Commitment::Spot => "spot",
        Commitment::Reserved1y => "reserved_1y",
        Commitment::Reserved3y => "reserved_3y",
        Commitment::CapacityBlock => "capacity_block",
    }
}
