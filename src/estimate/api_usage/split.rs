//! Nested counts split into what is charged: each unit once, at the price of the innermost meter that has one.
//!
//! A count contains the counts of its parts: of 12,000 `input_tokens`, 4,000 may be `cache_read_tokens`.
//! [`split`] takes every reported part off its wholes and charges it as itself, or, without a price of its
//! own, as its whole.

use crate::{
    catalog::meter_table::{MeterIndex, MeterSet, MeterTable},
    estimate::fault::FaultKind,
};

/// Counts by meter.
#[derive(Debug, Clone)]
pub struct Counts {
    given: MeterSet,
    counts: [u64; MeterSet::CAPACITY],
}

impl Default for Counts {
    fn default() -> Self {
        Self { given: MeterSet::default(), counts: [0; MeterSet::CAPACITY] }
    }
}

impl Counts {
    /// Sets a meter's count.
    pub fn set(&mut self, meter: MeterIndex, count: u64) {
        self.given.insert(meter);
        self.counts[meter.position()] = count;
    }

    /// A meter's count; 0 where none was set.
    #[must_use]
    pub fn get(&self, meter: MeterIndex) -> u64 {
        self.counts[meter.position()]
    }

    /// The meters whose count was set.
    #[must_use]
    pub fn given(&self) -> MeterSet {
        self.given
    }

    /// Forgets a meter's count.
    pub fn clear(&mut self, meter: MeterIndex) {
        self.given.remove(meter);
        self.counts[meter.position()] = 0;
    }
}

/// What is charged, and what cannot be.
#[derive(Debug, Clone, Default)]
pub struct Charges {
    /// Quantity by the meter that prices it.
    pub charged: Counts,
    /// Used, and priced neither by itself nor by any whole.
    pub unpriced: MeterSet,
    /// Parts of two wholes without a price of their own, and the whole that each was charged as.
    pub chosen: Vec<(MeterIndex, MeterIndex)>,
}

/// Charges every unit once.
///
/// # Errors
/// A part without its whole, a part larger than its whole, or parts that together exceed it; each with the
/// meter at fault.
pub fn split(
    counts: &Counts,
    priced: MeterSet,
    meters: &MeterTable,
) -> Result<Charges, Vec<(MeterIndex, FaultKind)>> {
    let faults: Vec<_> = counts.given.iter().filter_map(|part| misfit(counts, part, meters)).collect();
    if !faults.is_empty() {
        return Err(faults);
    }
    let mut alone = [0_u64; MeterSet::CAPACITY]; // each count less those of its parts
    let mut charges = Charges::default();
    for &meter in meters.parts_first() {
        if !counts.given.contains(meter) {
            continue;
        }
        let parts = meters.parts(meter).intersection(counts.given);
        let in_parts: u64 = parts.iter().map(|part| alone[part.position()]).sum();
        let Some(rest) = counts.get(meter).checked_sub(in_parts) else {
            return Err(vec![(meter, overfull(counts, meter, parts, meters))]);
        };
        alone[meter.position()] = rest;
        if rest > 0 {
            charge(&mut charges, meter, rest, priced, meters);
        }
    }
    Ok(charges)
}

fn charge(charges: &mut Charges, meter: MeterIndex, quantity: u64, priced: MeterSet, meters: &MeterTable) {
    let Some(pays) = paying(meter, priced, meters) else {
        charges.unpriced.insert(meter);
        return;
    };
    if pays != meter && meters.wholes(meter).len() > 1 {
        charges.chosen.push((meter, pays));
    }
    charges.charged.set(pays, charges.charged.get(pays) + quantity);
}

/// The meter whose price a unit pays: its own, or else the first of its wholes' that has one, or else one of
/// their wholes'.
pub(super) fn paying(meter: MeterIndex, priced: MeterSet, meters: &MeterTable) -> Option<MeterIndex> {
    if priced.contains(meter) {
        return Some(meter);
    }
    let wholes = meters.wholes(meter);
    let nearest = wholes.iter().copied().find(|whole| priced.contains(*whole));
    nearest.or_else(|| wholes.iter().find_map(|whole| paying(*whole, priced, meters)))
}

