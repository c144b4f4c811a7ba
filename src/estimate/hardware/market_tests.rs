//! The market: who is asked, which day counts, and what is quoted.

use proptest::prelude::*;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{
    rental::{HourPrice, Rent},
    testing::{BUILT_IN, Seen, market_price, rented_at},
};
use crate::{
    catalog::{gpu::Commitment, money::Currency, snapshot::Snapshot},
    estimate::{fault::FaultKind, quote::WarningCode},
};

const ANY: Rent<'static> = Rent {
    price_per_gpu_hour: None,
    currency: None,
    provider: None,
    provider_kind: None,
    region: None,
    commitment: None,
    max_price_age_days: None,
};

/// Low, middle and high of a price of the planted part.
fn quoted(snapshot: &Snapshot, day: &str, rent: Rent<'static>) -> [String; 3] {
    shown(&market_price(snapshot, day, "h100", rent))
}

fn shown(seen: &Seen<Option<HourPrice<'_>>>) -> [String; 3] {
    assert!(seen.faults.is_empty(), "{:?}", seen.faults);
    let price = seen.done.as_ref().unwrap().price;
    [price.low(), price.mid, price.high()].map(|price| price.normalize().to_string())
}

fn refused(snapshot: &Snapshot, day: &str, rent: Rent<'static>) -> (String, String) {
    let seen = market_price(snapshot, day, "h100", rent);
    let (pointer, detail) = seen.fault();
    (pointer.to_owned(), detail)
}

fn at(provider: &str, price: &str) -> Value {
    json!({"provider": provider, "price_per_gpu_hour": price})
}

#[test]
fn a_price_holds_from_its_first_day_to_the_day_before_the_next() {
    let market = rented_at(&[
        json!({"price_per_gpu_hour": "4", "effective_from": "2025-01-01", "effective_to": "2026-01-01",
            "last_seen": "2025-12-31"}),
        json!({"price_per_gpu_hour": "3", "effective_from": "2026-01-01"}),
    ]);
    assert_eq!(quoted(&market, "2025-01-01", ANY)[1], "4");
    assert_eq!(quoted(&market, "2025-12-31", ANY)[1], "4");
    assert_eq!(quoted(&market, "2026-01-01", ANY)[1], "3");
    let (pointer, detail) = refused(&market, "2024-12-31", ANY);
    assert_eq!(pointer, "/as_of");
    assert!(detail.ends_with("in force on 2024-12-31: the first one is from 2025-01-01"), "{detail}");
}

#[test]
fn what_is_between_two_prices_or_after_the_last_is_said() {
    let market = rented_at(&[
        json!({"price_per_gpu_hour": "4", "effective_to": "2025-03-01", "last_seen": "2025-02-01"}),
        json!({"price_per_gpu_hour": "3", "effective_from": "2025-05-01", "effective_to": "2025-06-01",
            "last_seen": "2025-05-02"}),
    ]);
    let (_, detail) = refused(&market, "2025-04-01", ANY);
    assert!(detail.ends_with("one ended on 2025-03-01, the next is from 2025-05-01"), "{detail}");
    let (_, detail) = refused(&market, "2025-06-01", ANY);
    assert!(detail.ends_with("the last one ended on 2025-06-01"), "{detail}");
}

#[test]
fn prices_not_seen_for_90_days_give_way_to_fresher_ones() {
    let market = rented_at(&[
        json!({"provider": "acme", "price_per_gpu_hour": "9", "last_seen": "2026-03-03"}),
        json!({"provider": "bolt", "price_per_gpu_hour": "2", "last_seen": "2026-08-01"}),
    ]);
    assert_eq!(quoted(&market, "2026-06-01", ANY), ["2", "5.5", "9"], "90 days");
    assert_eq!(quoted(&market, "2026-06-02", ANY), ["2", "2", "2"], "91 days");
    let strict = Rent { max_price_age_days: Some(89.0), ..ANY };
    assert_eq!(quoted(&market, "2026-06-01", strict)[1], "2");
}

