//! Price tables of the built-in catalog, as JSON and as CSV.

use axum::http::StatusCode;
use serde_json::Value;

use crate::browse::{ask, fault, get, items};

/// The amount of each input price, with its id, in the order of the list.
fn input_amounts(listing: &Value) -> Vec<&str> {
    let items = listing["items"].as_array().unwrap().iter();
    items.map(|price| price["rates"]["input_tokens"]["amount"].as_str().unwrap()).collect()
}

/// `DeepSeek`'s price list of 2025-02-08: V3 at 0.1/1/2 yuan before 16:00 UTC, at 0.5/2/8 from then on.
#[tokio::test]
async fn prices_change_at_their_instant_and_not_before() {
    let path = "/prices?offering=deepseek/deepseek-chat&currency=CNY&as_of=2025-02-08T";
    let before = get(&format!("{path}15:59:59Z")).await;
    let after = get(&format!("{path}16:00:00Z")).await;
    assert_eq!((input_amounts(&before), input_amounts(&after)), (vec!["1.00"], vec!["2.00"]));
    assert_eq!(before["items"][0]["effective_to"], "2025-02-08T16:00:00Z");
}

#[tokio::test]
async fn the_standard_tier_is_the_price_that_names_none() {
    let tiers = |listing: Value| {
        let items = listing["items"].as_array().unwrap().iter();
        items.map(|it| it["conditions"]["context"]["service_tier"].clone()).collect::<Vec<_>>()
    };
    let path = "/prices?provider=openai&model=gpt-4o&service_tier=";
    let standard = tiers(get(&format!("{path}standard")).await);
    let batch = tiers(get(&format!("{path}batch")).await);
    assert!(!standard.is_empty() && standard.iter().all(Value::is_null), "{standard:?}");
    assert!(!batch.is_empty() && batch.iter().all(|tier| tier == "batch"), "{batch:?}");
}

#[tokio::test]
async fn the_cheapest_rate_of_a_meter_comes_first() {
    let path = "/prices?meter=output_tokens&currency=USD&sort=rate&limit=200";
    let listing = get(path).await;
    let rates = listing["items"].as_array().unwrap().iter().map(|price| {
        let rate = &price["rates"]["output_tokens"];
        let number = |field: &str| rate[field].as_str().unwrap().parse::<f64>().unwrap();
        number("amount") / number("per")
    });
    assert!(rates.is_sorted());
}

#[tokio::test]
async fn rates_are_only_sorted_within_a_meter_and_a_currency() {
    assert_eq!(fault("/prices?sort=rate&currency=USD").await["pointer"], "/meter");
    assert_eq!(fault("/prices?sort=rate&meter=input_tokens").await["pointer"], "/currency");
}

#[tokio::test]
async fn the_age_of_a_price_is_counted_to_the_instant_asked_about() {
    let path = "/prices?offering=deepseek/deepseek-chat&currency=CNY&as_of=2025-02-01";
    let price = &get(path).await["items"][0];
    assert_eq!(price["observed_at"], "2026-11-23");
    assert_eq!(price["age_days"], 0, "seen after the instant asked about");
}

#[tokio::test]
async fn history_is_told_in_the_order_of_time() {
    let path = "/prices/history?offering=deepseek/deepseek-chat&currency=CNY";
    let starts = items(path, "effective_from").await;
    assert!(starts.len() > 3 && starts.is_sorted(), "{starts:?}");
    let mut newest_first = items(&format!("{path}&sort=-effective_from"), "effective_from").await;
    newest_first.reverse();
    assert_eq!(newest_first, starts);
}

#[tokio::test]
async fn history_can_be_cut_to_days() {
    let path = "/prices/history?offering=deepseek/deepseek-chat&currency=CNY&from=2025-01-01&to=2025-01-31";
    assert_eq!(input_amounts(&get(path).await), ["1.00"]);
}

