//! Prices of machines: given, from the catalog, owned; whole machines, terms, and machines that are taken away.

use serde_json::{Value, json};

use super::{amounts, codes, line, metric, near, number, pretraining, quote, total, training, with};

fn sft(hours: u64, hardware: Value) -> Value {
    with(
        training(json!([{ "stage": "sft", "gpu_hours": hours }])),
        [("/hardware", hardware), ("/as_of", json!("2025-01-15"))],
    )
}

#[tokio::test]
async fn whole_machines_are_paid_for() {
    // AWS rents H100 by the eight: 12 of them are two machines, and a third of their hours is idle.
    let quote = quote(sft(120, json!({ "gpu": "h100-sxm5-80gb", "provider": "aws", "count": 12 }))).await;
    assert_eq!(amounts(&quote), [("sft.compute", "1474.80"), ("idle", "491.60")]);
    assert_eq!(quote["items"][0]["headline_total"]["amount"], "1474.80");
    assert_eq!(line(&quote, "idle")["quantity"], "40");
}

#[tokio::test]
async fn machines_that_are_whole_have_nothing_idle() {
    let quote = quote(sft(160, json!({ "gpu": "h100-sxm5-80gb", "provider": "aws", "count": 16 }))).await;
    assert_eq!(codes(&quote), ["sft.compute"]);
}

#[tokio::test]
async fn a_year_that_is_reserved_is_paid_for_to_its_end() {
    let hardware =
        json!({ "gpu": "h100-sxm5-80gb", "provider": "gcp", "commitment": "reserved_1y", "count": 8 });
    let quote = quote(sft(8 * 1000, hardware)).await;
    let idle = line(&quote, "idle");
    assert_eq!(idle["quantity"], (8 * (8760 - 1000)).to_string());
    assert!(near(total(&quote), 7.673 * 8.0 * 8760.0, 1e-6), "{}", total(&quote));
    assert_eq!(quote["items"][0]["metrics"]["gpu_hours"]["value"], 8000.0); // what is used
}

#[tokio::test]
async fn a_capacity_block_is_paid_for_by_the_day() {
    let hardware =
        json!({ "gpu": "h100-sxm5-80gb", "provider": "aws", "commitment": "capacity_block", "count": 8 });
    let quote = quote(sft(8 * 30, hardware)).await;
    assert_eq!(line(&quote, "idle")["quantity"], "144");
}

#[tokio::test]
async fn a_price_that_is_given_is_of_gpus_and_leaves_nothing_idle() {
    let quote =
        quote(sft(120, json!({ "gpu": "h100-sxm5-80gb", "count": 12, "price_per_gpu_hour": "2" }))).await;
    assert_eq!(amounts(&quote), [("sft.compute", "240.00")]);
}

#[tokio::test]
async fn spot_machines_take_more_hours_by_the_spot_factor_and_hours_given_are_left_alone() {
    let hardware = |commitment: &str| json!({ "gpu": "h100-sxm5-80gb", "count": 256, "price_per_gpu_hour": "2", "commitment": commitment });
    let request = |commitment: &str, stage: Value| {
        with(training(json!([stage])), [("/hardware", hardware(commitment)), ("/detail", json!("full"))])
    };
    let (on_demand, spot) =
        (quote(request("on_demand", pretraining())).await, quote(request("spot", pretraining())).await);
    let inputs = line(&spot, "pretraining.compute")["basis"]["inputs"].as_array().unwrap();
    let factor = number(&inputs.iter().find(|input| input["name"] == "spot_factor").unwrap()["value"]);
    let startup = 256.0 * 10.0 / 60.0; // begins once in either case
    let ratio = (metric(&spot, "gpu_hours") - startup) / (metric(&on_demand, "gpu_hours") - startup);
    assert!(factor > 1.01 && factor < 3.0 && near(ratio, factor, 0.02), "{ratio} {factor}");
    let given = json!({ "stage": "pretraining", "gpu_hours": 1000 });
    assert_eq!(quote(request("spot", given)).await["total"], json!({ "amount": "2000.00" }));
}

#[tokio::test]
async fn a_median_of_several_prices_is_the_price_and_the_extremes_are_its_range() {
    let quote = quote(sft(1000, json!({ "gpu": "h100-sxm5-80gb" }))).await;
    let total = &quote["total"];
    let (low, mid, high) = (number(&total["low"]), number(&total["amount"]), number(&total["high"]));
    assert!(low < mid && mid < high && mid > 1500.0 && mid < 6000.0, "{total}");
    assert_eq!(quote["items"][0]["warnings"][0]["code"], "several_prices");
    assert!(
        line(&quote, "sft.compute")["refs"]
            .as_array()
            .unwrap()
            .iter()
            .any(|name| name.as_str().unwrap().starts_with("gpu_rental:"))
    );
}

#[tokio::test]
async fn what_is_owned_is_one_line_at_the_price_of_a_used_hour() {
    let owned = json!({ "price_each": "30000", "years": 4, "amortization": "straight_line", "utilization": 1, "server_factor": 1,
        "network_share": 0, "contracted_kw_per_gpu": 1, "load_factor": 1, "power": { "price_per_kwh": "0.10", "pue": 1 },
        "colocation_per_kw_month": "0", "maintenance_fraction": 0, "cost_of_capital": 0, "residual_fraction": 0, "staff": [] });
    let quote = quote(sft(8760, json!({ "gpu": "h100-sxm5-80gb", "count": 8, "owned": owned }))).await;
    assert_eq!(codes(&quote), ["sft.compute"]);
    // 30,000 over four years, and a kilowatt at ten cents.
    assert!(near(total(&quote), 30_000.0 / 4.0 + 876.0, 1e-5), "{}", total(&quote));
    assert!(near(metric(&quote, "purchase"), 240_000.0, 0.0));
    assert_eq!(quote["total"].get("low"), None);
}

#[tokio::test]
async fn the_price_that_is_given_wins_over_the_catalogs() {
    let h100 = json!({ "gpu": "h100-sxm5-80gb", "provider": "aws", "price_per_gpu_hour": "1.11" });
    let quote = quote(sft(100, h100)).await;
    assert_eq!(quote["total"], json!({ "amount": "111.00" }));
}