#[test]
fn prices_that_are_all_old_are_marked_and_the_freshest_of_them_taken() {
    let market = rented_at(&[
        json!({"provider": "acme", "price_per_gpu_hour": "9", "last_seen": "2025-12-01"}),
        json!({"provider": "bolt", "price_per_gpu_hour": "2", "last_seen": "2026-06-01"}),
    ]);
    let stale = |day| market_price(&market, day, "h100", ANY).warned(WarningCode::PriceStale);
    assert!(!stale("2026-08-30"), "90 days");
    assert!(stale("2026-08-31"), "91 days");
    assert_eq!(quoted(&market, "2027-08-31", ANY)[1], "2");
}

#[test]
fn each_provider_has_one_vote_and_a_single_one_as_many_as_it_has_prices() {
    let regions = ["1", "2", "3", "9"].map(|price| at("acme", price));
    let market = rented_at(&regions);
    assert_eq!(quoted(&market, "2026-06-01", ANY), ["1", "2.5", "9"]);
    let others = [at("bolt", "4"), at("cirrus", "5")];
    let market = rented_at(&[&regions[..], &others].concat());
    assert_eq!(quoted(&market, "2026-06-01", ANY), ["2.5", "4", "5"], "acme's median, bolt, cirrus");
    let seen = market_price(&market, "2026-06-01", "h100", ANY);
    assert!(
        seen.warnings[0].message.contains("the prices of 3 providers, 6 in all: 2.5 to 5 USD"),
        "{seen:?}"
    );
    assert_eq!(seen.warnings[0].pointer, "/hardware/gpu");
}

#[test]
fn a_single_price_is_no_range_and_no_doubt() {
    let market = rented_at(&[at("acme", "2.50")]);
    let seen = market_price(&market, "2026-06-01", "h100", ANY);
    assert!(seen.warnings.is_empty(), "{:?}", seen.warnings);
    let hour = seen.done.unwrap();
    assert!(hour.spread.is_exact());
    assert_eq!((hour.instance_gpus, hour.provider_kind), (Some(8), Some("neocloud")));
    assert_eq!(hour.refs.len(), 1);
}

#[test]
fn a_question_is_narrowed_by_provider_class_region_and_commitment() {
    let market = rented_at(&[
        at("acme", "2"),
        json!({"provider": "bolt", "provider_kind": "hyperscaler", "region": "eu-1", "price_per_gpu_hour": "6"}),
        json!({"provider": "bolt", "provider_kind": "hyperscaler", "region": "us-1", "price_per_gpu_hour": "5"}),
        json!({"provider": "bolt", "provider_kind": "hyperscaler", "region": "us-1", "price_per_gpu_hour": "3",
            "commitment": "reserved_1y"}),
    ]);
    let quoted = |rent| quoted(&market, "2026-06-01", rent)[1].clone();
    assert_eq!(quoted(Rent { provider: Some("ACME"), ..ANY }), "2", "in any case");
    assert_eq!(quoted(Rent { provider_kind: Some("hyperscaler"), ..ANY }), "5.5");
    assert_eq!(quoted(Rent { region: Some("US-1"), ..ANY }), "5");
    assert_eq!(quoted(Rent { commitment: Some(Commitment::Reserved1y), ..ANY }), "3");
    let refused = |rent| refused(&market, "2026-06-01", rent);
    for (rent, place, says) in [
        (Rent { provider: Some("acne"), ..ANY }, "/hardware/provider", "no provider is called `acne`"),
        (Rent { provider: Some("idle"), ..ANY }, "/hardware/provider", "there are acme, bolt"),
        (Rent { provider_kind: Some("cloud"), ..ANY }, "/hardware/provider_kind", "hyperscaler, neocloud"),
        (
            Rent { provider: Some("bolt"), region: Some("mars"), ..ANY },
            "/hardware/region",
            "there are eu-1, us-1",
        ),
        (
            Rent { commitment: Some(Commitment::Spot), ..ANY },
            "/hardware/commitment",
            "on_demand, reserved_1y",
        ),
    ] {
        let (pointer, detail) = refused(rent);
        assert_eq!(pointer, place);
        assert!(detail.contains(says), "{detail}");
    }
}

