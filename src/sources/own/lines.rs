//! Lines of the catalog's own files: one row a line, the table told by the fields.
//!
//! Lines of several tables may stand in one file. A short line of a provider looks like one of a model: it is of the
//! kind that its file has lines of, and refused where that does not settle it.

use serde::de::DeserializeOwned;

use crate::{
    catalog::rows::Row,
    sources::{
        json::Fields,
        observation::{Observation, OwnRow, Reading, Reason},
        row::CatalogRow,
    },
};

type Reader = fn(&str) -> Result<CatalogRow, String>;

fn row<T: DeserializeOwned + Row>(line: &str) -> Result<CatalogRow, String>
where
    CatalogRow: From<T>,
{
    serde_json::from_str::<T>(line).map(CatalogRow::from).map_err(|error| {
        let text = error.to_string();
        format!(
            "no {}: {}",
            T::TABLE,
            text.rsplit_once(" at line ").map_or(text.as_str(), |(problem, _)| problem)
        )
    })
}

/// Tables by fields that only their rows have together.
fn table(fields: &Fields<'_>) -> Option<Reader> {
    use crate::catalog as c;
    let has = |names: &[&str]| names.iter().all(|name| fields.0.iter().any(|(field, _)| field == name));
    let tables: [(&[&str], Reader); 19] = [
        (&["offering", "rates"], row::<c::rate_card::RateCard>),
        (&["offering", "factor"], row::<c::rate_card::Modifier>),
        (&["covers_from", "dates"], row::<c::calendar::Calendar>),
        (&["unit", "per"], row::<c::meter::Meter>),
        (&["low", "mid", "high"], row::<c::assumption::Assumption>),
        (&["price_per_kwh"], row::<c::energy::EnergyPrice>),
        (&["dense_tflops"], row::<c::gpu::Gpu>),
        (&["price_per_gpu_hour", "commitment"], row::<c::gpu::GpuRental>),
        (&["gpu", "amount", "kind"], row::<c::gpu::GpuPurchase>),
        (&["series", "date"], row::<c::gpu::MarketIndex>),
        (&["workload", "model_name"], row::<c::published_throughput::PublishedThroughput>),
        (&["org", "verification"], row::<c::published_run::PublishedRun>),
        (&["request", "title"], row::<c::scenario::Scenario>),
        (&["usd_per_unit"], row::<c::fx::FxRate>),
        (&["id", "provider", "name"], row::<c::offering::Offering>),
        (&["id", "name", "developer"], row::<c::model::Model>),
        (&["id", "name", "architecture"], row::<c::model::Model>),
        (&["id", "name", "pricing_urls"], row::<c::provider::Provider>),
        (&["id", "name", "website"], row::<c::provider::Provider>),
    ];
    tables.into_iter().find(|(names, _)| has(names)).map(|(_, reader)| reader)
}

/// Whether the first line is a row of some table.
pub(in crate::sources) fn is(text: &str) -> bool {
    text.lines().next().and_then(Fields::parse).is_some_and(|fields| table(&fields).is_some())
}

/// Reads the lines.
pub(in crate::sources) fn read(text: &str) -> Reading {
    let mut reading = Reading::default();
    let short = short_lines(text);
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        match parse(line, short) {
            Ok(row) => {
                reading.observations.push(Observation::Row(OwnRow { row, partial: false, stands_for: None }));
            }
            Err(problem) => reading.refuse(&format!("line {number}"), Reason::Malformed, problem),
        }
    }
    reading
}

/// What a short line is: of the one kind, provider or model, that other lines of the file are clearly of.
fn short_lines(text: &str) -> Option<Reader> {
    use crate::catalog as c;
    let (mut providers, mut models) = (false, false);
    for fields in text.lines().filter_map(Fields::parse) {
        let has = |name: &str| fields.0.iter().any(|(field, _)| field == name);
        if has("id") && has("name") && !has("provider") {
            providers |= has("pricing_urls") || has("website");
            models |= has("developer") || has("architecture");
        }
    }
    match (providers, models) {
        (true, false) => Some(row::<c::provider::Provider>),
        (false, true) => Some(row::<c::model::Model>),
        _ => None,
    }
}

fn parse(line: &str, short: Option<Reader>) -> Result<CatalogRow, String> {
    let fields = Fields::parse(line).ok_or("is no JSON object")?;
    let Some(reader) = table(&fields) else {
        // Short lines of providers and of models look alike.
        let (provider, model) =
            (row::<crate::catalog::provider::Provider>(line), row::<crate::catalog::model::Model>(line));
        return match (provider, model) {
            (Ok(row), Err(_)) | (Err(_), Ok(row)) => Ok(row),
            (Ok(_), Ok(_)) => match short {
                Some(reader) => reader(line),
                None => Err("could be a provider or a model: say a `website` or a `developer`".to_owned()),
            },
            (Err(_), Err(_)) => Err("has the fields of no table".to_owned()),
        };
    };
    reader(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::edition::built_in_files;

    /// Every row that ships inside, as its file has it.
    #[test]
    fn every_line_of_the_built_in_catalog_is_read_as_a_row_of_its_table() {
        let mut rows = 0;
        for (path, bytes) in built_in_files().filter(|(path, _)| path.ends_with(".jsonl")) {
            let text = std::str::from_utf8(&bytes).unwrap();
            let reading = read(text);
            assert!(reading.refused.is_empty(), "{path}: {:?}", reading.refused.first());
            for (line, observation) in text.lines().zip(&reading.observations) {
                let Observation::Row(OwnRow { row, .. }) = observation else {
                    panic!("{path}: {observation:?}")
                };
                let stem = row.table().trim_end_matches('y');
                assert!(
                    path.starts_with(stem) || path.starts_with("rate_cards/"),
                    "{path} as {}: {line}",
                    row.table()
                );
            }
            rows += reading.observations.len();
        }
        assert!(rows > 10_000, "only {rows}");
    }

    #[test]
    fn a_line_that_fits_two_tables_or_none_is_refused() {
        let reading = read(concat!(
            "{\"id\": \"acme\", \"name\": \"Acme\", \"source\": null, \"observed_at\": \"2026-11-01\"}\n",
            "{\"colour\": \"red\"}\n",
            "{\"offering\": \"acme/one\", \"rates\": {}, \"colour\": \"red\"}\n",
            "not json\n",
        ));
        let details: Vec<&str> = reading.refused.iter().map(|refusal| refusal.detail.as_str()).collect();
        assert_eq!(details.len(), 4, "{details:?}");
        assert!(details[0].contains("a provider or a model"), "{details:?}");
        assert!(details[2].starts_with("no rate_card: unknown field `colour`"), "{details:?}");
    }
}
