//! What buying an accelerator costs, from the catalog.

use std::borrow::Cow;

use rust_decimal::{Decimal, prelude::ToPrimitive};

use crate::{
    catalog::{
        gpu::GpuPurchase,
        money::Currency,
        rows::Versioned,
        time::{start_of_day, utc_day},
    },
    estimate::{
        desk::{Desk, Sourced},
        exchange::Conversion,
        fault::FaultKind,
        figure::Price,
        hardware::part::Part,
        quote::{Origin, Ref, Reference, RowConditions, WarningCode},
    },
};

/// Kinds of purchase price, the one that says most first. (`server` is the price of a whole system.)
const KINDS: [&str; 5] = ["list", "server_share", "street", "estimate", "used"];

/// A price that holds the server around the chip too.
const SERVER_SHARE: &str = "server_share";

/// What one accelerator costs.
#[derive(Debug, Clone)]
pub(super) struct Purchase<'a> {
    pub(super) price: Price,
    pub(super) price_each: Sourced<'a>,
    pub(super) is_server_share: bool,
}

type Row<'a> = &'a Versioned<GpuPurchase>;

/// The catalog's price on the day asked about: of the kind that says most the latest; the latest of each other kind
/// are its range, but shares of servers only among themselves.
pub(super) fn find<'a>(
    desk: &mut Desk<'a, '_>,
    field: &str,
    part: &Part<'a>,
    currency: Currency,
) -> Option<Purchase<'a>> {
    let Some(gpu) = part.row else {
        let parent = field.rsplit_once('/').map_or("", |(parent, _)| parent);
        desk.fault(parent, FaultKind::MissingField { name: "price_each".to_owned() });
        return None;
    };
    let day = utc_day(desk.instant());
    let known: Vec<Row<'a>> = desk.view().purchases_of(&gpu.row.id).collect();
    let latest: Vec<Row<'a>> = KINDS
        .iter()
        .filter_map(|kind| {
            let of_kind = known.iter().filter(|row| row.row.kind == *kind && row.row.effective_from <= day);
            of_kind.copied().max_by_key(|row| (row.row.effective_from, row.id))
        })
        .collect();
    let Some(chosen) = latest.first().copied() else {
        let first = known.iter().filter(|row| KINDS.contains(&row.row.kind.as_str()));
        let first = first.map(|row| row.row.effective_from).min();
        let detail = match first {
            Some(first) => format!("the first purchase price of `{}` that is known is of {first}", part.name),
            None => format!("no purchase price of `{}` is known: give `price_each`", part.name),
        };
        desk.fault(field, FaultKind::UnpricedGpu { detail, near: Vec::new() });
        return None;
    };
    let is_server_share = chosen.row.kind == SERVER_SHARE;
    let alike = latest.into_iter().filter(|row| (row.row.kind == SERVER_SHARE) == is_server_share);
    let alike: Vec<Row<'a>> = alike.collect();
    let mut prices = Vec::with_capacity(alike.len());
    for row in &alike {
        prices.push(price_in(desk, row, currency)?);
        cite(desk, row);
    }
    let mid = *prices.first()?;
    let price = Price::new(*prices.iter().min()?, mid, *prices.iter().max()?)?;
    if alike.len() > 1 {
        let kinds: Vec<&str> = alike.iter().map(|row| row.row.kind.as_str()).collect();
        let message = format!(
            "the purchase price of `{}` is its {} price of {}; the range is of the kinds {}",
            part.name,
            kinds[0],
            chosen.row.effective_from,
            kinds.join(", ")
        );
        desk.warn(WarningCode::SeveralPrices, field, message);
    }
    let value = desk.sampler.draw(&format!("gpu_purchase:{}:{day}:{currency}", part.name), price.range());
    let (unit, reference) = (Cow::Owned(currency.to_string()), Some(Ref::GpuPurchase(chosen.id)));
    let price_each = Sourced { value, unit, origin: Origin::Catalog, reference };
    Some(Purchase { price, price_each, is_server_share })
}

fn price_in(desk: &mut Desk<'_, '_>, row: Row<'_>, currency: Currency) -> Option<Decimal> {
    if row.row.currency == currency {
        return Some(row.row.amount);
    }
    let rate = rate(desk, row.row.currency, currency)?;
    let converted = Decimal::from_f64_retain(rate).and_then(|rate| row.row.amount.checked_mul(rate));
    if converted.is_none() {
        desk.fault("", FaultKind::out_of_range("a purchase price has more digits than are kept"));
    }
    converted.map(|price| price.round_dp(12))
}

/// Units of one currency for one of another at the reference rate of the day asked about.
pub(super) fn rate(desk: &mut Desk<'_, '_>, from: Currency, to: Currency) -> Option<f64> {
    if from == to {
        return Some(1.0);
    }
    match Conversion::find(desk.view(), from, to, desk.instant()) {
        Ok(conversion) => {
            conversion.cite(desk.view(), desk.references);
            let usd = |currency| desk.view().usd_per_unit(currency, desk.instant());
            let usd = |currency| usd(currency).and_then(|quote| quote.rate.to_f64());
            Some(usd(from)? / usd(to)?)
        }
        Err(kind) => {
            if !desk.faults.iter().any(|fault| fault.kind == kind) {
                desk.fault("/as_of", kind);
            }
            None
        }
    }
}

fn cite<'a>(desk: &mut Desk<'a, '_>, row: Row<'a>) {
    desk.references.add(Ref::GpuPurchase(row.id), || Reference {
        source: row.row.source.as_deref(),
        observed_at: row.row.observed_at,
        effective_from: start_of_day(row.row.effective_from),
        effective_to: None,
        conditions: RowConditions::Always {},
        value: None,
        note: row.row.system.as_deref(),
        revision: row.introduced.0,
    });
}
