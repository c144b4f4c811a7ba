//! Owning: the published examples, the defaults, and what is refused.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Asked, Owning, owning};
use crate::estimate::{
    hardware::{
        part::Part,
        request::{GpuGiven, Owned},
        testing::{BUILT_IN, Seen, at, named},
    },
    quote::{Origin, Ref, WarningCode},
    uncertain::Uncertain,
};

fn owned(
    gpu: &'static GpuGiven,
    day: &str,
    asked: &Value,
    count: Option<u64>,
) -> Seen<Option<Owning<'static>>> {
    let owned: &'static Owned = Box::leak(Box::new(serde_json::from_str(&asked.to_string()).unwrap()));
    at(&BUILT_IN, day, |desk| {
        let part = Part::find(desk, gpu)?;
        owning(
            desk,
            Asked {
                owned,
                field: "/hardware/owned",
                price_field: "/hardware/owned",
                count,
                energy_region: None,
            },
            &part,
        )
    })
}

pub(super) fn costs(gpu: &str, day: &str, asked: &Value) -> Owning<'static> {
    let seen = owned(named(gpu), day, asked, Some(8));
    seen.done.unwrap_or_else(|| panic!("{:?}", seen.faults))
}

fn amount(owning: &Owning<'_>, code: &str) -> f64 {
    owning.lines.iter().find(|line| line.code == code).unwrap().amount.mid()
}

fn with(mut base: Value, more: &Value) -> Value {
    base.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    base
}

/// Eight H100 in one HGX server: 255,237 dollars on 2025-01-31.
pub(super) fn hgx() -> Value {
    json!({"price_each": "31904.625", "server_factor": 1, "network_share": 0.19, "years": 4,
        "residual_fraction": 0.2, "cost_of_capital": 0.1, "contracted_kw_per_gpu": 1.275, "load_factor": 0.75,
        "power": {"pue": 1.25, "price_per_kwh": "0.0826"}, "colocation_per_kw_month": "184.06",
        "maintenance_fraction": 0.03, "utilization": 0.5,
        "staff": [{"label": "operators", "people": 1, "monthly_cost": "266.6666666666"}]})
}

fn near(figure: f64, expected: f64, within: f64) {
    assert!((figure - expected).abs() <= within, "{figure} {expected}");
}

/// The worked example "Buy one HGX H100": payments of 10,728 a year, operation 865 + 2,816 + 1,182 + 400.
#[test]
fn an_hgx_h100_costs_what_the_worked_example_says() {
    let owning = costs("h100-sxm5-80gb", "2025-01-31", &hgx());
    let yearly = |code| amount(&owning, code) / 4.0;
    near(yearly("energy"), 865.0, 0.5);
    near(yearly("colocation"), 2_816.0, 0.5);
    near(yearly("maintenance"), 1_182.0, 0.5);
    near(yearly("staff"), 400.0, 0.5);
    let machines = ["hardware.chips", "hardware.servers", "hardware.network", "capital", "residual"];
    near(machines.into_iter().map(yearly).sum(), 10_728.0, 0.5);
    near(amount(&owning, "hardware.chips") + amount(&owning, "hardware.network"), 39_388.0, 0.5);
    assert!(amount(&owning, "hardware.servers").abs() < 1e-9);
}

/// The example prints 6.09 for 0.3; its own 10,728 and 5,263 over 2,628 hours are 6.085.
#[test]
fn a_used_hour_costs_what_the_worked_example_says_at_each_utilization() {
    for (utilization, annuity, straight) in
        [(0.3, 6.085, 5.00), (0.5, 3.65, 3.00), (0.7, 2.61, 2.14), (0.9, 2.03, 1.67)]
    {
        let price = |how: &str| {
            let asked = with(hgx(), &json!({"utilization": utilization, "amortization": how}));
            costs("h100-sxm5-80gb", "2025-01-31", &asked).price_per_used_gpu_hour.mid()
        };
        near(price("annuity"), annuity, 0.005);
        near(price("straight_line"), straight, 0.005);
    }
}

