//! What others worked out.

use serde_json::{Value, json};

use super::{amount, hgx, is_near, metric, number, quote, with};

async fn price(request: &Value) -> f64 {
    metric(&quote(request).await["items"][0], "price_per_used_gpu_hour")
}

/// "Buy one HGX H100": the table of costs by use, annuity and straight line, each cell within a hundredth.
#[tokio::test]
async fn a_used_hour_of_an_hgx_h100_costs_what_the_table_says() {
    for (utilization, annuity, straight_line) in
        [(0.3, 6.09, 5.00), (0.5, 3.65, 3.00), (0.7, 2.61, 2.14), (0.9, 2.03, 1.67)]
    {
        for (how, cell) in [("annuity", annuity), ("straight_line", straight_line)] {
            let asked = [("/utilization", json!(utilization)), ("/amortization", json!(how))];
            is_near(price(&with(hgx(), asked)).await, cell, 0.01);
        }
    }
}

/// The same: `K` 39,388; operation 865 + 2,816 + 1,182 + 400 a year; payments of 10,728, straight line 7,878.
#[tokio::test]
async fn an_hgx_h100_costs_a_year_what_the_example_says() {
    let item = &quote(&hgx()).await["items"][0];
    let each_year = |code: &str| amount(item, code) / (8.0 * 4.0);
    is_near(metric(item, "capex"), 8.0 * 39_388.0, 0.001);
    is_near(metric(item, "capex_per_gpu"), 39_388.0, 0.001);
    for (code, sum) in
        [("energy", 865.0), ("colocation", 2_816.0), ("maintenance", 1_182.0), ("staff", 400.0)]
    {
        is_near(each_year(code), sum, 0.001);
    }
    is_near(metric(item, "operating_per_year"), 8.0 * 5_263.0, 0.001);
    is_near(metric(item, "cost_per_year"), 8.0 * (10_728.0 + 5_263.0), 0.001);
    let straight = &quote(&with(hgx(), [("/amortization", json!("straight_line"))])).await["items"][0];
    is_near(metric(straight, "cost_per_year"), 8.0 * (7_878.0 + 5_263.0), 0.001);
}

/// Energy of one hour of it: 0.10 dollars at the price of the United States, 0.10 of China, 0.26 of the EU.
#[tokio::test]
async fn an_hour_of_an_h100_takes_cents_of_electricity() {
    for (price_per_kwh, cents) in [("0.0826", 10.0), ("0.087", 10.0), ("0.22", 26.0)] {
        let quote = quote(&with(hgx(), [("/power/price_per_kwh", json!(price_per_kwh))])).await;
        let item = &quote["items"][0];
        let each = amount(item, "energy") / metric(item, "gpu_hours") * 100.0;
        assert!((each - cents).abs() <= 0.5, "{each} {cents}");
    }
}

/// DGX B200 at 379,273 for 8, 5 years, 15% left: `K` 58,530, 3.48 at 0.7 and 2.70 at 0.9.
#[tokio::test]
async fn a_used_hour_of_a_dgx_b200_costs_what_the_example_says() {
    for (utilization, cell) in [(0.7, 3.48), (0.9, 2.70)] {
        let hardware = json!({ "gpu": "b200-sxm-180gb", "count": 8, "price_each": "47409.125" });
        let asked = with(
            hgx(),
            [
                ("/hardware", hardware),
                ("/years", json!(5)),
                ("/residual_fraction", json!(0.15)),
                ("/contracted_kw_per_gpu", json!(1.79)),
                ("/utilization", json!(utilization)),
            ],
        );
        let quote = quote(&asked).await;
        is_near(metric(&quote["items"][0], "capex_per_gpu"), 58_530.0, 0.001);
        is_near(metric(&quote["items"][0], "price_per_used_gpu_hour"), cell, 0.005);
    }
}

/// Epoch AI charges 0.14 ln 10 = 0.322 of the purchase for a year: what it loses in its first hours. The H100 of
/// 31,905 dollars costs 1.17 an hour, with its share of the network 1.45.
#[tokio::test]
async fn an_economic_hour_costs_what_epoch_says() {
    for (network_share, cell) in [(0.0, 1.17), (0.19, 1.45)] {
        let asked = json!({
            "kind": "ownership", "hardware": { "gpu": "h100-sxm5-80gb", "count": 8, "price_each": "31905" },
            "as_of": "2025-01-31", "years": 0.001, "amortization": "economic", "utilization": 1, "server_factor": 1,
            "network_share": network_share, "power": { "price_per_kwh": "0" }, "colocation_per_kw_month": "0",
            "maintenance_fraction": 0, "staff": []
        });
        is_near(price(&asked).await, cell, 0.005);
    }
}

