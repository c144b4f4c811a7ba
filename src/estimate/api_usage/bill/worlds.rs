//! What is charged in every world, where counts have a range.

use super::{
    super::{Pricer, lines::Price, split::paying},
    load::{Spread, number},
};
use crate::{catalog::meter_table::MeterIndex, estimate::uncertain::Uncertain};

impl Pricer<'_, '_> {
    /// The quantities that the meters pay for over all calls, in every world: each count less its parts, and nothing
    /// where they are more than it.
    pub(super) fn charged_worlds(&self, spread: &Spread) -> Vec<(MeterIndex, Uncertain)> {
        let (meters, priced) = (self.scope.view.meters, self.priced());
        let mut alone: Vec<(MeterIndex, Uncertain)> = Vec::new();
        let mut charged: Vec<(MeterIndex, Uncertain)> = Vec::new();
        for &meter in meters.parts_first() {
            if !self.asked.counts.given().contains(meter) {
                continue;
            }
            let parts = meters.parts(meter);
            let in_parts =
                Uncertain::sum(alone.iter().filter(|(part, _)| parts.contains(*part)).map(|(_, rest)| rest));
            let rest =
                self.count_in_worlds(meter, spread).with(&in_parts, |count, parts| (count - parts).max(0.0));
            if let Some(pays) = paying(meter, priced, meters) {
                match charged.iter_mut().find(|(known, _)| *known == pays) {
                    Some((_, sum)) => *sum = &*sum + &rest,
                    None => charged.push((pays, rest.clone())),
                }
            }
            alone.push((meter, rest));
        }
        charged
    }

    fn count_in_worlds(&self, meter: MeterIndex, spread: &Spread) -> Uncertain {
        if let Some((_, drawn)) = spread.counts.iter().find(|(known, _)| *known == meter) {
            return drawn.clone();
        }
        if !spread.low.counts.given().contains(meter) {
            return spread.of_calls.clone(); // requests, of which nobody says anything: one for each call
        }
        Uncertain::exact(number(self.asked.counts.get(meter)))
    }
}

/// The quantity over all calls, no less than the vendor charges for each.
pub(super) fn over_all_calls(charged: &Uncertain, price: Price<'_>, spread: &Spread) -> Uncertain {
    let used = charged * &spread.times;
    let least = price.least_per_call();
    if least == 0 {
        return used;
    }
    let floor = (&spread.of_calls * &spread.times).times(number(least));
    used.with(&floor, |used, floor| if used > 0.0 { used.max(floor) } else { used })
}
