//! Two answers written by hand, one figure changed at a time.

use serde_json::{Value, json};

use super::*;

fn answer(items: &Value, total: &str) -> Answer {
    let answer = json!({
        "currency": "USD", "as_of": "2026-11-24T00:00:00Z", "catalog_revision": 1, "engine": "farthing 0.1.0",
        "total": {"amount": total}, "items": items, "a_field_of_the_future": true,
    });
    serde_json::from_value(answer).unwrap()
}

fn line(code: &str, quantity: &str, unit_price: &str, amount: &str) -> Value {
    json!({"code": code, "description": code, "quantity": quantity, "unit": "token", "unit_price": unit_price,
        "per": "1000000", "price_currency": "USD", "fx": null, "amount": amount})
}

fn item(offering: &str, lines: &Value, total: &str) -> Value {
    json!({"kind": "api_usage", "id": null, "label": null, "offering": offering, "lines": lines,
        "total": {"amount": total}})
}

fn with(mut value: Value, field: &str, is: Value) -> Value {
    value[field] = is;
    value
}

/// The only item that moved between two items.
fn moved(before: &Value, after: &Value) -> ItemDiff {
    let mut diff = diff(&answer(&json!([before]), "1"), &answer(&json!([after]), "1")).unwrap();
    assert_eq!(diff.items.len(), 1, "{diff:?}");
    diff.items.remove(0)
}

/// The causes of the only line that moved between two lines.
fn causes(before: &Value, after: &Value) -> Vec<(Why, Option<String>)> {
    let mut item = moved(&item("a/b", &json!([before]), "1"), &item("a/b", &json!([after]), "1"));
    assert_eq!(item.lines.len(), 1, "{item:?}");
    let told = |cause: Cause| (cause.why, cause.percent.map(|percent| percent.to_string()));
    item.lines.remove(0).causes.into_iter().map(told).collect()
}

/// Whether two answers of one item each are the same to the eye of a diff.
fn is_nothing(before: &Value, after: &Value) -> bool {
    diff(&answer(&json!([before]), "1"), &answer(&json!([after]), "1")).unwrap().items.is_empty()
}

fn change(before: &str, after: &str) -> Change {
    Change::between(Some(Money::parse(before).unwrap()), Some(Money::parse(after).unwrap())).unwrap()
}

fn is_exceeded(limit: &str, before: &str, after: &str) -> bool {
    limit.parse::<Limit>().unwrap().is_exceeded_by(change(before, after)).unwrap()
}

#[test]
fn an_answer_differs_from_itself_in_nothing() {
    let one = item("a/b", &json!([line("input_tokens", "10", "2.50", "0.000025")]), "0.000025");
    let answer = answer(&json!([one]), "0.000025");
    let diff = diff(&answer, &answer).unwrap();
    assert!(diff.total.is_none() && diff.items.is_empty());
    assert_eq!(diff.unchanged_items, Some(1));
}

#[test]
fn a_line_names_the_price_that_moved_it() {
    let (before, after) = (line("x", "10", "2.50", "1"), line("x", "10", "5", "2"));
    assert_eq!(causes(&before, &after), [(Why::Price, Some("100.00".into()))]);
}

#[test]
fn a_line_names_every_figure_that_moved_it() {
    let (before, after) = (line("x", "10", "2.50", "1"), line("x", "5", "5", "1"));
    assert_eq!(
        causes(&before, &after),
        [(Why::Price, Some("100.00".into())), (Why::Quantity, Some("-50.00".into()))]
    );
}

#[test]
fn the_same_price_for_another_quantity_is_no_change_of_price() {
    let before = item("a/b", &json!([line("x", "10", "2.50", "1")]), "1");
    let after = item("a/b", &json!([with(line("x", "10", "0.0025", "1"), "per", json!("1000"))]), "1");
    assert!(is_nothing(&before, &after));
}

#[test]
fn a_price_in_another_currency_cannot_be_told_in_percent() {
    let (before, after) =
        (line("x", "10", "2", "1"), with(line("x", "10", "2", "2"), "price_currency", json!("EUR")));
    assert_eq!(causes(&before, &after), [(Why::Price, None)]);
}

#[test]
fn a_line_names_the_exchange_rate_that_moved_it() {
    let fx =
        |rate: &str| json!({"from": "CNY", "to": "USD", "rate": rate, "date": "2026-11-20", "age_days": 0});
    let before = with(line("x", "10", "2", "1"), "fx", fx("0.14"));
    let after = with(line("x", "10", "2", "0.9"), "fx", fx("0.126"));
    assert_eq!(causes(&before, &after), [(Why::Fx, Some("-10.00".into()))]);
}

