//! A request with places left open: priced with one value after the other in them.

use jiff::Timestamp;

use super::place::{Place, Template};
use crate::{
    catalog::snapshot::Snapshot,
    estimate::{
        self,
        fault::Fault,
        quote::Quote,
        request::{Detail, EstimateRequest},
        uncertain::Sampler,
    },
};

/// A request with open places, and what every one that it becomes is priced with: one catalog, one time.
#[derive(Debug)]
pub struct OpenRequest<'s> {
    template: Template,
    snapshot: &'s Snapshot,
    now: Timestamp,
    detail: Detail,
    /// What stands in place of the request's own currency.
    currency: Option<Box<str>>,
    /// The text of the request, written anew for each.
    text: Vec<u8>,
}

impl<'s> OpenRequest<'s> {
    /// Opens places of a request; whatever detail it asks for, quotes come with `detail`.
    ///
    /// # Errors
    /// When one place lies in another: the index of the one.
    pub fn new(
        text: &str,
        places: &[Place<'_>],
        snapshot: &'s Snapshot,
        now: Timestamp,
        detail: Detail,
    ) -> Result<Self, usize> {
        let template = Template::new(text, places)?;
        let text = Vec::with_capacity(text.len() + 32);
        Ok(Self { template, snapshot, now, detail, currency: None, text })
    }

    /// Wants all answers in a currency, whatever the request says.
    pub fn set_currency(&mut self, currency: &str) {
        self.currency = Some(currency.into());
    }

    /// How much of an answer is wanted from here on.
    pub fn set_detail(&mut self, detail: Detail) {
        self.detail = detail;
    }

    /// The request with these values.
    ///
    /// # Errors
    /// When they make it something else than JSON.
    pub fn request(&mut self, values: &[&str]) -> Result<EstimateRequest, Vec<Fault>> {
        self.template.fill(values, &mut self.text);
        let mut request = EstimateRequest::parse(&self.text).map_err(|not_json| {
            let detail = not_json.to_string();
            vec![Fault::new("", estimate::fault::FaultKind::wrong_type(detail))]
        })?;
        request.detail = self.detail;
        if self.currency.is_some() {
            request.currency.clone_from(&self.currency);
        }
        Ok(request)
    }

    /// Prices the request with these values and reads from the quote what is wanted.
    ///
    /// # Errors
    /// Every fault of the request with these values.
    pub fn price<T>(
        &mut self,
        values: &[&str],
        read: impl FnOnce(&EstimateRequest, Quote<'_>) -> T,
    ) -> Result<T, Vec<Fault>> {
        self.price_among(&mut Sampler::default(), values, |request, quote, _| read(request, quote))
    }

    /// The same among other requests: what they rest on alike, they have alike in every world.
    ///
    /// # Errors
    /// Every fault of the request with these values.
    pub(crate) fn price_among<T>(
        &mut self,
        sampler: &mut Sampler,
        values: &[&str],
        read: impl FnOnce(&EstimateRequest, Quote<'_>, &mut Sampler) -> T,
    ) -> Result<T, Vec<Fault>> {
        let request = self.request(values)?;
        let quote = estimate::estimate_among(&request, self.snapshot, self.now, sampler)?;
        Ok(read(&request, quote, sampler))
    }
}