/// Epoch AI charges 0.14 ln 10 = 0.322 of the purchase for a year: what it loses in its first days.
fn epoch(price: &str, server_factor: f64, network_share: f64, more: &Value) -> f64 {
    let asked = json!({"price_each": price, "server_factor": server_factor, "network_share": network_share,
        "amortization": "economic", "years": 1e-6, "utilization": 1, "colocation_per_kw_month": "0",
        "maintenance_fraction": 0, "staff": [], "power": {"price_per_kwh": "0"}});
    costs("h100-sxm5-80gb", "2025-01-31", &with(asked, more)).price_per_used_gpu_hour.mid()
}

#[test]
fn economic_hours_cost_what_epoch_says() {
    let energy = json!({"power": {"price_per_kwh": "0.0826", "pue": 1.1}});
    near(epoch("30000", 1.64, 0.19, &energy), 2.32, 0.005);
    near(epoch("31905", 1.0, 0.0, &json!({})), 1.17, 0.005);
    near(epoch("31905", 1.0, 0.19, &json!({})), 1.45, 0.005);
}

#[test]
fn economic_machines_keep_what_newer_ones_leave_of_their_worth() {
    let owning = costs("H100", "2025-01-31", &with(hgx(), &json!({"amortization": "economic"})));
    near(amount(&owning, "residual"), -39_388.4 * 10_f64.powf(-0.56), 1.0);
    assert!(owning.lines.iter().all(|line| line.code != "capital"));
}

/// DGX B200 at 379,273 for 8 over 5 years with 15% left: K 58,530; 3.48 at 0.7 and 2.70 at 0.9.
#[test]
fn a_dgx_b200_costs_what_the_worked_example_says() {
    for (utilization, price) in [(0.7, 3.48), (0.9, 2.70)] {
        let asked = json!({"price_each": "47409.125", "years": 5, "residual_fraction": 0.15,
            "contracted_kw_per_gpu": 1.79, "utilization": utilization});
        let owning = costs("b200-sxm-180gb", "2025-01-31", &with(hgx(), &asked));
        near(owning.price_per_used_gpu_hour.mid(), price, 0.01);
    }
}

#[test]
fn lines_add_up_to_the_total_and_give_the_price_in_every_world() {
    for how in ["annuity", "straight_line", "economic"] {
        let owning = costs("h100-sxm5-80gb", "2025-06-01", &json!({"amortization": how}));
        let total = Uncertain::sum(owning.lines.iter().map(|line| &line.amount));
        assert!((&total - &owning.total).range().is_none());
        let hours = (&owning.terms.years.value * &owning.terms.utilization.value).times(8_760.0);
        let (low, high) =
            (&(&owning.price_per_used_gpu_hour * &hours) / &owning.total).range().unwrap_or((1.0, 1.0));
        assert!((low - 1.0).abs() < 1e-12 && (high - 1.0).abs() < 1e-12);
        assert!(owning.price_per_used_gpu_hour.range().is_some());
    }
}

#[test]
fn formulas_are_in_the_names_of_their_inputs() {
    for how in ["annuity", "straight_line", "economic"] {
        let owning = costs("h100-sxm5-80gb", "2025-06-01", &json!({"amortization": how}));
        assert_eq!(serde_json::to_value(owning.amortization).unwrap(), how);
        for line in &owning.lines {
            let words = line.formula.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
            let mut wanted: Vec<&str> =
                words.filter(|word| word.starts_with(|c: char| c.is_ascii_alphabetic())).collect();
            let mut given: Vec<&str> = line.inputs.iter().map(|(name, _)| *name).collect();
            wanted.sort_unstable();
            wanted.dedup();
            given.sort_unstable();
            assert_eq!(given, wanted, "{}", line.code);
        }
    }
}

#[test]
fn what_is_left_out_is_assumed_and_cited() {
    let owning = costs("h100-sxm5-80gb", "2025-06-01", &json!({}));
    let terms = &owning.terms;
    for figure in [
        &terms.server_factor,
        &terms.network_share,
        &terms.years,
        &terms.utilization,
        &terms.contracted_kw,
        &terms.load_factor,
        &terms.pue,
        &terms.colocation_per_kw_month,
        &terms.maintenance_fraction,
        &terms.staff_per_year,
        &terms.cost_of_capital,
        &terms.residual,
    ] {
        assert_eq!(figure.origin, Origin::Assumption);
        assert!(matches!(figure.reference, Some(Ref::Assumption(_))));
    }
    assert_eq!(terms.price_per_kwh.reference, Some(Ref::EnergyPrice("us")));
    near(terms.price_per_kwh.value.mid(), 0.0826, 1e-12);
    near(terms.contracted_kw.value.mid(), 1.275, 1e-12);
}

