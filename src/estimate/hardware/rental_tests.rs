//! Prices that a request gives, and hours that are paid for and not used.

use proptest::prelude::*;
use rust_decimal::Decimal;

use super::{
    part::Part,
    rental::{HourPrice, Rent, hour_price},
    testing::{BUILT_IN, Seen, at, named},
};
use crate::{
    catalog::{gpu::Commitment, money::Currency},
    estimate::{figure::Price, quote::Origin, uncertain::Uncertain},
};

fn given(rent: Rent<'static>) -> Seen<Option<HourPrice<'static>>> {
    at(&BUILT_IN, "2025-02-18", |desk| {
        let part = Part::find(desk, named("h800-sxm5-80gb"))?;
        hour_price(desk, rent, &part)
    })
}

fn two_dollars() -> Rent<'static> {
    Rent { price_per_gpu_hour: Some(Price::exact(Decimal::new(200, 2))), ..Rent::default() }
}

fn rented(commitment: Commitment, instance_gpus: Option<u32>) -> HourPrice<'static> {
    let hour = given(two_dollars()).done.unwrap();
    HourPrice { commitment, instance_gpus, ..hour }
}

fn idle(hour: &HourPrice<'_>, count: u64, gpu_hours: f64) -> f64 {
    hour.idle_gpu_hours(count, &Uncertain::exact(gpu_hours)).mid()
}

fn same(figure: f64, expected: f64) {
    assert!((figure - expected).abs() < 1e-6, "{figure} {expected}");
}

#[test]
fn a_price_of_the_request_wins_and_keeps_its_digits_and_currency() {
    let hour = given(two_dollars()).done.unwrap();
    assert_eq!((hour.price.mid.to_string(), hour.origin), ("2.00".to_owned(), Origin::Request));
    assert!(hour.spread.is_exact() && hour.refs.is_empty());
    let yuan = given(Rent { currency: Some("CNY"), ..two_dollars() }).done.unwrap();
    assert_eq!(yuan.currency, Currency::parse("CNY").unwrap());
    let odd = given(Rent { currency: Some("QQQ"), ..two_dollars() });
    assert_eq!(odd.fault().0, "/hardware/currency");
}

#[test]
fn a_given_price_may_be_a_range() {
    let [low, mid, high] = [170, 200, 300].map(|cents| Decimal::new(cents, 2));
    let price_per_gpu_hour = Price::new(low, mid, high);
    let hour = given(Rent { price_per_gpu_hour, ..Rent::default() }).done.unwrap();
    assert_eq!((hour.spread.mid(), hour.spread.range()), (2.0, Some((1.7, 3.0))));
}

#[test]
fn names_are_checked_even_where_the_price_is_given() {
    let odd = given(Rent { provider: Some("amazone"), ..two_dollars() });
    assert_eq!(odd.fault().0, "/hardware/provider");
    let odd = given(Rent { provider_kind: Some("cloud"), ..two_dollars() });
    assert_eq!(odd.fault().0, "/hardware/provider_kind");
    let aws = given(Rent { provider: Some("aws"), ..two_dollars() }).done.unwrap();
    assert_eq!(aws.provider_kind, Some("hyperscaler"));
}

#[test]
fn whole_machines_are_paid_for() {
    let hour = rented(Commitment::OnDemand, Some(8));
    assert_eq!([1, 8, 9, 16].map(|count| hour.billed_count(count)), [8, 8, 16, 16]);
    same(idle(&hour, 8, 800.0), 0.0);
    same(idle(&hour, 9, 900.0), 700.0);
    same(idle(&rented(Commitment::OnDemand, None), 9, 900.0), 0.0);
}

#[test]
fn a_reservation_is_paid_for_its_term_and_a_block_by_the_day() {
    let year = rented(Commitment::Reserved1y, Some(8));
    same(idle(&year, 8, 8.0 * 100.0), 8.0 * 8_660.0);
    same(idle(&year, 8, 8.0 * 8_760.0), 0.0);
    same(idle(&year, 8, 8.0 * 8_761.0), 8.0 * 8_759.0); // a second year begins
    same(idle(&rented(Commitment::Reserved3y, None), 1, 280.0), 26_000.0);
    let block = rented(Commitment::CapacityBlock, None);
    same(idle(&block, 2, 2.0 * 23.0), 2.0);
    same(idle(&block, 2, 2.0 * 24.0), 0.0);
    same(idle(&block, 2, 2.0 * 25.0), 46.0);
}

#[test]
fn no_machines_or_hours_are_no_idle_ones() {
    same(idle(&rented(Commitment::Reserved1y, Some(8)), 0, 100.0), 0.0);
    same(idle(&rented(Commitment::OnDemand, Some(8)), 8, 0.0), 0.0);
    same(idle(&rented(Commitment::Reserved1y, Some(8)), 8, 0.0), 0.0);
}

proptest! {
    #[test]
    fn idle_hours_are_never_negative(
        count in proptest::num::u64::ANY,
        hours in 0.0_f64..1e300,
        size in proptest::option::of(0_u32..200),
        at in 0_usize..5,
    ) {
        let commitment = [
            Commitment::OnDemand,
            Commitment::Spot,
            Commitment::Reserved1y,
            Commitment::Reserved3y,
            Commitment::CapacityBlock,
        ][at];
        let hour = rented(commitment, size);
        prop_assert!(idle(&hour, count, hours) >= 0.0);
    }
}
