//! Every name leads to a row, and to one only.

use std::collections::{HashMap, HashSet};

use jiff::tz::TimeZone;

use super::Findings;
use crate::catalog::{
    ids::{GpuId, MeterId, ModelId, ProviderId, RevisionNumber},
    meter_table::{MeterTableError, MeterTables},
    model::Model,
    offering::Offering,
    rate_card::RateCard,
    rows::{Row, Tables, Versioned},
};

pub(super) fn check(tables: &Tables, findings: &mut Findings) {
    let known = Known::of(tables);
    for provider in &tables.providers {
        if let Some(vendor) = &provider.same_vendor_as {
            known.provider(provider, vendor, findings);
            findings.unless(*vendor != provider.id, provider, || "is the same vendor as itself".to_owned());
        }
    }
    for calendar in &tables.calendars {
        time_zone(calendar, &calendar.time_zone, findings);
    }
    for offering in &tables.offerings {
        known.check_offering(offering, findings);
    }
    for card in &tables.rate_cards {
        known.check_card(card, findings);
    }
    for modifier in &tables.modifiers {
        known.offering(modifier, modifier.offering.as_str(), findings);
        findings.unless(!modifier.meters.is_empty(), modifier, || "acts on no meter".to_owned());
        modifier.meters.iter().for_each(|meter| known.meter(modifier, meter, findings));
    }
    for rental in &tables.gpu_rentals {
        known.provider(rental, &rental.provider, findings);
        known.gpu(rental, &rental.gpu, findings);
    }
    for price in &tables.gpu_purchases {
        known.gpu(price, &price.gpu, findings);
    }
    for run in &tables.published_runs {
        known.measured(run, run.model.as_ref(), run.gpu.as_ref(), findings);
    }
    for speed in &tables.published_throughputs {
        known.measured(speed, speed.model.as_ref(), speed.gpu.as_ref(), findings);
    }
    meters_nest(tables, findings);
    model_aliases(&tables.models, findings);
    offering_aliases(&tables.offerings, findings);
}

/// The names there are.
struct Known<'t> {
    providers: HashSet<&'t str>,
    meters: HashSet<&'t str>,
    calendars: HashSet<&'t str>,
    models: HashSet<&'t str>,
    offerings: HashSet<&'t str>,
    gpus: HashSet<&'t str>,
}

impl<'t> Known<'t> {
    fn of(tables: &'t Tables) -> Self {
        Self {
            providers: tables.providers.iter().map(|row| row.id.as_str()).collect(),
            meters: tables.meters.iter().map(|row| row.id.as_str()).collect(),
            calendars: tables.calendars.iter().map(|row| row.id.as_str()).collect(),
            models: tables.models.iter().map(|row| row.id.as_str()).collect(),
            offerings: tables.offerings.iter().map(|row| row.id.as_str()).collect(),
            gpus: tables.gpus.iter().map(|row| row.id.as_str()).collect(),
        }
    }

    fn provider(&self, row: &impl Row, id: &ProviderId, findings: &mut Findings) {
        names(row, "provider", &self.providers, id.as_str(), findings);
    }

    fn meter(&self, row: &impl Row, id: &MeterId, findings: &mut Findings) {
        names(row, "meter", &self.meters, id.as_str(), findings);
    }

    fn offering(&self, row: &impl Row, id: &str, findings: &mut Findings) {
        names(row, "offering", &self.offerings, id, findings);
    }

    fn gpu(&self, row: &impl Row, id: &GpuId, findings: &mut Findings) {
        names(row, "gpu", &self.gpus, id.as_str(), findings);
    }

    fn model(&self, row: &impl Row, id: &ModelId, findings: &mut Findings) {
        names(row, "model", &self.models, id.as_str(), findings);
    }

    /// What somebody measured names a model and an accelerator that exist, where it names any.
    fn measured(
        &self,
        row: &impl Row,
        model: Option<&ModelId>,
        gpu: Option<&GpuId>,
        findings: &mut Findings,
    ) {
        if let Some(model) = model {
            self.model(row, model, findings);
        }
        if let Some(gpu) = gpu {
            self.gpu(row, gpu, findings);
        }
    }

    fn check_offering(&self, offering: &Offering, findings: &mut Findings) {
        let Offering { id, provider, name, .. } = offering;
        self.provider(offering, provider, findings);
        if let Some(model) = &offering.model {
            self.model(offering, model, findings);
        }
        let expected = format!("{provider}/{name}");
        findings.unless(id.as_str() == expected, offering, || format!("should have the id `{expected}`"));
    }

    fn check_card(&self, card: &RateCard, findings: &mut Findings) {
        self.offering(card, card.offering.as_str(), findings);
        let meters = card.rates.keys().chain(&card.inherited);
        meters.for_each(|meter| self.meter(card, meter, findings));
        if let Some(window) = &card.conditions.window {
            time_zone(card, &window.time_zone, findings);
            if let Some(calendar) = &window.except {
                names(card, "calendar", &self.calendars, calendar.as_str(), findings);
            }
        }
    }
}