/// The street price of 2025-03-03; the estimate of 2024-12-31 is its low end.
#[test]
fn the_purchase_price_is_the_latest_of_the_best_kind() {
    let price = |day: &str| {
        let seen = owned(named("h100-sxm5-80gb"), day, &json!({}), None);
        let doubtful = seen.warned(WarningCode::SeveralPrices);
        let price = seen.done.unwrap().price;
        ([price.low(), price.mid, price.high()].map(|price| price.normalize().to_string()), doubtful)
    };
    let texts = |texts: [&str; 3]| texts.map(str::to_owned);
    assert_eq!(price("2025-03-02"), (texts(["26268", "26268", "26268"]), false));
    assert_eq!(price("2025-03-03"), (texts(["26268", "31250", "31250"]), true));
    assert_eq!(price("2025-08-23"), (texts(["26268", "31250", "31250"]), true));
    assert_eq!(price("2025-08-24"), (texts(["18549.95", "18549.95", "26268"]), true));
}

#[test]
fn a_share_of_a_server_holds_the_server() {
    let owning = costs("b200-sxm-180gb", "2026-06-01", &json!({}));
    assert_eq!(owning.price.mid.to_string(), "47409.13");
    assert_eq!(owning.price.low(), owning.price.high(), "the street price of a bare chip is another thing");
    near(owning.terms.server_factor.value.mid(), 1.0, 0.0);
    assert!(amount(&owning, "hardware.servers").abs() < 1e-9);
}

#[test]
fn contracted_power_is_known_of_the_server_or_follows_from_design_power() {
    let kw =
        |gpu: &str| costs(gpu, "2026-06-01", &json!({"price_each": "1"})).terms.contracted_kw.value.mid();
    near(kw("a100-sxm4-80gb"), 0.81, 1e-12);
    near(kw("gb300-nvl72"), 140.0 / 72.0, 1e-12);
    near(kw("v100-sxm2-16gb"), 3.5 / 8.0, 1e-12);
    near(kw("h100-pcie-80gb"), 0.35 * 1.82, 1e-12);
    near(kw("mi300x-192gb"), 0.75 * 1.8, 1e-12);
    near(kw("tpu-v4"), 0.192 * 1.56, 1e-12);
}

#[test]
fn what_nobody_knows_is_asked_for() {
    let place = |seen: &Seen<Option<Owning<'_>>>| {
        let faults = seen.faults.iter();
        faults.map(|fault| (fault.pointer.clone(), fault.kind.to_string())).collect::<Vec<_>>()
    };
    let seen = owned(named("h100-sxm5-80gb"), "2020-01-01", &json!({}), None);
    let first = "the first purchase price of `h100-sxm5-80gb` that is known is of 2022-12-31";
    assert_eq!(place(&seen), [("/hardware/owned/price_each".to_owned(), first.to_owned())]);
    let seen = owned(named("tpu-v5e"), "2026-06-01", &json!({"price_each": "1"}), None);
    assert_eq!(place(&seen)[0].1, "`contracted_kw_per_gpu` is missing");
    let mine = Box::leak(Box::new(GpuGiven::Sheet(Box::default())));
    let seen = owned(mine, "2026-06-01", &json!({}), None);
    let missing: Vec<String> = place(&seen).into_iter().map(|(_, detail)| detail).collect();
    assert_eq!(missing, ["`price_each` is missing", "`contracted_kw_per_gpu` is missing"]);
    let staff = json!({"price_each": "1", "staff": [{"label": "a", "people": 1, "monthly_cost": "1"}]});
    let seen = owned(named("H100"), "2026-06-01", &staff, None);
    assert_eq!(place(&seen), [("/hardware".to_owned(), "`count` is missing".to_owned())]);
    let seen = owned(named("H100"), "2018-06-01", &json!({"price_each": "1"}), None);
    assert_eq!(place(&seen), [("/hardware/owned/power".to_owned(), "`price_per_kwh` is missing".to_owned())]);
}