#[test]
fn an_adjustment_tells_its_percentage_from_what_it_is_a_share_of() {
    let before = line("adjustment#2", "-10", "100", "-10");
    let other_percentage = line("adjustment#2", "-12", "100", "-12");
    assert_eq!(causes(&before, &other_percentage), [(Why::Modifier, Some("-20.00".into()))]);
    let other_base = line("adjustment#2", "-10", "150", "-15");
    assert_eq!(causes(&before, &other_base), [(Why::Base, Some("50.00".into()))]);
}

#[test]
fn an_amount_that_moves_by_itself_is_the_engines_doing() {
    assert_eq!(causes(&line("x", "10", "2", "1"), &line("x", "10", "2", "2")), [(Why::Engine, None)]);
}

#[test]
fn lines_come_and_go() {
    let before = item("a/b", &json!([line("old", "1", "1", "1")]), "1");
    let after = item("a/b", &json!([line("new", "1", "1", "1")]), "1");
    let item = moved(&before, &after);
    let told: Vec<_> = item.lines.iter().map(|line| (line.code.as_str(), line.causes[0].why)).collect();
    assert_eq!(told, [("new", Why::New), ("old", Why::Gone)]);
}

#[test]
fn items_are_matched_by_id_wherever_they_stand() {
    let named = |id: &str, total: &str| with(item("a/b", &json!([]), total), "id", json!(id));
    let before = answer(&json!([named("one", "1"), named("two", "2")]), "3");
    let after = answer(&json!([named("two", "2"), named("one", "4")]), "6");
    let diff = diff(&before, &after).unwrap();
    let [one] = diff.items.as_slice() else { panic!("{diff:?}") };
    assert_eq!((one.id.as_deref(), one.index_before, one.index_after), (Some("one"), Some(0), Some(1)));
}

#[test]
fn items_without_an_id_are_matched_by_place_and_offering_first() {
    let (a, b) = (item("p/a", &json!([]), "1"), item("p/b", &json!([]), "1"));
    let before = answer(&json!([a, b]), "2");
    let after = answer(&json!([item("p/new", &json!([]), "5"), a, b]), "7");
    let diff = diff(&before, &after).unwrap();
    let [new] = diff.items.as_slice() else { panic!("{diff:?}") };
    assert_eq!((new.offering_after.as_deref(), new.index_before), (Some("p/new"), None));
}

#[test]
fn a_workload_that_moves_to_another_model_is_still_that_workload() {
    let item = moved(&item("p/a", &json!([]), "1"), &item("p/b", &json!([]), "1"));
    assert_eq!((item.offering_before.as_deref(), item.offering_after.as_deref()), (Some("p/a"), Some("p/b")));
    assert_eq!((item.index_before, item.index_after), (Some(0), Some(0)));
}

#[test]
fn items_of_different_ids_are_different_items() {
    let named = |id: &str| with(item("a/b", &json!([]), "1"), "id", json!(id));
    let diff = diff(&answer(&json!([named("one")]), "1"), &answer(&json!([named("two")]), "1")).unwrap();
    assert_eq!(diff.items.len(), 2);
}

#[test]
fn doubts_come_and_go_and_stay_though_their_words_change() {
    let doubt = |code: &str, message: &str| json!({"code": code, "message": message, "pointer": ""});
    let with_doubts = |doubts: Value| with(item("a/b", &json!([]), "1"), "warnings", doubts);
    let before = with_doubts(json!([doubt("old", "x"), doubt("stays", "rate 1")]));
    let after = with_doubts(json!([doubt("stays", "rate 2"), doubt("fresh", "y")]));
    let item = moved(&before, &after);
    let told: Vec<_> = item.warnings.iter().map(|doubt| (doubt.change, doubt.code.as_str())).collect();
    assert_eq!(told, [(Appearance::Appeared, "fresh"), (Appearance::Gone, "old")]);
}

#[test]
fn answers_in_two_currencies_are_not_compared() {
    let (dollars, mut euros) = (answer(&json!([]), "1"), answer(&json!([]), "1"));
    euros.currency = Currency::parse("EUR").unwrap();
    let error = diff(&dollars, &euros).unwrap_err();
    assert_eq!(error, DiffError::Currencies { before: dollars.currency, after: euros.currency });
}

