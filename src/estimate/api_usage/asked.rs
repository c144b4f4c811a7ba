//! What a request asks, with every name looked up: the offering, the counts, the context, the instant.

use crate::{
    catalog::{
        meter_table::MeterSet,
        money::Currency,
        names,
        rate_card::{Context, ContextKey, InputPerCall},
        snapshot::{Found, View},
        time::AsOf,
    },
    estimate::{
        api_usage::{
            request::{ApiUsage, UsageScope},
            split::Counts,
        },
        fault::{Fault, FaultKind, pointer},
        object::ByName,
        quote::{Warning, WarningCode},
        tally::Tally,
        usage_from::{self, Reported},
    },
};

/// A price of the caller's own, looked up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Contract {
    pub(super) meter: crate::catalog::meter_table::MeterIndex,
    pub(super) amount: rust_decimal::Decimal,
    pub(super) per: rust_decimal::Decimal,
    pub(super) currency: Currency,
}

/// What counts are sums over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counted {
    /// One call.
    PerCall,
    /// All calls.
    OverAllCalls,
    /// The calls of one conversation.
    PerConversation,
}

/// A request with its names looked up.
#[derive(Debug, Clone)]
pub(super) struct Asked<'s> {
    pub(super) found: Found<'s>,
    pub(super) counts: Counts,
    /// Counts that tell the same thing a second time: dropped where the card does not price them.
    pub(super) alternatives: MeterSet,
    pub(super) contracts: Vec<Contract>,
    pub(super) context: Context,
    /// Context that only a vendor's response states.
    pub(super) reported_keys: Vec<ContextKey>,
    pub(super) at: AsOf,
    /// As the request says: calls, or conversations.
    pub(super) calls: u64,
    pub(super) counted: Counted,
    /// How many calls the counts are sums over.
    pub(super) of_calls: u64,
    /// How many times the counts are used.
    pub(super) times: u64,
    pub(super) input: InputPerCall,
    pub(super) mean_input: bool,
    pub(super) reported: Option<Reported>,
    pub(super) warnings: Vec<Warning>,
}

/// Looks everything up.
///
/// # Errors
/// All faults of meaning that can be seen without a price.
pub(super) fn look_up<'s>(
    item: &ApiUsage,
    base: &str,
    view: View<'s>,
    at: Option<AsOf>,
    now: AsOf,
) -> Result<Asked<'s>, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut warnings = Vec::new();
    let reported = read_response(item, base, &mut faults);
    let model = item.model.as_deref().or(reported.as_ref().and_then(|reported| reported.model.as_deref()));
    let found = match model {
        None if item.usage_from.is_some() && reported.is_none() => None, // a response that cannot be read may name it
        None => {
            faults.push(Fault::new(
                pointer(base, "model"),
                FaultKind::MissingField { name: "model".to_owned() },
            ));
            None
        }
        Some(model) => keep(resolve(view, item.provider.as_deref(), model, base, &mut warnings), &mut faults),
    };
    let counts = counts(item, reported.as_ref(), base, view, &mut faults);
    let contracts = contracts(item, base, view, &mut faults);
    let (context, reported_keys) = context(item, reported.as_ref(), base, &mut faults);
    let calls = item.calls.map_or(1, Tally::mid);
    let (input, mean_input) = input_per_call(item, &counts, calls, view);
    check_calls(item, base, &mut faults);
    if let Some(reported) = &reported {
        warnings.extend(reported.unread.iter().map(|unread| Warning {
            code: WarningCode::UnreadUsage,
            message: "this figure is not one that Farthing knows how to price".to_owned(),
            pointer: format!("{base}/usage_from/response{unread}"),
        }));
    }
    let at = at.or(reported.as_ref().and_then(|reported| reported.at.map(AsOf::from))).unwrap_or(now);
    let alternatives = reported.iter().flat_map(|reported| &reported.alternatives);
    let alternatives = alternatives.filter_map(|id| view.meters.find(id)).collect();
    let (counted, of_calls, times) = match item.usage_scope {
        UsageScope::PerCall => (Counted::PerCall, 1, calls),
        UsageScope::Total => (Counted::OverAllCalls, calls, 1),
    };
    match found {
        Some(found) if faults.is_empty() => Ok(Asked {
            found,
            counts,
            alternatives,
            contracts,
            context,
            reported_keys,
            at,
            calls,
            counted,
            of_calls,
            times,
            input,
            mean_input,
            reported,
            warnings,
        }),
        _ => Err(faults),
    }
}

fn keep<T>(result: Result<T, Fault>, faults: &mut Vec<Fault>) -> Option<T> {
    result.map_err(|fault| faults.push(fault)).ok()
}

