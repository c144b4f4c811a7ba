//! The catalog's own tables: out as a spreadsheet or as lines, edited, in again.

use farthing::{
    browse::{
        Resource, Scope,
        fx_rates::{FxRateQuery, FxRates},
        gpu_prices::{GpuPriceQuery, GpuPrices},
        prices::{HistoryQuery, PriceHistory, PriceQuery, Prices},
        sheet::{Table, header, rows},
    },
    catalog::{snapshot::Snapshot, text::to_line},
    sources::{
        Format,
        plan::{Action, Gate},
        recognise,
    },
};

use super::{built_in, gone_in, now, planned, tables, whole};

/// A whole table as CSV.
fn exported<T: Table>(snapshot: &Snapshot, query: &T::Query) -> String {
    let scope = Scope { view: snapshot.newest(), as_of: now() };
    let places = <T as Resource>::rows(scope, query).unwrap();
    let bytes = [header::<T>().unwrap(), rows::<T>(scope, &places).unwrap()].concat();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn every_sheet_that_is_exported_comes_back_unchanged() {
    let snapshot = whole();
    let history = HistoryQuery { since_revision: Some(0), ..HistoryQuery::default() };
    let sheets = [
        (Format::PriceSheet, exported::<Prices>(snapshot, &PriceQuery::default()), 2_000),
        (Format::PriceSheet, exported::<PriceHistory>(snapshot, &history), 4_000),
        (Format::GpuPriceSheet, exported::<GpuPrices>(snapshot, &GpuPriceQuery::default()), 500),
        (Format::FxSheet, exported::<FxRates>(snapshot, &FxRateQuery::default()), 5),
    ];
    for (format, text, least) in sheets {
        assert_eq!(recognise(text.as_bytes()), Some(format));
        let plan = planned(snapshot, &text);
        assert_eq!(
            (plan.refused.as_slice(), plan.changes.len()),
            (&[] as &[_], 0),
            "{format:?}: {:?}",
            plan.changes.first()
        );
        assert!(plan.unchanged > least, "{format:?}: only {}", plan.unchanged);
    }
}

#[test]
fn an_edited_cell_is_a_change_of_that_card_by_an_operator() {
    let before = built_in();
    let text = exported::<Prices>(before, &PriceQuery::default());
    let edited: Vec<String> = text
        .lines()
        .map(|line| {
            let it = line.contains(",groq/llama-3.3-70b-versatile,input_tokens,");
            if it { line.replacen(",0.59,", ",0.64,", 1) } else { line.to_owned() }
        })
        .collect();
    let plan = planned(before, &edited.join("\n"));
    assert_eq!((plan.changes.len(), plan.changes[0].action), (1, Action::Changed));
    let difference = &plan.changes[0].differences[0];
    assert_eq!((difference.field.as_str(), difference.new.as_deref()), ("rates.input_tokens", Some("0.64")));
    let snapshot = gone_in(before, &plan, "key:ops");
    let feed = r#"{"groq/llama-3.3-70b-versatile": {"litellm_provider": "groq", "mode": "chat", "input_cost_per_token": 5.9e-07}}"#;
    assert_eq!(planned(&snapshot, feed).kept[0].because, "written by `key:ops`");
}

#[test]
fn an_edited_purchase_price_replaces_the_row_it_was_exported_from() {
    let before = built_in();
    let text = exported::<GpuPrices>(before, &GpuPriceQuery::default());
    let line =
        text.lines().find(|line| line.contains(",purchase,") && line.contains("gpu_purchase:")).unwrap();
    let old = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(line.as_bytes())
        .records()
        .next()
        .unwrap()
        .unwrap();
    let price = &old[7];
    let text =
        format!("{}\n{}", text.lines().next().unwrap(), line.replacen(&format!(",{price},"), ",1234.5,", 1));
    let plan = planned(before, &text);
    let change = &plan.changes[0];
    assert_eq!((plan.changes.len(), change.action, change.edits.remove.len()), (1, Action::Changed, 1));
}

#[test]
fn lines_of_the_catalogs_files_come_in_as_the_rows_that_they_are() {
    let before = built_in();
    let mut card = tables(before)
        .rate_cards
        .into_iter()
        .find(|card| card.offering.as_str() == "groq/llama-3.3-70b-versatile")
        .unwrap();
    let line = to_line(&card).unwrap();
    assert_eq!(recognise(line.as_bytes()), Some(Format::CatalogLines));
    assert_eq!(planned(before, &line).unchanged, 1);
    card.rates.values_mut().next().unwrap().amount = "590".parse().unwrap();
    let plan = planned(before, &to_line(&card).unwrap());
    assert_eq!(plan.changes[0].pending[0].gate, Gate::UnitSlip);
}

#[test]
fn a_faulty_line_of_a_sheet_is_refused_and_the_others_go_on() {
    let header =
        "SkuId,SkuMeter,SkuPriceDetails,PricingCurrency,PricingCurrencyListUnitPrice,x_ObservedAt,x_Source";
    let lines = [
        "groq/new,input_tokens,,USD,free,2026-11-24,",
        "groq/gemma-7b-it,input_tokens,,USD,0.06,2026-11-24,https://groq.example",
        "groq/gemma-7b-it,input_tokens,,USD,0.07,2026-11-24,https://groq.example",
        "groq/gemma-7b-it,output_tokens,\"{\"\"x_Colour\"\": \"\"red\"\"}\",USD,0.07,2026-11-24,",
        "groq/gemma-7b-it,output_tokens,,USD,0.07,24.11.2026,",
    ];
    let plan = planned(built_in(), &format!("{header}\n{}\n", lines.join("\n")));
    let places: Vec<&str> = plan.refused.iter().map(|refusal| refusal.place.as_str()).collect();
    assert_eq!(places, ["line 2", "line 4", "line 5", "line 6"]);
    assert_eq!(plan.changes.len(), 1);
}
