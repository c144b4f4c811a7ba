//! What is paid for and not used: the rest of whole machines, and of whole terms.

use std::borrow::Cow;

use super::{asked::Asked, metrics::Work};
use crate::estimate::{
    desk::{Desk, Sourced},
    draft::{Draft, Priced},
    hardware::{
        hour::Hour,
        rental::{billed_gpus, whole_terms},
    },
    uncertain::Uncertain,
};

/// Replicas of one size: how many accelerators each has, and how many of them there are.
pub(super) type Sized = (f64, Uncertain);

impl<'a> Desk<'a, '_> {
    /// The line of hours that idle: `(billed_gpus·paid_hours - gpus·hours)·price`.
    ///
    /// Machines are those that the catalog's price is for. Where `hours` are given, they are paid in whole terms of a
    /// reservation; a month of a longer stay has no end to round up to.
    pub(super) fn idle_line(
        &mut self,
        asked: &Asked,
        hour: &Hour<'a>,
        sizes: &[Sized],
        work: &Work,
        used: &Uncertain,
    ) -> Option<Priced<'a>> {
        let rented = hour.rented.as_ref()?;
        let term = rented.term_hours().filter(|_| asked.whole_stay);
        let paid = asked.hours.map(|hours| term.map_or(hours, |term| whole_terms(hours, term)));
        let machine = rented.instance_gpus;
        let billed: Vec<Uncertain> = sizes
            .iter()
            .map(|(gpus, replicas)| replicas.map(|replicas| billed_gpus(machine, *gpus, replicas)))
            .collect();
        let billed = &Uncertain::sum(&billed) * &paid;
        // A part of a millionth is the noise of products.
        let idle =
            billed.with(used, |billed, used| if billed > used * (1.0 + 1e-9) { billed - used } else { 0.0 });
        let draft = Draft {
            code: "idle",
            description: Cow::Borrowed("hours of whole machines and terms that are paid for and not used"),
            quantity: idle,
            unit: "gpu_hour",
            price: hour.price.clone(),
            refs: hour.refs.clone(),
            formula: Cow::Borrowed("(billed_gpu_hours - gpus * hours) * price_per_gpu_hour"),
            inputs: vec![
                ("billed_gpu_hours", Sourced::derived(billed, "gpu_hour")),
                ("gpus", Sourced::derived(work.gpus.clone(), "gpu")),
                ("hours", Sourced::given(asked.hours.clone(), "hour")),
                ("price_per_gpu_hour", hour.input.clone()),
            ],
        };
        self.price(draft, "/hardware")
    }
}