fn names(row: &impl Row, what: &str, known: &HashSet<&str>, name: &str, findings: &mut Findings) {
    findings.unless(known.contains(name), row, || format!("names {what} `{name}`, which does not exist"));
}

fn time_zone(row: &impl Row, name: &str, findings: &mut Findings) {
    let known = TimeZone::get(name).is_ok();
    findings.unless(known, row, || format!("names time zone `{name}`, which does not exist"));
}

/// `part_of` leads to meters and never in a circle, and there are not too many.
fn meters_nest(tables: &Tables, findings: &mut Findings) {
    let rows: Vec<_> = (1..)
        .zip(&tables.meters)
        .map(|(id, row)| Versioned { id, introduced: RevisionNumber(1), superseded: None, row: row.clone() })
        .collect();
    let Err(error) = MeterTables::new(&rows) else {
        return;
    };
    let culprit = match &error {
        MeterTableError::UnknownWhole { meter, .. } | MeterTableError::Circular(meter) => {
            tables.meters.iter().find(|row| row.id.as_str() == meter)
        }
        MeterTableError::TooMany => tables.meters.last(),
    };
    if let Some(meter) = culprit {
        findings.note(meter, format!("does not fit: {error}"));
    }
}

/// An alias is nobody's own name, and names one model.
fn model_aliases(models: &[Model], findings: &mut Findings) {
    let own: HashSet<&str> = models.iter().map(|model| model.id.as_str()).collect();
    let mut taken: HashMap<&str, &Model> = HashMap::new();
    for model in models {
        for alias in model.aliases.iter().map(String::as_str) {
            let hides = own.contains(alias);
            findings
                .unless(!hides, model, || format!("has the alias `{alias}`, which is a model's own name"));
            if let Some(other) = taken.insert(alias, model) {
                findings.note(model, format!("has the alias `{alias}`, as `{}` has", other.id));
            }
        }
    }
}

