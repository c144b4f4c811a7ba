//! What others published of their own runs: hours times price, to the cent.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::{CATALOG, amounts, quote, training, with};

/// Rows whose published sum is not hours times price: what the product is, and the published sum less the product.
const NO_PRODUCT: [(&str, &str, &str); 7] = [
    ("deepscaler-1.5b", "4484.00", "16.00"),
    ("deepspeed-chat-opt-6.7b", "131.856", "0.144"),
    ("llm.c-gpt-2-124m", "21.00", "-1.00"),
    ("minimax-m1-rl", "534159.36", "540.64"),
    ("nanochat-record-6", "39.60", "0.40"),
    ("open-rs-1.5b", "42.24", "-0.24"),
    ("qorl-4b", "798.00", "402.00"),
];

#[tokio::test]
async fn hours_times_price_of_every_published_run_is_exact_and_its_published_sum_where_that_is_a_product() {
    let view = CATALOG.current();
    let mut products = 0;
    let mut others = Vec::new();
    for run in view.history().published_runs.iter().map(|run| &run.row) {
        let (Some(hours), Some(price)) = (run.gpu_hours, run.price_per_gpu_hour_usd) else { continue };
        let gpu = run.gpu.as_ref().unwrap().as_str();
        let request = json!({
            "kind": "training", "hardware": { "gpu": gpu, "price_per_gpu_hour": price.to_string() },
            "stages": [{ "stage": "pretraining", "gpu_hours": hours }]
        });
        let quote = quote(request).await;
        let total: Decimal = quote["total"]["amount"].as_str().unwrap().parse().unwrap();
        let product = hours.to_string().parse::<Decimal>().unwrap() * price;
        assert_eq!(total, product, "{}", run.id);
        assert_eq!(quote["total"].get("low"), None, "{}", run.id);
        let Some(published) = run.published_cost_usd else { continue };
        if total == published {
            products += 1;
        } else {
            others.push((
                run.id.clone(),
                quote["total"]["amount"].as_str().unwrap().to_owned(),
                (published - total).to_string(),
            ));
        }
    }
    let listed = NO_PRODUCT
        .map(|(run, product, difference)| (run.to_owned(), product.to_owned(), difference.to_owned()));
    assert_eq!(others, listed);
    assert_eq!(products, 7);
}

/// arXiv:2412.19437, table 1: 2664K, 119K and 5K H800-hours at two dollars.
fn deepseek_v3() -> Value {
    let stages = json!([
        { "stage": "pretraining", "tokens": 14.8e12, "precision": "fp8", "gpu_hours": 2_664_000 },
        { "stage": "context_extension", "tokens": 1.2e11, "sequence_length": 131_072, "gpu_hours": 119_000 },
        { "stage": "sft", "label": "post-training", "gpu_hours": 5_000 }
    ]);
    let hardware = json!({ "gpu": "h800-sxm5-80gb", "count": 2048, "price_per_gpu_hour": "2.00" });
    with(
        training(stages),
        [("/model", json!("deepseek-v3")), ("/hardware", hardware), ("/as_of", json!("2024-12-27"))],
    )
}

#[tokio::test]
async fn deepseek_v3s_last_run_is_its_published_sum() {
    let quote = quote(deepseek_v3()).await;
    assert_eq!(quote["total"], json!({ "amount": "5576000.00" }));
    let lines = [
        ("pretraining.compute", "5328000.00"),
        ("context_extension.compute", "238000.00"),
        ("sft.compute", "10000.00"),
    ];
    assert_eq!(amounts(&quote), lines);
}

/// The European Central Bank's yuan of that day is 0.136998 dollars: 7.2994 yuan, rounded, for a dollar. The sum that
/// went round, 40,701,454.40, is by the rounded rate; each line by the rule of the design is 3.2 millionths less.
#[tokio::test]
async fn deepseek_v3s_last_run_in_yuan_is_converted_line_by_line_at_the_days_reference_rate() {
    let quote = quote(with(deepseek_v3(), [("/currency", json!("CNY"))])).await;
    let lines = [
        ("pretraining.compute", "38891078.70"),
        ("context_extension.compute", "1737251.64"),
        ("sft.compute", "72993.77"),
    ];
    assert_eq!(amounts(&quote), lines);
    assert_eq!(quote["total"], json!({ "amount": "40701324.11" }));
    let dollar = &quote["items"][0]["lines"][0]["fx"];
    assert_eq!((&dollar["date"], &dollar["age_days"]), (&json!("2024-12-27"), &json!(0)));
    assert!((40_701_454.40 / 40_701_324.11 - 1.0_f64).abs() < 4e-6);
}

/// arXiv:2501.12948, supplement: 101K, 5K and 41K H800-hours at two dollars.
#[tokio::test]
async fn deepseek_r1_is_its_published_sum() {
    let stages = json!([
        { "stage": "rl", "label": "R1-Zero", "gpu_hours": 101_000 },
        { "stage": "sft", "gpu_hours": 5_000 },
        { "stage": "rl", "label": "R1", "gpu_hours": 41_000 }
    ]);
    let hardware = json!({ "gpu": "h800-sxm5-80gb", "price_per_gpu_hour": "2.00" });
    let quote =
        quote(with(training(stages), [("/model", json!("deepseek-v3")), ("/hardware", hardware)])).await;
    assert_eq!(
        amounts(&quote),
        [("rl.compute", "202000.00"), ("sft.compute", "10000.00"), ("rl.compute#2", "82000.00")]
    );
    assert_eq!(quote["total"], json!({ "amount": "294000.00" }));
    assert_eq!(quote["items"][0]["stages"][2]["stage"], "rl#2");
}