fn read_response(item: &ApiUsage, base: &str, faults: &mut Vec<Fault>) -> Option<Reported> {
    match (&item.usage, &item.usage_from) {
        (None, None) if item.conversation.is_some() => None,
        (None, None) => {
            faults.push(Fault::new(
                pointer(base, "usage"),
                FaultKind::MissingField { name: "usage".to_owned() },
            ));
            None
        }
        (Some(_), None) => None,
        (Some(_), Some(_)) => {
            let detail = "`usage` and `usage_from` say the same thing: give one of them".to_owned();
            faults.push(Fault::new(pointer(base, "usage_from"), FaultKind::Contradiction { detail }));
            None
        }
        (None, Some(from)) => match usage_from::read(from.format, &from.response) {
            Ok(reported) => Some(reported),
            Err(found) => {
                let at = |fault: Fault| Fault {
                    pointer: format!("{base}/usage_from/response{}", fault.pointer),
                    ..fault
                };
                faults.extend(found.into_iter().map(at));
                None
            }
        },
    }
}

/// Finds the offering: the provider's, or else the developer's own, or else the only seller's.
fn resolve<'s>(
    view: View<'s>,
    provider: Option<&str>,
    model: &str,
    base: &str,
    warnings: &mut Vec<Warning>,
) -> Result<Found<'s>, Fault> {
    if let Some(provider) = provider {
        return of_provider(view, provider, model, base);
    }
    if let Some((provider, name)) = model.split_once('/')
        && let Some(known) = view.provider(provider)
        && let Some(found) = view.offering(known.id.as_str(), name)
    {
        return Ok(found);
    }
    let sellers = view.sellers(model);
    let mut own = sellers.iter().filter(|seller| seller.offering.first_party);
    match (own.next(), own.next(), sellers.as_slice()) {
        (Some(own), None, _) => Ok(*own),
        (None, _, [only]) => {
            warnings.push(Warning {
                code: WarningCode::ProviderAssumed,
                message: format!("`{}` is the only seller of this name", only.offering.provider),
                pointer: pointer(base, "model"),
            });
            Ok(*only)
        }
        (None, _, []) => {
            let near = view.near_offerings(None, model);
            Err(Fault::new(
                pointer(base, "model"),
                FaultKind::UnknownModel { name: model.to_owned(), provider: None, near },
            ))
        }
        _ => {
            let mut candidates: Vec<String> =
                sellers.iter().map(|seller| seller.offering.id.to_string()).collect();
            candidates.sort_unstable();
            Err(Fault::new(
                pointer(base, "model"),
                FaultKind::AmbiguousModel { name: model.to_owned(), candidates },
            ))
        }
    }
}

fn of_provider<'s>(view: View<'s>, provider: &str, model: &str, base: &str) -> Result<Found<'s>, Fault> {
    let Some(known) = view.provider(provider) else {
        let near = view.near_providers(provider);
        return Err(Fault::new(
            pointer(base, "provider"),
            FaultKind::UnknownProvider { name: provider.to_owned(), near },
        ));
    };
    let id = known.id.as_str();
    let without_prefix = || {
        let (prefix, name) = model.split_once('/')?;
        (view.provider(prefix)?.id == known.id).then(|| view.offering(id, name))?
    };
    view.offering(id, model).or_else(without_prefix).ok_or_else(|| {
        let near = view.near_offerings(Some(id), model);
        let kind = FaultKind::UnknownModel { name: model.to_owned(), provider: Some(id.to_owned()), near };
        Fault::new(pointer(base, "model"), kind)
    })
}

fn counts(
    item: &ApiUsage,
    reported: Option<&Reported>,
    base: &str,
    view: View<'_>,
    faults: &mut Vec<Fault>,
) -> Counts {
    let mut counts = Counts::default();
    for (name, count) in item.usage.iter().flat_map(ByName::iter) {
        match view.meters.find(name) {
            Some(meter) => counts.set(meter, count.mid()),
            None => faults.push(unknown_meter(view, &format!("{base}/usage"), name)),
        }
    }
    for (name, count) in reported.iter().flat_map(|reported| &reported.usage) {
        match view.meters.find(name) {
            Some(meter) => counts.set(meter, *count),
            None => faults.push(unknown_meter(view, &format!("{base}/usage_from/response"), name)),
        }
    }
    counts
}

fn unknown_meter(view: View<'_>, base: &str, name: &str) -> Fault {
    let near = view.near_meters(name);
    Fault::new(pointer(base, name), FaultKind::UnknownMeter { name: name.to_owned(), near })
}

