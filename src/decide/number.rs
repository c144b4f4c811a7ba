//! A request with one number open: which numbers may stand there, and what the request costs with each.

use jiff::Timestamp;

use super::{
    edge::Domain,
    open::OpenRequest,
    place::{self, Pointer, Spelling},
};
use crate::{
    catalog::snapshot::Snapshot,
    estimate::{
        fault::{Fault, FaultKind},
        quote::Quote,
        request::{Detail, EstimateRequest},
        uncertain::Sampler,
    },
};

/// A request and the place of its open number.
#[derive(Debug)]
pub struct OpenNumber<'q, 's> {
    open: OpenRequest<'s>,
    spelling: Spelling,
    pointer: &'q str,
    quoted: String,
}

impl<'q, 's> OpenNumber<'q, 's> {
    /// Opens the number that a pointer leads to.
    ///
    /// # Errors
    /// When it leads nowhere, or to something else.
    pub fn new(
        text: &str,
        pointer: &'q str,
        snapshot: &'s Snapshot,
        now: Timestamp,
        detail: Detail,
    ) -> Result<Self, FaultKind> {
        let place = place::find(text, &Pointer::parse(pointer)?)?;
        let spelling = place.spelling()?;
        let nowhere = |_| FaultKind::wrong_type("leads nowhere");
        let open = OpenRequest::new(text, &[place], snapshot, now, detail).map_err(nowhere)?;
        Ok(Self { open, spelling, pointer, quoted: String::new() })
    }

    /// Wants all answers in a currency, whatever the request says.
    pub fn set_currency(&mut self, currency: &str) {
        self.open.set_currency(currency);
    }

    /// Where the number stands in the request.
    #[must_use]
    pub fn pointer(&self) -> &'q str {
        self.pointer
    }

    /// Whether the place takes 1 and neither a half nor one and a half.
    pub fn takes_whole_numbers(&mut self) -> bool {
        let pointer = self.pointer;
        let mut takes = |value: &str| {
            let request = self.open.request(&[value]);
            request.is_ok_and(|request| !request.faults.iter().any(|fault| fault.pointer == pointer))
        };
        takes("1") && !takes("0.5") && !takes("1.5")
    }

    /// The numbers that the place takes.
    pub fn domain(&mut self) -> Domain {
        if self.takes_whole_numbers() { Domain::Whole } else { Domain::Real }
    }

    /// Prices the request with a number, as JSON spells it, and reads from the quote what is wanted.
    ///
    /// # Errors
    /// Every fault of the request with this number.
    pub fn price<T>(
        &mut self,
        value: &str,
        read: impl FnOnce(&EstimateRequest, Quote<'_>) -> T,
    ) -> Result<T, Vec<Fault>> {
        self.price_among(&mut Sampler::default(), value, |request, quote, _| read(request, quote))
    }

    /// The same among other requests: what they rest on alike, they have alike in every world.
    ///
    /// # Errors
    /// Every fault of the request with this number.
    pub(crate) fn price_among<T>(
        &mut self,
        sampler: &mut Sampler,
        value: &str,
        read: impl FnOnce(&EstimateRequest, Quote<'_>, &mut Sampler) -> T,
    ) -> Result<T, Vec<Fault>> {
        let text = match self.spelling {
            Spelling::Number => value,
            Spelling::Text => {
                self.quoted.clear();
                self.quoted.extend(["\"", value, "\""]);
                &self.quoted
            }
        };
        self.open.price_among(sampler, &[text], read)
    }
}
