//! What an import changes, and what it leaves alone.

use farthing::{
    catalog::{rate_card::RateCard, rows::Row as _, snapshot::Snapshot},
    sources::{
        Reason,
        plan::{Action, Gate, Plan},
    },
};

use super::{after, built_in, gone_in, planned, planned_at, tables};

const OFFERING: &str = "groq/llama-3.3-70b-versatile"; // 0.59 in, 0.79 out

fn groq(fields: &str) -> String {
    format!(r#"{{"groq/llama-3.3-70b-versatile": {{"litellm_provider": "groq", "mode": "chat", {fields}}}}}"#)
}

/// The cards of an offering as the newest revision knows them, a line each.
fn cards(snapshot: &Snapshot, offering: &str) -> Vec<String> {
    let line = |card: &RateCard| {
        let rates: Vec<String> =
            card.rates.iter().map(|(meter, rate)| format!("{meter} {}", rate.amount)).collect();
        let instant = |at: Option<jiff::Timestamp>| at.map_or_else(String::new, |at| at.to_string());
        let conditions = serde_json::to_string(&card.conditions).unwrap();
        format!(
            "{}..{} {conditions} {}",
            instant(card.effective_from),
            instant(card.effective_to),
            rates.join(", ")
        )
    };
    let rows = tables(snapshot).rate_cards;
    let mut lines: Vec<String> =
        rows.iter().filter(|card| card.offering.as_str() == offering).map(line).collect();
    lines.sort_unstable();
    lines
}

fn gates(plan: &Plan) -> Vec<Gate> {
    plan.changes.iter().flat_map(|change| change.pending.iter().map(|pending| pending.gate)).collect()
}

#[test]
fn a_new_price_closes_the_old_card_and_opens_one_and_a_second_import_changes_nothing() {
    let text = groq(r#""input_cost_per_token": 5e-07, "output_cost_per_token": 7.9e-07"#);
    let before = built_in();
    let first = planned(before, &text);
    assert_eq!(first.changes[0].action, Action::Changed);
    let difference = &first.changes[0].differences[0];
    let said = (difference.field.as_str(), difference.old.as_deref(), difference.new.as_deref());
    assert_eq!(said, ("input_tokens", Some("0.59"), Some("0.5")));
    assert_eq!(difference.percent.unwrap().to_string(), "-15.3");
    let snapshot = gone_in(before, &first, "feed:litellm");
    assert_eq!(
        cards(&snapshot, OFFERING),
        [
            "..2026-11-24T12:00:00Z {} input_tokens 0.59, output_tokens 0.79",
            "2026-11-24T12:00:00Z.. {} input_tokens 0.5, output_tokens 0.79",
        ]
    );
    let second = planned_at(&snapshot, &text, "2026-11-25T00:00:00Z");
    assert_eq!((second.changes.len(), second.unchanged), (0, 1));
}

#[test]
fn a_feed_that_knows_fewer_meters_leaves_the_others_as_they_are() {
    let before = built_in();
    let offering = "google/gemini-2.5-pro";
    let text = r#"[{"id": "google", "models": [{"id": "gemini-2.5-pro", "match": {"equals": "x"},
        "prices": {"input_mtok": {"base": 1.5, "tiers": [{"start": 200000, "price": 2.5}]}}}]}]"#;
    let plan = planned(before, text);
    let snapshot = gone_in(before, &plan, "feed:genai-prices");
    let open: Vec<String> =
        cards(&snapshot, offering).into_iter().filter(|line| line.starts_with("2026-11-24")).collect();
    assert_eq!(
        open,
        [
            r#"2026-11-24T12:00:00Z.. {"input_tokens_above":200000} cache_read_tokens 0.25, input_tokens 2.5, output_tokens 15, web_searches 35"#,
            r#"2026-11-24T12:00:00Z.. {"input_tokens_at_most":200000} cache_read_tokens 0.125, input_tokens 1.5, output_tokens 10, web_searches 35"#,
        ]
    );
    assert_eq!(plan.changes.len(), 1, "the batch prices, of which the feed says nothing, stay");
}