#[test]
fn figures_that_make_no_sense_are_refused_where_they_stand() {
    for (asked, field) in [
        (json!({"years": 0}), "years"),
        (json!({"years": 101}), "years"),
        (json!({"utilization": 0}), "utilization"),
        (json!({"utilization": {"low": 0.5, "mid": 0.9, "high": 1.1}}), "utilization"),
        (json!({"server_factor": 0.9}), "server_factor"),
        (json!({"network_share": 1}), "network_share"),
        (json!({"load_factor": 1.1}), "load_factor"),
        (json!({"power": {"pue": 0.9}}), "power/pue"),
        (json!({"residual_fraction": 1.5}), "residual_fraction"),
        (json!({"power": {"region": "atlantis"}}), "power/region"),
        (json!({"currency": "QQQ"}), "currency"),
    ] {
        let seen = owned(named("H100"), "2025-06-01", &with(json!({"price_each": "1"}), &asked), Some(8));
        assert_eq!(seen.fault().0, format!("/hardware/owned/{field}"), "{asked}");
    }
}

/// 100 CNY was 13.7 dollars or so: the same machine, asked for in yuan, costs the same in dollars.
#[test]
fn amounts_in_another_currency_are_all_in_it() {
    let dollars = costs("H100", "2025-06-01", &json!({}));
    let yuan = costs("H100", "2025-06-01", &json!({"currency": "CNY"}));
    let rate = yuan.price_per_used_gpu_hour.mid() / dollars.price_per_used_gpu_hour.mid();
    assert!((7.0..7.4).contains(&rate), "{rate}");
    for (one, other) in dollars.lines.iter().zip(&yuan.lines) {
        near(other.amount.mid(), one.amount.mid() * rate, 1e-6 * other.amount.mid().abs());
    }
    assert_eq!(yuan.terms.price_each.unit, "CNY");
}

#[test]
fn people_are_shared_by_all_machines_and_may_leave_early() {
    let staff = |months: Value, count| {
        let people = json!({"staff": [{"label": "a", "people": 2, "months": months, "monthly_cost": "100"}]});
        let seen = owned(named("H100"), "2025-06-01", &with(hgx(), &people), Some(count));
        amount(&seen.done.unwrap(), "staff")
    };
    near(staff(Value::Null, 1), 2.0 * 100.0 * 48.0, 1e-9);
    near(staff(Value::Null, 100), 2.0 * 48.0, 1e-9);
    near(staff(json!(6), 1), 2.0 * 100.0 * 6.0, 1e-9);
}

proptest! {
    /// Dearer machines, power or money never make an hour cheaper; more use never makes it dearer.
    #[test]
    fn the_price_of_an_hour_follows_its_terms(
        price in 1_u32..100_000,
        more in 0_u32..100_000,
        rate in 0.0_f64..0.5,
        years in 0.5_f64..20.0,
        used in 0.05_f64..0.95,
    ) {
        let hour = |price: u32, rate: f64, used: f64| {
            let asked = json!({"price_each": price.to_string(), "cost_of_capital": rate, "years": years,
                "utilization": used});
            costs("H100", "2025-06-01", &with(hgx(), &asked)).price_per_used_gpu_hour.mid()
        };
        let base = hour(price, rate, used);
        prop_assert!(base.is_finite() && base > 0.0);
        prop_assert!(hour(price + more, rate, used) >= base * (1.0 - 1e-12));
        prop_assert!(hour(price, rate + 0.05, used) >= base * (1.0 - 1e-12));
        prop_assert!(hour(price, rate, used + 0.05) <= base);
    }

    #[test]
    fn no_figure_panics(figure in 0.0_f64..1e308, at in 0_usize..9) {
        let field = ["years", "utilization", "server_factor", "network_share", "contracted_kw_per_gpu",
            "load_factor", "maintenance_fraction", "cost_of_capital", "residual_fraction"][at];
        let seen = owned(named("H100"), "2025-06-01", &with(hgx(), &json!({field: figure})), Some(8));
        prop_assert!(seen.done.is_some() != seen.faults.iter().any(|fault| fault.pointer.ends_with(field)));
    }
}
