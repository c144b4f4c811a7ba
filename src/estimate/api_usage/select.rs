//! Which rate card prices a call.
//!
//! Of the cards whose span, thresholds, context and window hold, the one with the most context keys wins,
//! then the one with a window. Two that fit equally well are an ambiguity, never a choice.

use jiff::Timestamp;

use crate::{
    catalog::{
        money::Currency,
        rate_card::{Context, ContextKey, InputPerCall},
        snapshot::{CardView, Found, View},
    },
    estimate::fault::FaultKind,
};

/// What decides between the cards of an offering.
#[derive(Debug, Clone, Copy)]
pub struct Question<'q> {
    /// The instant asked about.
    pub at: Timestamp,
    /// Currency of the answer: a list in it is used as it stands.
    pub currency: Currency,
    /// The input of one call.
    pub input: InputPerCall,
    /// What is said about the call.
    pub context: &'q Context,
}

/// Chooses the card.
///
/// # Errors
/// When none is in force, none fits, or two fit equally well.
pub fn select<'s>(
    view: View<'s>,
    found: Found<'s>,
    question: Question<'_>,
) -> Result<CardView<'s>, FaultKind> {
    let mut choice: Option<(Rank, CardView<'s>)> = None;
    let mut rival: Option<CardView<'s>> = None;
    for card in view.cards(found) {
        let conditions = &card.row.row.conditions;
        let fits = card.in_force(question.at)
            && conditions.admits(question.input)
            && conditions.context.holds_in(question.context)
            && card.in_window(question.at);
        if !fits {
            continue;
        }
        let rank = Rank::of(card, question.currency);
        match choice {
            Some((best, _)) if rank < best => {}
            Some((best, _)) if rank == best => rival = Some(card),
            _ => (choice, rival) = (Some((rank, card)), None),
        }
    }
    match (choice, rival) {
        (Some((_, first)), Some(second)) => {
            Err(FaultKind::AmbiguousPrice { first: describe(first), second: describe(second) })
        }
        (Some((_, card)), None) => Ok(card),
        (None, _) => Err(nothing_fits(view, found, question)),
    }
}

/// Greater is better: the list in the answer's currency, then dollars, then any other in the order of the
/// alphabet; within a list, more context keys, then a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    list: (u8, std::cmp::Reverse<Currency>),
    context_keys: usize,
    windowed: bool,
}

impl Rank {
    fn of(card: CardView<'_>, wanted: Currency) -> Self {
        let currency = card.row.row.currency;
        let preference = if currency == wanted { 2 } else { u8::from(currency == Currency::USD) };
        Self {
            list: (preference, std::cmp::Reverse(currency)),
            context_keys: card.row.row.conditions.context.len(),
            windowed: card.is_windowed(),
        }
    }
}

fn describe(card: CardView<'_>) -> String {
    let context: Vec<String> = card
        .row
        .row
        .conditions
        .context
        .iter()
        .map(|(key, value)| format!("{}: {value}", key.as_str()))
        .collect();
    match context.as_slice() {
        [] => format!("rate_card:{}", card.row.id),
        keys => format!("rate_card:{} ({})", card.row.id, keys.join(", ")),
    }
}

fn nothing_fits(view: View<'_>, found: Found<'_>, question: Question<'_>) -> FaultKind {
    let offering = found.offering.id.to_string();
    let in_force: Vec<CardView<'_>> = view.cards(found).filter(|card| card.in_force(question.at)).collect();
    if in_force.is_empty() {
        return FaultKind::NotInForce { offering, as_of: question.at, known: known_spans(view, found) };
    }
    // In force, but each asks for something that the request does not say.
    let mut wanted: Vec<String> = in_force.iter().map(|card| describe_conditions(*card)).collect();
    wanted.sort_unstable();
    wanted.dedup();
    FaultKind::NoPriceWithout { offering, as_of: question.at, wanted: wanted.join("; ") }
}

fn describe_conditions(card: CardView<'_>) -> String {
    serde_json::to_string(&card.row.row.conditions).unwrap_or_default()
}

/// From when to when there are prices, in words.
pub(super) fn known_spans(view: View<'_>, found: Found<'_>) -> String {
    let mut spans: Vec<(Option<Timestamp>, Option<Timestamp>)> =
        view.cards(found).map(|card| (card.row.row.effective_from, card.row.row.effective_to)).collect();
    spans.sort_unstable();
    spans.dedup();
    if spans.is_empty() {
        return "none is known at all".to_owned();
    }
    let words: Vec<String> = spans.into_iter().map(|(from, to)| span_in_words(from, to)).collect();
    format!("prices are known {}", words.join(", "))
}

fn span_in_words(from: Option<Timestamp>, to: Option<Timestamp>) -> String {
    match (from, to) {
        (None, None) => "at any time".to_owned(),
        (Some(from), None) => format!("from {from}"),
        (None, Some(to)) => format!("until {to}"),
        (Some(from), Some(to)) => format!("from {from} until {to}"),
    }
}

/// What of the request's context no price takes into account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmet {
    /// The key.
    pub key: ContextKey,
    /// The fault that it is, unless a fallback is allowed.
    pub kind: FaultKind,
}

/// The context keys that neither the chosen card names nor a modifier in force decides.
#[must_use]
pub fn unmet_context<'s>(
    view: View<'s>,
    found: Found<'s>,
    card: CardView<'s>,
    question: Question<'_>,
) -> Vec<Unmet> {
    let chosen = &card.row.row.conditions.context;
    let decided = |key: ContextKey, value: &str| {
        view.modifiers(found)
            .filter(|modifier| modifier.in_force(question.at))
            .any(|modifier| modifier.row.row.context.get(&key).is_some_and(|test| test.decides(value)))
    };
    let open =
        question.context.iter().filter(|(key, value)| chosen.get(*key).is_none() && !decided(*key, value));
    open.map(|(key, value)| Unmet { key, kind: unmet(view, found, question, key, value) }).collect()
}

fn unmet(
    view: View<'_>,
    found: Found<'_>,
    question: Question<'_>,
    key: ContextKey,
    value: &str,
) -> FaultKind {
    let known = view.context_keys(found);
    if !known.contains(&key) {
        let names = known.iter().map(|key| key.as_str());
        return FaultKind::UnknownContextKey {
            name: key.as_str().to_owned(),
            offering: Some(found.offering.id.to_string()),
            near: names.map(str::to_owned).collect(),
        };
    }
    FaultKind::ContextUnpriced {
        key: key.as_str().to_owned(),
        value: value.to_owned(),
        as_of: question.at,
        priced: priced_values(view, found, key),
    }
}

/// Which values of a key have a price, and from when, in words.
fn priced_values(view: View<'_>, found: Found<'_>, key: ContextKey) -> String {
    let of_cards = view.cards(found).filter_map(|card| {
        let row = &card.row.row;
        Some((row.conditions.context.get(key)?.to_owned(), row.effective_from, row.effective_to))
    });
    let of_modifiers = view.modifiers(found).filter_map(|modifier| {
        let row = &modifier.row.row;
        Some((row.context.get(&key)?.to_string(), row.effective_from, row.effective_to))
    });
    let mut values: Vec<_> = of_cards.chain(of_modifiers).collect();
    values.sort_unstable();
    values.dedup();
    let words: Vec<String> = values
        .into_iter()
        .map(|(value, from, to)| format!("`{value}` {}", span_in_words(from, to)))
        .collect();
    format!("priced are {}", words.join(", "))
}