#[test]
fn one_price_where_the_catalog_has_tiers_is_compared_with_the_lowest_and_otherwise_waits() {
    let feed = |price: &str| {
        format!(
            r#"[{{"id": "google", "models": [{{"id": "gemini-2.5-pro", "match": {{}}, "prices": {{"input_mtok": {price}}}}}]}}]"#
        )
    };
    let before = built_in();
    assert_eq!(planned(before, &feed("1.25")).unchanged, 1);
    assert_eq!(gates(&planned(before, &feed("1.3"))), [Gate::TiersLost]);
}

#[test]
fn a_threshold_one_token_off_is_the_same_threshold() {
    let text = r#"[{"id": "google", "models": [{"id": "gemini-2.5-pro", "match": {},
        "prices": {"input_mtok": {"base": 1.25, "tiers": [{"start": 199999, "price": 2.5}]}}}]}]"#;
    assert_eq!(planned(built_in(), text).unchanged, 1);
}

#[test]
fn a_price_with_a_date_holds_from_that_date_and_a_future_one_ends_todays() {
    let text = r#"[{"id": "groq", "models": [{"id": "llama-3.3-70b-versatile", "match": {}, "prices": [
        {"prices": {"input_mtok": 0.59, "output_mtok": 0.79}},
        {"constraint": {"start_date": "2026-11-20"}, "prices": {"input_mtok": 0.5, "output_mtok": 0.79}},
        {"constraint": {"start_date": "2026-12-01"}, "prices": {"input_mtok": 0.4, "output_mtok": 0.79}}]}]}]"#;
    let before = built_in();
    let first = planned(before, text);
    assert_eq!((first.past, first.changes.len()), (1, 2));
    let snapshot = gone_in(before, &first, "feed:genai-prices");
    assert_eq!(
        cards(&snapshot, OFFERING),
        [
            "..2026-11-20T00:00:00Z {} input_tokens 0.59, output_tokens 0.79",
            "2026-11-20T00:00:00Z..2026-12-01T00:00:00Z {} input_tokens 0.5, output_tokens 0.79",
            "2026-12-01T00:00:00Z.. {} input_tokens 0.4, output_tokens 0.79",
        ]
    );
    assert!(planned(&snapshot, text).changes.is_empty());
}