/// What is wrong between a part and its wholes.
fn misfit(counts: &Counts, part: MeterIndex, meters: &MeterTable) -> Option<(MeterIndex, FaultKind)> {
    let count = counts.get(part);
    if count == 0 {
        return None;
    }
    let id = |meter| meters.get(meter).id.to_string();
    meters.wholes(part).iter().find_map(|&whole| {
        if !counts.given.contains(whole) {
            return Some((part, FaultKind::PartWithoutWhole { part: id(part), whole: id(whole) }));
        }
        let most = counts.get(whole);
        let detail =
            || format!("{count} `{}` are more than the {most} `{}` that contain them", id(part), id(whole));
        (count > most).then(|| (part, FaultKind::PartExceedsWhole { detail: detail() }))
    })
}

fn overfull(counts: &Counts, whole: MeterIndex, parts: MeterSet, meters: &MeterTable) -> FaultKind {
    let names: Vec<String> = parts.iter().map(|part| format!("`{}`", meters.get(part).id)).collect();
    let detail = format!(
        "{} together are more than the {} `{}` that contain them",
        names.join(", "),
        counts.get(whole),
        meters.get(whole).id
    );
    FaultKind::PartExceedsWhole { detail }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::catalog::meter::Meter;

    const WHOLES: [(&str, &[&str]); 7] = [
        ("input_tokens", &[]),
        ("cache_read_tokens", &["input_tokens"]),
        ("cache_write_tokens", &["input_tokens"]),
        ("cache_write_1h_tokens", &["cache_write_tokens"]),
        ("input_audio_tokens", &["input_tokens"]),
        ("cache_read_audio_tokens", &["cache_read_tokens", "input_audio_tokens"]),
        ("output_tokens", &[]),
    ];

    fn meters() -> MeterTable {
        let meter = |(id, part_of): &(&str, &[&str])| Meter {
            id: (*id).into(),
            name: (*id).to_owned(),
            unit: "token".to_owned(),
            per: 1_000_000.into(),
            part_of: part_of.iter().map(|whole| (*whole).into()).collect(),
            description: String::new(),
            source: None,
            observed_at: jiff::civil::date(2026, 11, 24),
        };
        MeterTable::new(WHOLES.iter().map(meter).collect()).unwrap()
    }

    fn counts(meters: &MeterTable, pairs: &[(&str, u64)]) -> Counts {
        let mut counts = Counts::default();
        for (id, count) in pairs {
            counts.set(meters.find(id).unwrap(), *count);
        }
        counts
    }

    fn charged(given: &[(&str, u64)], priced: &[&str]) -> Vec<(String, u64)> {
        let meters = meters();
        let priced = priced.iter().map(|id| meters.find(id).unwrap()).collect();
        let charges = split(&counts(&meters, given), priced, &meters).unwrap();
        let counts = charges.charged;
        counts.given().iter().map(|meter| (meters.get(meter).id.to_string(), counts.get(meter))).collect()
    }

    fn named(pairs: &[(&str, u64)]) -> Vec<(String, u64)> {
        pairs.iter().map(|(id, count)| ((*id).to_owned(), *count)).collect()
    }

    fn refused(given: &[(&str, u64)]) -> FaultKind {
        let meters = meters();
        split(&counts(&meters, given), MeterSet::default(), &meters).unwrap_err().remove(0).1
    }

    #[test]
    fn a_part_with_a_price_is_taken_off_the_whole() {
        let given = [("input_tokens", 12_000), ("cache_read_tokens", 4_000)];
        assert_eq!(
            charged(&given, &["input_tokens", "cache_read_tokens"]),
            named(&[("input_tokens", 8_000), ("cache_read_tokens", 4_000)])
        );
    }

    #[test]
    fn a_part_without_a_price_is_charged_as_the_whole() {
        let given =
            [("input_tokens", 12_000), ("cache_write_tokens", 4_000), ("cache_write_1h_tokens", 1_000)];
        assert_eq!(charged(&given, &["input_tokens"]), named(&[("input_tokens", 12_000)]));
        assert_eq!(
            charged(&given, &["input_tokens", "cache_write_tokens"]),
            named(&[("input_tokens", 8_000), ("cache_write_tokens", 4_000)])
        );
        assert_eq!(
            charged(&given, &["input_tokens", "cache_write_1h_tokens"]),
            named(&[("input_tokens", 11_000), ("cache_write_1h_tokens", 1_000)])
        );
    }

    #[test]
    fn a_part_of_two_wholes_is_taken_off_both_and_counted_once() {
        let given = [
            ("input_tokens", 1_000),
            ("cache_read_tokens", 400),
            ("input_audio_tokens", 300),
            ("cache_read_audio_tokens", 100),
        ];
        let all = ["input_tokens", "cache_read_tokens", "input_audio_tokens", "cache_read_audio_tokens"];
        assert_eq!(
            charged(&given, &all),
            named(&[
                ("input_tokens", 400),
                ("cache_read_tokens", 300),
                ("input_audio_tokens", 200),
                ("cache_read_audio_tokens", 100)
            ])
        );
        assert_eq!(
            charged(&given, &all[..3]),
            named(&[("input_tokens", 400), ("cache_read_tokens", 400), ("input_audio_tokens", 200)])
        );
    }

    #[test]
    fn overlapping_parts_may_add_up_to_more_than_their_whole() {
        let given = [
            ("input_tokens", 500),
            ("cache_read_tokens", 400),
            ("input_audio_tokens", 300),
            ("cache_read_audio_tokens", 200),
        ];
        assert_eq!(charged(&given, &["input_tokens"]), named(&[("input_tokens", 500)]));
    }

    #[test]
    fn a_whole_that_is_all_parts_needs_no_price() {
        assert_eq!(
            charged(&[("input_tokens", 9), ("cache_read_tokens", 9)], &["cache_read_tokens"]),
            named(&[("cache_read_tokens", 9)])
        );
    }

    #[test]
    fn a_part_of_two_wholes_is_charged_as_the_nearest_that_has_a_price() {
        let given = [
            ("input_tokens", 10),
            ("cache_read_tokens", 4),
            ("input_audio_tokens", 6),
            ("cache_read_audio_tokens", 4),
        ];
        assert_eq!(
            charged(&given, &["input_tokens", "input_audio_tokens"]),
            named(&[("input_tokens", 4), ("input_audio_tokens", 6)])
        );
    }

    #[test]
    fn a_part_fits_in_its_whole_up_to_the_last_token() {
        assert_eq!(
            charged(&[("input_tokens", 10), ("cache_read_tokens", 10)], &["input_tokens"]),
            named(&[("input_tokens", 10)])
        );
        assert!(matches!(
            refused(&[("input_tokens", 10), ("cache_read_tokens", 11)]),
            FaultKind::PartExceedsWhole { .. }
        ));
        assert!(matches!(
            refused(&[("input_tokens", 10), ("cache_read_tokens", 6), ("input_audio_tokens", 5)]),
            FaultKind::PartExceedsWhole { .. }
        ));
        assert!(matches!(refused(&[("cache_read_tokens", 1)]), FaultKind::PartWithoutWhole { .. }));
        assert!(matches!(
            refused(&[("input_tokens", 0), ("cache_read_tokens", 1)]),
            FaultKind::PartExceedsWhole { .. }
        ));
    }

    proptest! {
        #[test]
        fn the_parts_partition_the_whole(read in 0_u64..1_000, write in 0_u64..1_000, hour in 0_u64..1_000, audio in 0_u64..1_000, heard in 0_u64..1_000, rest in 0_u64..1_000, priced in 0_u8..64) {
            let meters = meters();
            let (hour, heard) = (hour.min(write), heard.min(read).min(audio));
            let whole = rest + read + write + audio - heard;
            let given = counts(&meters, &[("input_tokens", whole), ("cache_read_tokens", read), ("cache_write_tokens", write), ("cache_write_1h_tokens", hour), ("input_audio_tokens", audio), ("cache_read_audio_tokens", heard)]);
            let mut set: MeterSet = WHOLES[..6].iter().enumerate().filter(|(at, _)| priced >> at & 1 == 1).map(|(_, (id, _))| meters.find(id).unwrap()).collect();
            set.insert(meters.find("input_tokens").unwrap());
            let charges = split(&given, set, &meters).unwrap();
            let sum: u64 = charges.charged.given().iter().map(|meter| charges.charged.get(meter)).sum();
            prop_assert_eq!(sum, whole);
            prop_assert_eq!(charges.unpriced, MeterSet::default());
        }
    }
}