/// `SemiAnalysis`, 2025-01-31: accelerators at their prices, what the server around each adds, kW for each.
const DEEPSEEK: [(&str, u32, f64, f64, f64, f64); 4] = [
    ("a100-sxm4-80gb", 10_000, 13_500.0, 10_216.0, 0.81, 237.2e6),
    ("h20-96gb", 30_000, 12_500.0, 11_728.0, 0.975, 726.8e6),
    ("h800-sxm5-80gb", 10_000, 20_000.0, 11_728.0, 1.275, 317.3e6),
    ("h100-sxm5-80gb", 10_000, 23_000.0, 11_728.0, 1.275, 347.3e6),
];

fn deepseek(energy: &str, pue: f64, colocation: &str, maintenance: f64) -> Value {
    let items = DEEPSEEK.map(|(gpu, count, chip, overhead, kw, _)| {
        json!({
            "kind": "ownership", "hardware": { "gpu": gpu, "count": count, "price_each": chip }, "years": 4,
            "amortization": "straight_line", "residual_fraction": 0, "server_factor": 1.0 + overhead / chip,
            "network_share": 0, "contracted_kw_per_gpu": kw, "load_factor": 0.8, "utilization": 1,
            "power": { "price_per_kwh": energy, "pue": pue }, "colocation_per_kw_month": colocation,
            "maintenance_fraction": maintenance, "staff": []
        })
    });
    json!({ "as_of": "2025-01-31", "items": items })
}

/// 2.573 billion dollars over four years, 1,629 million of them for servers and 944 million to run them.
#[tokio::test]
async fn the_fleet_of_deepseek_costs_what_semianalysis_says() {
    let quote = quote(&deepseek("0.08", 1.25, "184.06", 0.03)).await;
    let items = quote["items"].as_array().unwrap();
    for (item, (gpu, .., capex)) in items.iter().zip(DEEPSEEK) {
        assert!((metric(item, "capex") - capex).abs() <= 0.051e6, "{gpu}"); // the table's last digit
    }
    let all = |name: &str| items.iter().map(|item| metric(item, name)).sum::<f64>();
    let lines = |code: &str| items.iter().map(|item| amount(item, code)).sum::<f64>();
    let total = number(&quote["total"]["amount"]);
    is_near(all("capex"), 1_628.6e6, 0.0001);
    is_near(all("contracted_kw"), 62_900.0, 0.001);
    for (code, sum) in [("colocation", 555.0e6), ("energy", 176.0e6), ("maintenance", 195.0e6)] {
        is_near(lines(code), sum, 0.005);
    }
    is_near(total, 2_556.0e6, 0.001);
    is_near(total, 2_573.0e6, 0.02);
    is_near(all("operating_per_year"), 944.0e6 / 4.0, 0.02);
    is_near(total / all("used_gpu_hours"), 1.224, 0.02);
}

/// With other public inputs it is 2,423 to 2,484 million.
#[tokio::test]
async fn the_fleet_of_deepseek_costs_less_with_other_public_inputs() {
    for (request, sum) in [
        (deepseek("0.087", 1.35, "130", 0.03), 2_423.0e6),
        (deepseek("0.0771", 1.25, "184.06", 0.02), 2_484.0e6),
    ] {
        is_near(number(&quote(&request).await["total"]["amount"]), sum, 0.005);
    }
}

/// 200,000 H100 at 30,000 dollars are 6 billion dollars of accelerators; with the servers at what `SemiAnalysis` adds to
/// each, and a network, about 10 billion.
#[tokio::test]
async fn grok_3_is_six_billion_of_chips_and_ten_of_a_cluster() {
    let quote = quote(&json!({
        "kind": "ownership", "hardware": { "gpu": "h100-sxm5-80gb", "count": 200_000, "price_each": "30000" },
        "as_of": "2025-02-17", "years": 4, "server_factor": 1.0 + 11_728.0 / 30_000.0, "network_share": 0.19
    }))
    .await;
    let item = &quote["items"][0];
    assert!((amount(item, "hardware.chips") - 6.0e9).abs() < 1e-3);
    is_near(metric(item, "capex"), 10.0e9, 0.05);
    is_near(metric(item, "capex_per_gpu"), 50_000.0, 0.05);
}