#[tokio::test]
async fn history_is_of_something() {
    let fault = fault("/prices/history").await;
    assert_eq!((&fault["pointer"], &fault["code"]), (&"/offering".into(), &"missing_field".into()));
    assert!(fault["detail"].as_str().unwrap().contains("`provider`, `model` or `since_revision` is missing"));
}

#[tokio::test]
async fn nothing_is_new_since_the_newest_revision() {
    assert_eq!(items("/prices/history?since_revision=1", "id").await, [""; 0]);
    assert_eq!(items("/prices/history?since_revision=0&limit=500", "id").await.len(), 500);
}

#[tokio::test]
async fn gpu_prices_are_rentals_and_purchases() {
    let kinds = items("/gpu-prices?gpu=h100-sxm5-80gb&limit=500", "kind").await;
    assert!(kinds.contains(&"rental".to_owned()) && kinds.contains(&"purchase".to_owned()));
    let spot = items("/gpu-prices?kind=rental&commitment=spot", "commitment").await;
    assert!(!spot.is_empty() && spot.iter().all(|commitment| commitment == "spot"), "{spot:?}");
    let units = items("/gpu-prices?kind=purchase&basis=server", "unit").await;
    assert!(!units.is_empty() && units.iter().all(|unit| unit == "system"), "{units:?}");
}

#[tokio::test]
async fn a_gpu_price_that_nobody_saw_for_more_than_90_days_is_stale() {
    let listing = get("/gpu-prices?limit=500").await;
    let prices = listing["items"].as_array().unwrap();
    let stale = |price: &&Value| price["stale"] == true;
    assert!(prices.iter().any(|price| stale(&price)) && !prices.iter().all(|price| stale(&price)));
    for price in prices {
        assert_eq!(price["stale"], price["age_days"].as_u64().unwrap() > 90, "{price}");
    }
}

#[tokio::test]
async fn a_rental_price_ends_on_the_day_the_next_one_begins() {
    let path = "/gpu-prices?kind=rental&limit=500&as_of=";
    let listing = get(&format!("{path}2025-06-01")).await;
    let ended =
        listing["items"].as_array().unwrap().iter().find(|it| it["effective_to"].is_string()).unwrap();
    let (id, end) = (ended["id"].as_str().unwrap(), ended["effective_to"].as_str().unwrap());
    let gpu = ended["gpu"].as_str().unwrap();
    let on_that_day = items(&format!("{path}{end}&gpu={gpu}"), "id").await;
    assert!(!on_that_day.contains(&id.to_owned()));
}

#[tokio::test]
async fn exchange_rates_are_the_latest_of_each_currency() {
    let currencies = items("/fx-rates?as_of=2024-12-28", "currency").await;
    let mut unique = currencies.clone();
    unique.dedup();
    assert!(currencies.len() > 5 && currencies == unique, "{currencies:?}");
    assert_eq!(items("/fx-rates?as_of=2024-12-28&currency=CNY", "date").await, ["2024-12-27"]);
    assert_eq!(items("/fx-rates?as_of=2024-12-28&currency=CNY", "age_days").await, ["1"]);
}

#[tokio::test]
async fn exchange_rates_of_days_include_the_first_and_the_last() {
    let dates = items("/fx-rates?currency=CNY&from=2024-12-23&to=2024-12-27", "date").await;
    assert_eq!(
        (dates.first().unwrap().as_str(), dates.last().unwrap().as_str()),
        ("2024-12-23", "2024-12-27")
    );
}

async fn csv(path: &str) -> Vec<csv::StringRecord> {
    let answer = ask(path, &[("accept", "text/csv")]).await;
    assert_eq!(answer.header("content-type"), "text/csv; charset=utf-8; header=present");
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(answer.text().as_bytes());
    reader.records().map(Result::unwrap).collect()
}

/// A row of a table by the names of its columns.
fn cell<'r>(table: &'r [csv::StringRecord], row: usize, column: &str) -> &'r str {
    let at = table[0].iter().position(|name| name == column).unwrap();
    &table[row][at]
}