fn contracts(item: &ApiUsage, base: &str, view: View<'_>, faults: &mut Vec<Fault>) -> Vec<Contract> {
    let mut contracts = Vec::new();
    for (name, rate) in item.rates.iter() {
        let rates = format!("{base}/rates");
        let Some(meter) = view.meters.find(name) else {
            faults.push(unknown_meter(view, &rates, name));
            continue;
        };
        let at = pointer(&rates, name);
        let per = rate.per.map_or(view.meters.get(meter).per, |per| per.0);
        if rate.amount.0.is_sign_negative() && !rate.amount.0.is_zero() {
            faults.push(Fault::new(pointer(&at, "amount"), FaultKind::out_of_range("must not be negative")));
        }
        if per.is_sign_negative() || per.is_zero() {
            faults.push(Fault::new(pointer(&at, "per"), FaultKind::out_of_range("must be greater than 0")));
        }
        match known_currency(view, rate.currency.as_deref()) {
            Ok(currency) => contracts.push(Contract { meter, amount: rate.amount.0, per, currency }),
            Err(kind) => faults.push(Fault::new(pointer(&at, "currency"), kind)),
        }
    }
    contracts
}

/// The currency of a code: dollars where none is given.
pub(crate) fn known_currency(view: View<'_>, code: Option<&str>) -> Result<Currency, FaultKind> {
    let Some(code) = code else {
        return Ok(Currency::USD);
    };
    if let Some(currency) = Currency::parse(code)
        && view.knows_currency(currency)
    {
        return Ok(currency);
    }
    let known = view.currencies();
    let near = names::near(code, known.iter().map(Currency::as_str));
    Err(FaultKind::UnknownCurrency { name: code.to_owned(), near })
}

/// What is said about the call, in the catalog's words; and which keys only the response says.
fn context(
    item: &ApiUsage,
    reported: Option<&Reported>,
    base: &str,
    faults: &mut Vec<Fault>,
) -> (Context, Vec<ContextKey>) {
    let mut said = Context::default();
    for (name, value) in item.context.iter() {
        let at = || pointer(&format!("{base}/context"), name);
        let Some(key) = ContextKey::parse(name) else {
            let known = ContextKey::ALL.iter().map(|key| key.as_str()).chain(ContextKey::WIRE_WORDS);
            let kind = FaultKind::UnknownContextKey {
                name: name.to_owned(),
                offering: None,
                near: names::near(name, known),
            };
            faults.push(Fault::new(at(), kind));
            continue;
        };
        let value = if key.is_standard(&value.0) { "standard" } else { &value.0 };
        if said.insert(key, value.to_owned()).is_some_and(|before| before != value) {
            let detail = format!("`{}` is said twice, and differently", key.as_str());
            faults.push(Fault::new(at(), FaultKind::Contradiction { detail }));
        }
    }
    let mut reported_keys = Vec::new();
    for (key, value) in reported.iter().flat_map(|reported| &reported.context) {
        if said.get(*key).is_none() {
            said.insert(*key, value.clone());
            reported_keys.push(*key);
        }
    }
    if said.get(ContextKey::ServiceTier) == Some("standard") {
        said.remove(ContextKey::ServiceTier);
    }
    (said, reported_keys)
}

/// The input that chooses the tier, and whether it is a mean over several calls.
fn input_per_call(item: &ApiUsage, counts: &Counts, calls: u64, view: View<'_>) -> (InputPerCall, bool) {
    if let Some(count) = item.input_tokens_per_call {
        return (InputPerCall { tokens: count.0.into(), calls: 1 }, false);
    }
    let tokens = view.meters.input_tokens().map_or(0, |meter| counts.get(meter));
    match item.usage_scope {
        UsageScope::PerCall => (InputPerCall { tokens: tokens.into(), calls: 1 }, false),
        UsageScope::Total => (InputPerCall { tokens: tokens.into(), calls: calls.max(1) }, calls > 1),
    }
}

fn check_calls(item: &ApiUsage, base: &str, faults: &mut Vec<Fault>) {
    if item.usage_scope == UsageScope::PerCall && item.input_tokens_per_call.is_some() {
        let detail =
            "`input_tokens_per_call` goes with `usage_scope: total`; here `usage` is of one call already"
                .to_owned();
        faults.push(Fault::new(pointer(base, "input_tokens_per_call"), FaultKind::Contradiction { detail }));
    }
    let fewest = item.calls.map_or(1, Tally::low);
    if item.usage_scope == UsageScope::Total && fewest == 0 {
        let detail = "`usage` is summed over all calls, and there are none".to_owned();
        faults.push(Fault::new(pointer(base, "calls"), FaultKind::Contradiction { detail }));
    }
}