#[test]
fn what_an_operator_or_another_feed_wrote_is_kept_and_told() {
    for actor in ["key:ops", "feed:genai-prices"] {
        let mut rows = tables(built_in());
        let card = rows.rate_cards.iter_mut().find(|card| card.offering.as_str() == OFFERING).unwrap();
        card.note = Some("negotiated".to_owned());
        let snapshot = after(built_in(), &rows, actor);
        let plan = planned(&snapshot, &groq(r#""input_cost_per_token": 5e-07"#));
        assert!(plan.changes.is_empty(), "{:?}", plan.changes);
        assert_eq!(plan.kept[0].because, format!("written by `{actor}`"));
        assert_eq!(plan.kept[0].differences[0].new.as_deref(), Some("0.5"));
    }
}

#[test]
fn a_table_older_than_what_somebody_looked_at_changes_nothing() {
    let text = groq(r#""input_cost_per_token": 5e-07"#);
    let plan = planned_at(built_in(), &text, "2026-11-09T00:00:00Z");
    assert!(plan.changes.is_empty());
    assert_eq!(plan.kept[0].because, "looked at on 2026-11-10, later than this table");
}

#[test]
fn a_new_model_of_a_known_seller_is_a_new_offering_and_a_new_seller_is_refused() {
    let text = r#"{
        "groq/brand-new": {"litellm_provider": "groq", "mode": "embedding", "max_input_tokens": 8192, "input_cost_per_token": 1e-07},
        "acme/one": {"litellm_provider": "acme", "mode": "chat", "input_cost_per_token": 1e-07}}"#;
    let before = built_in();
    let plan = planned(before, text);
    assert_eq!(plan.refused[0].reason, Reason::UnknownSeller);
    let snapshot = gone_in(before, &plan, "feed:litellm");
    assert_eq!(cards(&snapshot, "groq/brand-new"), [".. {} input_tokens 0.1"]);
    let found = snapshot.newest().offering("groq", "brand-new").unwrap();
    assert_eq!(
        (found.offering.kind.as_deref(), found.offering.context_window),
        (Some("embedding"), Some(8192))
    );
    assert!(planned(&snapshot, text).changes.is_empty());
}

#[test]
fn of_two_entries_for_one_offering_the_one_under_its_own_name_counts() {
    // `x-ai/grok-4` answers to `grok-4-latest` too.
    let view = built_in();
    let found = view.newest().offering("x-ai", "grok-4-latest").unwrap();
    let own = found.offering.name.clone();
    let entry = |name: &str, price: &str| {
        format!(
            r#""xai/{name}": {{"litellm_provider": "xai", "mode": "chat", "input_cost_per_token": {price}}}"#
        )
    };
    let text = format!("{{{}, {}}}", entry("grok-4-latest", "9e-06"), entry(&own, "3e-06"));
    let plan = planned(view, &text);
    let refused: Vec<_> = plan.refused.iter().map(|it| (it.place.as_str(), it.reason)).collect();
    assert_eq!(refused, [("xai/grok-4-latest", Reason::Contradicted)]);
}

#[test]
fn a_feed_withdraws_what_it_brought_and_nothing_else() {
    let six: Vec<String> = (1..=6)
        .map(|n| format!(r#""groq/new-{n}": {{"litellm_provider": "groq", "mode": "chat", "input_cost_per_token": {n}e-07}}"#))
        .collect();
    let table = |rows: &[String]| format!("{{{}}}", rows.join(","));
    let before = built_in();
    let snapshot = gone_in(before, &planned(before, &table(&six)), "feed:litellm");

    let one_gone = planned_at(&snapshot, &table(&six[1..]), "2026-11-25T00:00:00Z");
    let said: Vec<_> =
        one_gone.changes.iter().map(|it| (it.action, it.subject.as_str(), it.is_pending())).collect();
    assert_eq!(said, [(Action::Withdrawn, "groq/new-1 USD {} {}", false)]);
    let after_it = gone_in(&snapshot, &one_gone, "feed:litellm");
    assert_eq!(cards(&after_it, "groq/new-1"), ["..2026-11-25T00:00:00Z {} input_tokens 0.1"]);
    assert!(planned_at(&after_it, &table(&six[1..]), "2026-11-26T00:00:00Z").changes.is_empty());

    let two_gone = planned_at(&snapshot, &table(&six[2..]), "2026-11-25T00:00:00Z");
    assert_eq!(gates(&two_gone), [Gate::ManyWithdrawn, Gate::ManyWithdrawn]);
}

#[test]
fn what_cannot_be_read_any_more_is_not_withdrawn() {
    let row = |price: &str| {
        format!(
            r#"{{"groq/new-1": {{"litellm_provider": "groq", "mode": "chat", "input_cost_per_token": {price}}}}}"#
        )
    };
    let before = built_in();
    let snapshot = gone_in(before, &planned(before, &row("1e-07")), "feed:litellm");
    let plan = planned_at(&snapshot, &row("\"soon\""), "2026-11-25T00:00:00Z");
    assert!(plan.changes.is_empty(), "{:?}", plan.changes);
}

#[test]
fn a_price_that_the_catalogs_check_forbids_is_refused_whatever_waits() {
    let text =
        r#"{"groq/new-1": {"litellm_provider": "groq", "mode": "chat", "input_cost_per_token": 0.0135}}"#;
    let plan = planned(built_in(), text);
    assert!(plan.changes.is_empty());
    assert_eq!(plan.refused[0].reason, Reason::Unsound);
    assert!(plan.refused[0].detail.contains("a slip of units?"), "{}", plan.refused[0].detail);
}

#[test]
fn reference_rates_of_new_days_are_added_and_known_ones_compared() {
    let text = "Date,USD,GBP,SEK,\n2026-11-23,1.1500,0.8700,11.0,\n2018-12-31,1.1450,0.89453,10.2548,\n";
    let before = built_in();
    let plan = planned(before, text);
    let added: Vec<&str> = plan.changes.iter().map(|change| change.subject.as_str()).collect();
    assert_eq!(added, ["2018-12-31 SEK", "2026-11-23 EUR", "2026-11-23 GBP", "2026-11-23 SEK"]);
    assert_eq!(plan.unchanged, 2, "the euro and the pound of 2018");
    let snapshot = gone_in(before, &plan, "feed:ecb");
    assert!(planned(&snapshot, text).changes.is_empty());
    assert_eq!(tables(&snapshot).fx_rates.last().unwrap().key(), "2026-11-23 SEK");
}
