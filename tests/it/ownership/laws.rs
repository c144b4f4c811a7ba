//! What must hold whatever the figures are.

use std::sync::LazyLock;

use farthing::{
    catalog::{edition::built_in_snapshot, snapshot::Snapshot},
    estimate::{estimate, request::EstimateRequest},
};
use proptest::{prelude::*, sample::select};
use serde_json::{Value, json};

use super::{amounts, metric, number, with};
use crate::{helpers::now, training::ledger::audit};

static CATALOG: LazyLock<Snapshot> = LazyLock::new(|| built_in_snapshot().unwrap());

/// The quote that answers a request, without a server.
fn quoted(request: &Value) -> Value {
    let request = EstimateRequest::parse(request.to_string().as_bytes()).unwrap();
    let quote = estimate(&request, &CATALOG, now()).unwrap_or_else(|faults| panic!("{faults:?}"));
    let quote = serde_json::to_value(&quote).unwrap();
    audit(&quote);
    quote
}

fn per_used_hour(request: &Value) -> f64 {
    metric(&quoted(request)["items"][0], "price_per_used_gpu_hour")
}

const PARTS: [&str; 5] = ["h100-sxm5-80gb", "a100-sxm4-80gb", "b200-sxm-180gb", "mi300x-192gb", "tpu-v4"];

/// Fields as `hardware.owned` has them, too; what is left out is assumed.
fn terms() -> impl Strategy<Value = Value> {
    let figures = (0.5_f64..8.0, 0.05_f64..0.95, 0.0_f64..0.3, 0.0_f64..0.8, 0.0_f64..0.1);
    let how = select(&["annuity", "straight_line", "economic"][..]);
    let price = prop_oneof![1 => Just(None), 2 => (1_u32..200_000).prop_map(Some)];
    (figures, how, price, select(&PARTS[..]), 1_u32..100_000, any::<bool>()).prop_map(
        |((years, utilization, rate, residual, maintenance), how, price, gpu, count, people)| {
            let mut asked = json!({
                "kind": "ownership", "as_of": "2026-06-01", "hardware": { "gpu": gpu, "count": count }, "years": years,
                "utilization": utilization, "cost_of_capital": rate, "residual_fraction": residual,
                "maintenance_fraction": maintenance, "amortization": how
            });
            if let Some(price) = price {
                asked["hardware"]["price_each"] = json!(price.to_string());
            }
            if people {
                asked["staff"] = json!([{ "label": "operators", "people": 3, "monthly_cost": "9000" }]);
            }
            asked
        },
    )
}

/// Steps of what is rounded: cents, or the sixth digit.
fn is_as_good_as(figure: f64, expected: f64) -> bool {
    (figure - expected).abs() <= 0.011 + 1.1e-5 * expected.abs()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn more_use_never_makes_a_used_hour_dearer_nor_the_whole(asked in terms(), more in 0.0_f64..0.05) {
        let used = asked["utilization"].as_f64().unwrap();
        let (less, more) = (quoted(&asked), quoted(&with(asked, [("/utilization", json!(used + more))])));
        let price = |quote: &Value| metric(&quote["items"][0], "price_per_used_gpu_hour");
        prop_assert!(price(&more) <= price(&less) * (1.0 + 1e-8));
        prop_assert_eq!(&more["total"], &less["total"]);
    }

    #[test]
    fn a_longer_life_never_makes_a_used_hour_dearer(asked in terms(), more in 0.0_f64..5.0) {
        let years = asked["years"].as_f64().unwrap();
        let longer = with(asked.clone(), [("/years", json!(years + more))]);
        prop_assert!(per_used_hour(&longer) <= per_used_hour(&asked) * (1.0 + 1e-8));
    }

    #[test]
    fn what_is_left_at_the_end_never_makes_it_dearer(asked in terms(), more in 0.0_f64..0.2) {
        let residual = asked["residual_fraction"].as_f64().unwrap();
        let richer = with(asked.clone(), [("/residual_fraction", json!(residual + more))]);
        prop_assert!(per_used_hour(&richer) <= per_used_hour(&asked) * (1.0 + 1e-8));
    }

    #[test]
    fn dearer_money_never_makes_it_cheaper(asked in terms(), more in 0.0_f64..0.2) {
        let rate = asked["cost_of_capital"].as_f64().unwrap();
        let dearer = with(asked.clone(), [("/cost_of_capital", json!(rate + more))]);
        prop_assert!(per_used_hour(&dearer) >= per_used_hour(&asked) * (1.0 - 1e-8));
    }

    /// People that are counted are not doubled with the machines.
    #[test]
    fn twice_as_many_are_twice_every_line(asked in terms()) {
        let count = asked["hardware"]["count"].as_u64().unwrap();
        let twice = quoted(&with(asked.clone(), [("/hardware/count", json!(2 * count))]));
        let once = quoted(&asked);
        let (once, twice) = (amounts(&once["items"][0]), amounts(&twice["items"][0]));
        prop_assert_eq!(once.len(), twice.len());
        for ((code, one), (same, two)) in once.into_iter().zip(twice) {
            let factor = if code == "staff" && asked["staff"].is_array() { 1.0 } else { 2.0 };
            prop_assert_eq!(code, same);
            prop_assert!(is_as_good_as(two, factor * one), "{} {} {}", code, one, two);
        }
    }

    #[test]
    fn the_price_of_a_used_hour_times_used_hours_is_the_total(asked in terms()) {
        let quote = quoted(&asked);
        let item = &quote["items"][0];
        let sum = metric(item, "price_per_used_gpu_hour") * metric(item, "used_gpu_hours");
        // Each line is rounded by itself.
        let size: f64 = amounts(item).iter().map(|(_, amount)| 0.01 + amount.abs()).sum();
        prop_assert!((sum - number(&quote["total"]["amount"])).abs() <= 1.1e-5 * size, "{}", quote);
        let per_year = metric(item, "cost_per_year") * asked["years"].as_f64().unwrap();
        prop_assert!((sum / per_year - 1.0).abs() < 1e-7);
    }

    /// What a training says of machines that it owns is what owning them says.
    #[test]
    fn a_training_on_owned_machines_pays_the_price_of_a_used_hour(asked in terms()) {
        let mut owned = asked.clone();
        let fields = owned.as_object_mut().unwrap();
        for outside in ["kind", "as_of"] {
            fields.remove(outside);
        }
        let hardware = fields.remove("hardware").unwrap();
        if let Some(price) = hardware.get("price_each") {
            fields.insert("price_each".to_owned(), price.clone());
        }
        let training = quoted(&json!({
            "kind": "training", "as_of": asked["as_of"], "stages": [{ "stage": "pretraining", "gpu_hours": 1000 }],
            "hardware": { "gpu": hardware["gpu"], "count": hardware["count"], "owned": owned }
        }));
        let quote = quoted(&asked);
        let (price, paid) = (
            &quote["items"][0]["metrics"]["price_per_used_gpu_hour"],
            &training["items"][0]["metrics"]["price_per_gpu_hour"],
        );
        prop_assert_eq!(price, paid);
        prop_assert_eq!(
            &quote["items"][0]["metrics"]["capex"]["value"],
            &training["items"][0]["metrics"]["purchase"]["value"]
        );
    }
}
