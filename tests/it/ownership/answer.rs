//! What an answer says.

use serde_json::{Value, json};

use super::{amount, amounts, hgx, is_near, metric, number, quote, with};

#[tokio::test]
async fn lines_stand_in_a_fixed_order() {
    let request = with(hgx(), [("/server_factor", json!(1.5))]);
    let staff = json!([
        { "label": "operators", "people": 2, "monthly_cost": "10000" },
        { "label": "builders", "people": 20, "months": 3, "monthly_cost": "8000", "currency": "EUR" }
    ]);
    let quote = quote(&with(request, [("/staff", staff)])).await;
    let codes: Vec<&str> = amounts(&quote["items"][0]).into_iter().map(|(code, _)| code).collect();
    insta::assert_json_snapshot!(codes, @r#"
    [
      "hardware.chips",
      "hardware.servers",
      "hardware.network",
      "energy",
      "colocation",
      "maintenance",
      "staff",
      "staff#2",
      "capital",
      "residual"
    ]
    "#);
}

#[tokio::test]
async fn what_costs_nothing_has_no_line() {
    let request = with(
        hgx(),
        [
            ("/network_share", json!(0)),
            ("/staff", json!([])),
            ("/colocation_per_kw_month", json!("0")),
            ("/cost_of_capital", json!(0)),
            ("/residual_fraction", json!(0)),
        ],
    );
    let quote = quote(&request).await;
    let codes: Vec<&str> = amounts(&quote["items"][0]).into_iter().map(|(code, _)| code).collect();
    assert_eq!(codes, ["hardware.chips", "energy", "maintenance"]);
}

#[tokio::test]
async fn accelerators_are_counted_at_their_price_each() {
    let quote = quote(&hgx()).await;
    let chips = &quote["items"][0]["lines"][0];
    assert_eq!((&chips["quantity"], &chips["unit"]), (&json!("8"), &json!("gpu")));
    assert_eq!((&chips["unit_price"], &chips["amount"]), (&json!("31904.625"), &json!("255237.00")));
    assert_eq!(chips["refs"], json!(["gpu:h100-sxm5-80gb"]));
}

#[tokio::test]
async fn a_line_says_how_it_came_about() {
    let request = json!({ "kind": "ownership", "hardware": { "gpu": "H100", "count": 8 }, "years": 4,
        "as_of": "2025-06-01", "detail": "full" });
    let quote = quote(&request).await;
    let lines = quote["items"][0]["lines"].as_array().unwrap();
    let maintenance = lines.iter().find(|line| line["code"] == "maintenance").unwrap();
    assert_eq!(maintenance["basis"]["formula"], "count * installed * maintenance_fraction * years");
    let inputs = maintenance["basis"]["inputs"].as_array().unwrap();
    let told: Vec<(&str, &str)> = inputs
        .iter()
        .map(|input| (input["name"].as_str().unwrap(), input["origin"].as_str().unwrap()))
        .collect();
    let expected = [
        ("count", "request"),
        ("installed", "derived"),
        ("maintenance_fraction", "assumption"),
        ("years", "request"),
    ];
    assert_eq!(told, expected);
    // What was bought rests on its price and on what was assumed of server and network.
    let refs: Vec<&str> = maintenance["refs"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    for name in ["maintenance_fraction", "network_share", "server_factor.other"] {
        assert!(refs.contains(&format!("assumption:ownership.{name}").as_str()), "{refs:?}");
    }
    assert!(refs.iter().any(|name| name.starts_with("gpu_purchase:")), "{refs:?}");
}

#[tokio::test]
async fn defaults_have_ranges_and_what_is_given_has_none() {
    let asked = json!({ "kind": "ownership", "hardware": { "gpu": "H100", "count": 8 }, "years": 4, "as_of": "2025-06-01" });
    let assumed = quote(&asked).await;
    assert!(number(&assumed["total"]["low"]) < number(&assumed["total"]["high"]));
    assert!(assumed["items"][0]["metrics"]["price_per_used_gpu_hour"]["low"].is_number());
    let known = quote(&hgx()).await;
    assert!(known["total"]["low"].is_null() && known["items"][0]["lines"][0]["low"].is_null());
    let years = quote(&with(hgx(), [("/years", json!({ "low": 3, "mid": 4, "high": 6 }))])).await;
    assert!(number(&years["total"]["low"]) < number(&years["total"]["amount"]));
}

/// The purchase in the month it is made, what is left of it in the month of the last day, all else by the days.
#[tokio::test]
async fn months_are_those_in_which_money_moves() {
    let request = with(hgx(), [("/years", json!(1)), ("/start", json!("2025-02-01"))]);
    let quote = quote(&request).await;
    let item = &quote["items"][0];
    let months = item["by_month"].as_array().unwrap();
    let of = |at: usize| number(&months[at]["total"]["amount"]);
    assert_eq!(
        (months.len(), &months[0]["month"], &months[11]["month"]),
        (12, &json!("2025-02"), &json!("2026-01"))
    );
    let bought = amount(item, "hardware.chips") + amount(item, "hardware.network");
    let left = amount(item, "residual");
    let evenly = number(&item["total"]["amount"]) - bought - left;
    is_near(of(0), bought + evenly * 28.0 / 365.0, 1e-6);
    is_near(of(1), evenly * 31.0 / 365.0, 1e-6);
    is_near(of(11), left + evenly * 31.0 / 365.0, 1e-5);
}

#[tokio::test]
async fn amounts_in_another_currency_are_converted_and_metrics_are_in_that_of_the_answer() {
    let dollars = quote(&hgx()).await;
    let yuan = quote(&json!({ "currency": "CNY", "items": [hgx()] })).await;
    let rate = number(&yuan["total"]["amount"]) / number(&dollars["total"]["amount"]);
    assert!((7.0..7.4).contains(&rate), "{rate}");
    let price = |quote: &Value| metric(&quote["items"][0], "price_per_used_gpu_hour");
    is_near(price(&yuan), price(&dollars) * rate, 1e-5);
    assert_eq!(yuan["items"][0]["metrics"]["capex"]["unit"], "CNY");
    assert_eq!(yuan["items"][0]["lines"][0]["fx"]["from"], "USD");
    let given = quote(&with(hgx(), [("/hardware/currency", json!("CNY")), ("/staff", json!([]))])).await;
    assert_eq!(given["items"][0]["lines"][0]["price_currency"], "CNY");
    is_near(amount(&given["items"][0], "hardware.chips"), 255_237.0 / rate, 1e-3);
}

#[tokio::test]
async fn a_hosted_a_trained_and_an_owned_thing_add_up() {
    let call = json!({ "kind": "api_usage", "model": "gpt-4o", "usage": { "input_tokens": 1000 }, "tags": { "team": "a" } });
    let owned =
        with(hgx(), [("/tags", json!({ "team": "b" })), ("/id", json!("mine")), ("/label", json!("ours"))]);
    let quote = quote(&json!({ "group_by": "team", "items": [call, owned] })).await;
    let item = &quote["items"][1];
    assert_eq!(
        (&item["kind"], &item["id"], &item["label"]),
        (&json!("ownership"), &json!("mine"), &json!("ours"))
    );
    assert_eq!(quote["groups"]["b"], item["total"]);
}