#[test]
fn totals_alone_are_compared_where_one_side_has_no_lines() {
    let mut before = answer(&json!([]), "1");
    before.items = None;
    let diff = diff(&before, &answer(&json!([]), "2")).unwrap();
    assert_eq!((diff.total.change.to_string().as_str(), diff.unchanged_items), ("1.00", None));
}

#[test]
fn an_answer_without_adjustments_is_its_own_list_total() {
    let (before, mut after) = (answer(&json!([]), "2"), answer(&json!([]), "1"));
    after.list_total = Some(AnswerTotal { amount: Money::parse("3").unwrap(), low: None, high: None });
    assert_eq!(diff(&before, &after).unwrap().list_total, Some(change("2", "3")));
    after.list_total = None;
    assert_eq!(diff(&before, &after).unwrap().list_total, None);
}

#[test]
fn groups_that_moved_are_named() {
    let (mut before, mut after) = (answer(&json!([]), "1"), answer(&json!([]), "1"));
    let total = |amount: &str| AnswerTotal { amount: Money::parse(amount).unwrap(), low: None, high: None };
    before.groups = Some([("same".into(), total("1")), ("gone".into(), total("1"))].into());
    after.groups = Some([("same".into(), total("1.0")), ("new".into(), total("0"))].into());
    let diff = diff(&before, &after).unwrap();
    assert_eq!(diff.groups.keys().collect::<Vec<_>>(), ["gone", "new"]);
}

#[test]
fn exactly_the_limit_passes_and_a_digit_more_does_not() {
    assert!(!is_exceeded("10%", "50.00", "55.00"));
    assert!(is_exceeded("10%", "50.00", "55.0000000000000000000000000000000001"));
    assert!(!is_exceeded("5.00", "50.00", "55.00"));
    assert!(is_exceeded("5.00", "50.00", "55.0000000000000000000000000000000001"));
}

#[test]
fn a_fall_is_never_too_much() {
    assert!(!is_exceeded("0%", "50", "49") && !is_exceeded("0", "50", "49"));
}

#[test]
fn any_rise_from_nothing_is_more_than_any_percentage() {
    assert!(is_exceeded("1000%", "0", "0.01") && !is_exceeded("1000%", "0", "0"));
    assert_eq!(change("0", "0.01").percent, None);
}

#[test]
fn a_limit_is_a_percentage_or_an_amount() {
    for (text, printed) in [("10%", "10%"), ("2.5%", "2.5%"), ("5", "5.00"), ("0.001", "0.001")] {
        assert_eq!(text.parse::<Limit>().unwrap().to_string(), printed);
    }
    for bad in ["", "%", "ten", "-5", "-5%", "1e3", "10 %"] {
        assert_eq!(bad.parse::<Limit>(), Err(NotLimit), "{bad}");
    }
}

fn citing(line: Value, name: &str) -> Value {
    with(line, "refs", json!([name]))
}

fn cited(item: &Value, name: &str, reference: Value) -> Answer {
    let reference = with(with(reference, "observed_at", json!("2026-11-24")), "source", Value::Null);
    let mut answer = answer(&json!([item]), "1");
    answer.references = serde_json::from_value(json!({ name: reference })).unwrap();
    answer
}

#[test]
fn an_assumption_that_only_became_surer_is_a_cause_of_its_own() {
    let name = "assumption:training.goodput";
    let value =
        |low: f64| json!({"revision": 1, "value": {"low": low, "mid": 0.9, "high": 0.95, "unit": "ratio"}});
    let item = item("a/b", &json!([citing(line("x", "1", "1", "1"), name)]), "1");
    let diff = diff(&cited(&item, name, value(0.5)), &cited(&item, name, value(0.8))).unwrap();
    let cause = &diff.items[0].lines[0].causes[0];
    assert_eq!((cause.why, cause.reference.as_deref()), (Why::Assumption, Some(name)));
    assert_eq!(cause.before.as_ref().unwrap().low.as_deref(), Some("0.5"));
    assert_eq!(cause.percent.unwrap().to_string(), "0.00");
}

#[test]
fn a_data_sheet_that_was_revised_is_a_cause_and_a_price_row_is_not() {
    let item = |name| item("a/b", &json!([citing(line("x", "1", "1", "1"), name)]), "1");
    let causes = |name| {
        let at = |revision: u32| cited(&item(name), name, json!({"revision": revision}));
        let diff = diff(&at(1), &at(2)).unwrap();
        diff.items.first().map(|item| item.lines[0].causes[0].why)
    };
    assert_eq!(causes("gpu:h100"), Some(Why::Catalog));
    assert_eq!(causes("rate_card:7"), None);
}