#[test]
fn prices_in_several_currencies_are_compared_in_dollars() {
    let euro = json!({"provider": "bolt", "price_per_gpu_hour": "4", "currency": "EUR"});
    let market = rented_at(&[at("acme", "3"), euro.clone()]);
    assert_eq!(quoted(&market, "2026-06-01", ANY), ["3", "4", "5"]);
    let market = rented_at(&[euro]);
    let hour = market_price(&market, "2026-06-01", "h100", ANY).done.unwrap();
    assert_eq!((hour.currency, hour.price.mid), (Currency::parse("EUR").unwrap(), Decimal::from(4)));
    let yen = json!({"provider": "bolt", "price_per_gpu_hour": "4", "currency": "JPY"});
    let market = rented_at(&[at("acme", "3"), yen]);
    let seen = market_price(&market, "2026-06-01", "h100", ANY);
    assert!(matches!(seen.faults[0].kind, FaultKind::NoFxRate { .. }), "{:?}", seen.faults);
}

#[test]
fn an_h800_is_unpriced_and_the_h100_named_but_not_taken() {
    let seen = market_price(&BUILT_IN, "2025-02-18", "h800-sxm5-80gb", ANY);
    let (pointer, detail) = seen.fault();
    assert_eq!(pointer, "/hardware/gpu");
    assert!(detail.contains("priced are h100-sxm5-80gb"), "{detail}");
    let FaultKind::UnpricedGpu { near, .. } = &seen.faults[0].kind else { panic!("{:?}", seen.faults) };
    assert_eq!(near[0], "h100-sxm5-80gb");
    assert_eq!(near.len(), 5);
}

/// The table itself: of all rows 2.99, 2.76, 2.98 over neoclouds and 11.68, 10.53, 10.53 over hyperscalers. With one
/// vote each, and without prices not seen for 90 days, 2.89 and 2.99 at the end of 2025 and in 2026.
#[test]
fn the_market_of_the_h100_is_that_of_the_table() {
    let of = |kind, day| {
        let rent = Rent { provider_kind: Some(kind), ..ANY };
        let hour = market_price(&BUILT_IN, day, "h100-sxm5-80gb", rent).done.unwrap();
        hour.price.mid.round_dp(2).normalize().to_string()
    };
    assert_eq!(
        ["2024-12-31", "2025-12-31", "2026-08-01"].map(|day| of("neocloud", day)),
        ["2.99", "2.89", "2.99"]
    );
    let hyperscaler = ["2023-12-31", "2024-12-31", "2026-08-01"].map(|day| of("hyperscaler", day));
    assert_eq!(hyperscaler, ["12.29", "11.68", "10.53"]);
}

proptest! {
    /// A dearer provider never makes the price lower, whoever it is and however many prices there are.
    #[test]
    fn the_price_follows_its_prices(
        prices in proptest::collection::vec((0_usize..3, 1_u32..2_000), 1..8),
        raised in 0_usize..8,
        by in 0_u32..500,
    ) {
        let raised = raised % prices.len();
        let rows = |by: u32| -> Vec<Value> {
            let price = |(at, (provider, cents)): (usize, &(usize, u32))| {
                let cents = if at == raised { cents + by } else { *cents };
                let provider = ["acme", "bolt", "cirrus"][*provider];
                json!({"provider": provider, "price_per_gpu_hour": Decimal::new(cents.into(), 2).to_string()})
            };
            prices.iter().enumerate().map(price).collect()
        };
        let price = |by| market_price(&rented_at(&rows(by)), "2026-06-01", "h100", ANY).done.unwrap().price;
        let (before, after) = (price(0), price(by));
        prop_assert!(before.mid <= after.mid && before.low() <= after.low() && before.high() <= after.high());
        prop_assert!(before.low() <= before.mid && before.mid <= before.high());
    }
}
