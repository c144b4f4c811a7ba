//! What must hold of a catalog before anybody is quoted from it.
//!
//! [`check`] collects every finding rather than the first: names resolve, prices are within bounds,
//! each row makes sense on its own (`single`, `arithmetic`), and no two cards answer the same question (`ties`).

mod arithmetic;
mod names;
mod prices;
mod single;
mod ties;

use std::{collections::HashSet, fmt};

pub use prices::{UNIT_BOUNDS, UnitBound};

use super::rows::{Row, Tables};

/// Something in the catalog that must not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The table.
    pub table: &'static str,
    /// What makes the row that row.
    pub key: String,
    /// What is wrong with it.
    pub problem: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} `{}` {}", self.table, self.key, self.problem)
    }
}

/// Collects what is wrong.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    /// Notes something about a row.
    fn note(&mut self, row: &impl Row, problem: impl Into<String>) {
        self.0.push(finding(row, problem));
    }

    /// Notes something about a row unless it is as it should be.
    fn unless(&mut self, holds: bool, row: &impl Row, problem: impl FnOnce() -> String) {
        if !holds {
            self.note(row, problem());
        }
    }
}

fn finding<T: Row>(row: &T, problem: impl Into<String>) -> Finding {
    Finding { table: T::TABLE, key: row.key(), problem: problem.into() }
}

/// Everything that is wrong with an edition.
#[must_use]
pub fn check(tables: &Tables) -> Vec<Finding> {
    let mut findings = Findings::default();
    unique_keys(tables, &mut findings);
    single::check(tables, &mut findings);
    arithmetic::check(tables, &mut findings);
    names::check(tables, &mut findings);
    prices::check(tables, &mut findings);
    ties::check(&tables.rate_cards, &mut findings);
    findings.0
}

fn unique_keys(tables: &Tables, findings: &mut Findings) {
    fn table<T: Row>(rows: &[T], findings: &mut Findings) {
        let mut seen = HashSet::new();
        for row in rows {
            findings.unless(seen.insert(row.key()), row, || "is there twice".to_owned());
        }
    }
    let Tables {
        providers,
        meters,
        calendars,
        models,
        offerings,
        rate_cards,
        modifiers,
        fx_rates,
        gpus,
        gpu_rentals,
        gpu_purchases,
        market_index,
        assumptions,
        energy_prices,
        published_runs,
        published_throughputs,
        scenarios,
    } = tables;
    table(providers, findings);
    table(meters, findings);
    table(calendars, findings);
    table(models, findings);
    table(offerings, findings);
    table(rate_cards, findings);
    table(modifiers, findings);
    table(fx_rates, findings);
    table(gpus, findings);
    table(gpu_rentals, findings);
    table(gpu_purchases, findings);
    table(market_index, findings);
    table(assumptions, findings);
    table(energy_prices, findings);
    table(published_runs, findings);
    table(published_throughputs, findings);
    table(scenarios, findings);
}

#[cfg(test)]
mod testing;

#[cfg(test)]
mod tests {
    use super::{testing::*, *};

    #[test]
    fn the_built_in_catalog_has_no_finding() {
        let edition = crate::catalog::edition::built_in().unwrap();
        let findings: Vec<String> = check(&edition.tables).iter().map(ToString::to_string).collect();
        assert_eq!(findings, Vec::<String>::new());
    }

    #[test]
    fn the_small_catalog_in_which_faults_are_planted_has_none_itself() {
        assert_eq!(check(&sound()), []);
    }

    fn twice<T: Clone>(rows: &mut Vec<T>) {
        rows.extend(rows.first().cloned());
    }

    #[test]
    fn a_key_that_stands_twice_is_found_in_every_table() {
        let mut tables = sound();
        twice(&mut tables.providers);
        twice(&mut tables.calendars);
        twice(&mut tables.models);
        twice(&mut tables.offerings);
        twice(&mut tables.rate_cards);
        twice(&mut tables.modifiers);
        twice(&mut tables.fx_rates);
        twice(&mut tables.gpus);
        twice(&mut tables.gpu_rentals);
        twice(&mut tables.gpu_purchases);
        twice(&mut tables.market_index);
        twice(&mut tables.assumptions);
        twice(&mut tables.energy_prices);
        twice(&mut tables.published_runs);
        twice(&mut tables.published_throughputs);
        twice(&mut tables.scenarios);
        twice(&mut tables.meters);
        let found: Vec<&str> = check(&tables)
            .iter()
            .filter(|finding| finding.problem == "is there twice")
            .map(|finding| finding.table)
            .collect();
        let tables = [
            "provider",
            "meter",
            "calendar",
            "model",
            "offering",
            "rate_card",
            "modifier",
            "fx_rate",
            "gpu",
            "gpu_rental",
            "gpu_purchase",
            "market_index",
            "assumption",
            "energy_price",
            "published_run",
            "published_throughput",
            "scenario",
        ];
        assert_eq!(found, tables);
    }
}