/// An alias hides no other name of its provider, and names one offering there.
fn offering_aliases(offerings: &[Offering], findings: &mut Findings) {
    let own: HashSet<(&str, &str)> =
        offerings.iter().map(|row| (row.provider.as_str(), row.name.as_str())).collect();
    let mut taken: HashMap<(&str, &str), &Offering> = HashMap::new();
    for offering in offerings {
        for alias in offering.aliases.iter().map(String::as_str) {
            let name = (offering.provider.as_str(), alias);
            let hides = own.contains(&name);
            findings.unless(!hides, offering, || {
                format!("has the alias `{alias}`, which is an offering's own name")
            });
            if let Some(other) = taken.insert(name, offering) {
                findings.note(offering, format!("has the alias `{alias}`, as `{}` has", other.id));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::testing::*;
    use crate::catalog::{meter::Meter, rate_card::Rate};

    /// The endings of the findings that say that something does not exist.
    fn dangling(fault: impl FnOnce(&mut crate::catalog::rows::Tables)) -> Vec<String> {
        planted(fault)
            .into_iter()
            .filter_map(|finding| finding.split_once(" names ").map(|(_, end)| end.to_owned()))
            .collect()
    }

    #[test]
    fn the_vendor_of_a_provider_must_exist() {
        let found = dangling(|tables| tables.providers[0].same_vendor_as = Some("nobody".into()));
        assert_eq!(found, ["provider `nobody`, which does not exist"]);
    }

    #[test]
    fn a_provider_is_not_the_same_vendor_as_itself() {
        let found = planted(|tables| tables.providers[0].same_vendor_as = Some("acme".into()));
        assert_eq!(found, ["provider `acme` is the same vendor as itself"]);
    }

    #[test]
    fn the_provider_of_an_offering_must_exist() {
        let found = dangling(|tables| tables.offerings[0].provider = "nobody".into());
        assert_eq!(found, ["provider `nobody`, which does not exist"]);
    }

    #[test]
    fn the_model_of_an_offering_must_exist() {
        let found = dangling(|tables| tables.offerings[0].model = Some("zero".into()));
        assert_eq!(found, ["model `zero`, which does not exist"]);
    }

    #[test]
    fn an_offerings_id_is_its_provider_and_its_name() {
        let found = planted(|tables| tables.offerings[1].name = "zwei".to_owned());
        assert_eq!(found, ["offering `acme/two` should have the id `acme/zwei`"]);
    }

    #[test]
    fn the_model_and_the_accelerator_of_what_was_measured_must_exist() {
        let found = dangling(|tables| {
            tables.published_runs[0].gpu = Some("abacus".into());
            tables.published_throughputs[0].model = Some("zero".into());
        });
        assert_eq!(found, ["gpu `abacus`, which does not exist", "model `zero`, which does not exist"]);
    }

    #[test]
    fn the_offering_of_a_card_must_exist() {
        let found = dangling(|tables| tables.rate_cards[0].offering = "acme/three".into());
        assert_eq!(found, ["offering `acme/three`, which does not exist"]);
    }

    #[test]
    fn the_meters_of_a_card_must_exist() {
        let rate = Rate { amount: 1.into(), per: None, min_quantity: None };
        let found = dangling(|tables| {
            tables.rate_cards[0].rates.insert("smiles".into(), rate);
            tables.rate_cards[1].inherited.push("frowns".into());
        });
        assert_eq!(found, ["meter `smiles`, which does not exist", "meter `frowns`, which does not exist"]);
    }

    #[test]
    fn the_time_zone_and_the_calendar_of_a_window_must_exist() {
        let found = dangling(|tables| {
            let window = tables.rate_cards[1].conditions.window.as_mut().unwrap();
            window.time_zone = "Asia/Atlantis".to_owned();
            window.except = Some("moon".into());
        });
        assert_eq!(
            found,
            ["time zone `Asia/Atlantis`, which does not exist", "calendar `moon`, which does not exist"]
        );
    }

    #[test]
    fn the_time_zone_of_a_calendar_must_exist() {
        let found = dangling(|tables| tables.calendars[0].time_zone = "Asia/Atlantis".to_owned());
        assert_eq!(found, ["time zone `Asia/Atlantis`, which does not exist"]);
    }

    #[test]
    fn the_offering_and_the_meters_of_a_modifier_must_exist() {
        let found = dangling(|tables| {
            tables.modifiers[0].offering = "acme/three".into();
            tables.modifiers[0].meters.push("smiles".into());
        });
        assert_eq!(
            found,
            ["offering `acme/three`, which does not exist", "meter `smiles`, which does not exist"]
        );
    }

    #[test]
    fn a_modifier_acts_on_something() {
        let found = planted(|tables| tables.modifiers[0].meters.clear());
        assert_eq!(found, [r#"modifier `acme/one - {"residency":"eu"}` acts on no meter"#]);
    }

    #[test]
    fn the_provider_and_the_gpu_of_a_rental_must_exist() {
        let found = dangling(|tables| {
            tables.gpu_rentals[0].provider = "nobody".into();
            tables.gpu_rentals[0].gpu = "h900".into();
        });
        assert_eq!(found, ["provider `nobody`, which does not exist", "gpu `h900`, which does not exist"]);
    }

    #[test]
    fn the_gpu_of_a_purchase_must_exist() {
        let found = dangling(|tables| tables.gpu_purchases[0].gpu = "h900".into());
        assert_eq!(found, ["gpu `h900`, which does not exist"]);
    }

    #[test]
    fn the_whole_of_a_meter_must_exist() {
        let found = planted(|tables| tables.meters[1].part_of = vec!["smiles".into()]);
        assert!(found[0].ends_with("is part of `smiles`, which does not exist"), "{found:?}");
    }

    #[test]
    fn a_meter_is_not_part_of_itself() {
        let found = planted(|tables| tables.meters[0].part_of = vec!["cache_read_tokens".into()]);
        assert!(found[0].ends_with("is part of itself"), "{found:?}");
    }

    #[test]
    fn more_meters_than_a_set_holds_are_found() {
        let meter = |n: usize| -> Meter {
            row(json!({"id": format!("m{n}"), "name": "m", "unit": "token", "per": "1", "description": "m"}))
        };
        let found = planted(|tables| tables.meters.extend((0..127).map(meter)));
        assert_eq!(found, ["meter `m126` does not fit: more than 64 meters"]);
    }

    #[test]
    fn an_alias_of_a_model_is_nobodys_own_name() {
        let found = planted(|tables| tables.models[0].aliases.push("one".to_owned()));
        assert_eq!(found, ["model `one` has the alias `one`, which is a model's own name"]);
    }

    #[test]
    fn an_alias_names_one_model() {
        let found = planted(|tables| {
            tables.models.push(row(json!({"id": "two", "name": "2", "aliases": ["uno"]})));
        });
        assert_eq!(found, ["model `two` has the alias `uno`, as `one` has"]);
    }

    #[test]
    fn an_alias_of_an_offering_hides_no_other_name_of_its_provider() {
        let found = planted(|tables| tables.offerings[0].aliases.push("two".to_owned()));
        assert_eq!(found, ["offering `acme/one` has the alias `two`, which is an offering's own name"]);
    }

    #[test]
    fn an_alias_names_one_offering_of_a_provider() {
        let found = planted(|tables| tables.offerings[1].aliases.push("one-latest".to_owned()));
        assert_eq!(found, ["offering `acme/two` has the alias `one-latest`, as `acme/one` has"]);
    }
}