#[tokio::test]
async fn a_price_table_has_a_row_for_each_rate_under_the_names_of_focus() {
    let path = "/prices?offering=deepseek/deepseek-chat&currency=CNY&as_of=2025-02-01";
    let table = csv(path).await;
    assert_eq!(table.len(), 1 + 3);
    let row = (1..4).find(|row| cell(&table, *row, "SkuMeter") == "input_tokens").unwrap();
    for (column, value) in [
        ("ServiceProviderName", "DeepSeek"),
        ("SkuId", "deepseek/deepseek-chat"),
        ("SkuPriceId", "deepseek/deepseek-chat#input_tokens"),
        ("PricingCategory", "Standard"),
        ("PricingCurrency", "CNY"),
        ("PricingCurrencyListUnitPrice", "1.00"),
        ("PricingUnit", "1000000 Tokens"),
        ("x_PricingBlockSize", "1000000"),
        ("x_EffectiveTo", "2025-02-08T16:00:00Z"),
    ] {
        assert_eq!(cell(&table, row, column), value, "{column}");
    }
}

#[tokio::test]
async fn columns_without_a_name_in_focus_begin_with_x() {
    const FOCUS: [&str; 10] = [
        "ServiceProviderName",
        "SkuId",
        "SkuMeter",
        "SkuPriceId",
        "SkuPriceDetails",
        "PricingCategory",
        "PricingCurrency",
        "PricingCurrencyListUnitPrice",
        "PricingUnit",
        "RegionId",
    ];
    for path in ["/prices?limit=1", "/gpu-prices?limit=1", "/fx-rates?limit=1"] {
        let table = csv(path).await;
        for column in &table[0] {
            assert!(FOCUS.contains(&column) || column.starts_with("x_"), "{path}: {column}");
        }
    }
}

#[tokio::test]
async fn a_table_comes_whole_unless_it_is_cut() {
    let rates = get("/prices/history?offering=openai/gpt-4o&limit=500").await;
    let rates = rates["items"].as_array().unwrap().iter();
    let rates: usize = rates.map(|price| price["rates"].as_object().unwrap().len()).sum();
    assert_eq!(csv("/prices/history?offering=openai/gpt-4o").await.len(), 1 + rates);
    assert_eq!(csv("/gpu-prices?limit=2").await.len(), 1 + 2);
    assert!(csv("/gpu-prices").await.len() > 1 + 500);
}

#[tokio::test]
async fn a_cut_table_goes_on_where_it_ended() {
    let first = ask("/gpu-prices?limit=2&format=csv", &[]).await;
    let link = first.header("link");
    let next = link.strip_prefix('<').unwrap().split('>').next().unwrap();
    let ids = |answer: &str| answer.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    let second = ask(next, &[]).await;
    let whole = ask("/gpu-prices?limit=4&format=csv", &[]).await;
    assert_eq!([ids(first.text()), ids(second.text())].concat(), ids(whole.text()));
}

#[tokio::test]
async fn a_link_may_ask_for_a_table() {
    assert_eq!(
        ask("/fx-rates?format=csv", &[]).await.text().lines().next().unwrap().split(',').next(),
        Some("x_Currency")
    );
    let json = ask("/fx-rates?format=json", &[("accept", "text/csv")]).await;
    assert_eq!(json.header("content-type"), "application/json");
}

#[tokio::test]
async fn what_cannot_be_had_is_not_acceptable() {
    assert_eq!(ask("/prices", &[("accept", "text/html")]).await.status, StatusCode::NOT_ACCEPTABLE);
    assert_eq!(ask("/models", &[("accept", "text/csv")]).await.status, StatusCode::NOT_ACCEPTABLE);
    assert_eq!(ask("/models/gpt-4o", &[("accept", "text/csv")]).await.status, StatusCode::NOT_ACCEPTABLE);
    let browser = [("accept", "text/html,application/xml;q=0.9,*/*;q=0.8")];
    assert_eq!(ask("/prices", &browser).await.header("content-type"), "application/json");
}
