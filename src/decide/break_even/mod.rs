//! Where two requests cost the same: hosted against self-run by volume, and whatever else two curves are.
//!
//! Both curves are what [`estimate()`](crate::estimate::estimate) says, at one catalog and one time. Their difference
//! is taken world by world, so that what both rest on is not counted twice in its range.

mod answer;
mod crossings;
mod rent_or_buy;
mod request;
mod svg;

use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use self::crossings::{Asked, Both, Crossing, crossings};
pub use self::{
    answer::{BreakEven, CrossingPoint, CurvePoint, Manner, Side, Verdict, VerdictCode, Which},
    rent_or_buy::{
        AtRent, MonthPaid, Months, RentGiven, RentOrBuy, RentOrBuyRequest, ResaleGiven, UsePaid, rent_or_buy,
    },
    request::{CurvesRequest, PointerOfEach, Pointers},
};
use super::{
    Refused, Stop,
    edge::Domain,
    grid::{Grid, spelt},
    has_field, is_hopeless,
    number::OpenNumber,
    remember,
    sweep::{Doubts, raw},
    under,
};
use crate::{
    catalog::{money::Currency, snapshot::Snapshot},
    estimate::{
        fault::{Fault, FaultKind, Told},
        modelled_total,
        quote::{ENGINE, Quote, Total},
        request::Detail,
        shape::{self, ShapeError},
        uncertain::{Sampler, Uncertain},
    },
};

/// What is held against what.
#[derive(ToSchema)]
#[serde(untagged)]
#[schema(examples(json!({
    "a": {"label": "hosted", "model": "gpt-4o-mini", "usage": {"input_tokens": 1000, "output_tokens": 300}},
    "b": {"label": "self-run", "kind": "serving", "model": "llama-3.1-8b",
        "hardware": {"gpu": "h100-sxm5-80gb", "gpus_per_replica": 1, "price_per_gpu_hour": "2.50"},
        "traffic": {"input_tokens": 1000, "output_tokens": 300, "requests_per_month": 1000}},
    "pointer": {"a": "/calls", "b": "/traffic/requests_per_month"},
    "range": {"from": 1e5, "to": 1e8, "steps": 31, "scale": "log"}
})))]
pub enum BreakEvenQuestion<'a> {
    /// Two requests.
    Curves(CurvesRequest<'a>),
    /// A rent and a purchase.
    RentOrBuy(RentOrBuyRequest<'a>),
}

/// Where two things cost the same, of either.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
pub enum BreakEvenAnswer {
    /// Of two requests.
    Curves(Box<BreakEven>),
    /// Of a rent and a purchase.
    RentOrBuy(Box<RentOrBuy>),
}

impl BreakEvenAnswer {
    /// The picture, where it was asked for.
    #[must_use]
    pub fn svg(&self) -> Option<&str> {
        match self {
            Self::Curves(found) => found.svg.as_deref(),
            Self::RentOrBuy(found) => found.svg.as_deref(),
        }
    }

    /// The names of the columns of its table.
    #[must_use]
    pub fn columns(&self) -> Vec<String> {
        match self {
            Self::Curves(_) => BreakEven::COLUMNS.map(str::to_owned).into(),
            Self::RentOrBuy(_) => ["month", "currency", "rented", "owned"].map(str::to_owned).into(),
        }
    }

    /// Its rows, with a cell for each column.
    #[must_use]
    pub fn rows(&self) -> Vec<Vec<String>> {
        match self {
            Self::Curves(found) => found.rows().collect(),
            Self::RentOrBuy(found) => {
                let row = |paid: &MonthPaid| {
                    let MonthPaid { month, rented, owned } = paid;
                    vec![month.to_string(), found.currency.to_string(), rented.to_string(), owned.to_string()]
                };
                found.by_month.iter().map(row).collect()
            }
        }
    }
}

/// Answers a body, which asks about a rent and a purchase where it has the field `rent` or `buy`.
///
/// # Errors
/// As [`break_even`] and [`rent_or_buy`], and where the body is of another shape.
pub fn answer(
    body: &[u8],
    with_svg: bool,
    snapshot: &Snapshot,
    now: Timestamp,
    stop: Stop<'_>,
) -> Result<Result<BreakEvenAnswer, Refused>, ShapeError> {
    if has_field(body, "rent") || has_field(body, "buy") {
        let mut asked: RentOrBuyRequest<'_> = shape::read(body, "")?;
        asked.svg |= with_svg;
        return Ok(
            rent_or_buy(&asked, snapshot, now).map(|found| BreakEvenAnswer::RentOrBuy(Box::new(found)))
        );
    }
    let mut asked: CurvesRequest<'_> = shape::read(body, "")?;
    asked.svg |= with_svg;
    Ok(break_even(&asked, snapshot, now, stop).map(|found| BreakEvenAnswer::Curves(Box::new(found))))
}

/// Finds where two requests cost the same.
///
/// # Errors
/// Every fault of the question; those of the requests where no value can be priced in both; and when nobody waits any
/// more.
pub fn break_even(
    asked: &CurvesRequest<'_>,
    snapshot: &Snapshot,
    now: Timestamp,
    stop: Stop<'_>,
) -> Result<BreakEven, Refused> {
    let (mut duel, grid) = Duel::new(asked, snapshot, now, stop)?;
    let mut points = Vec::with_capacity(grid.values.len());
    let mut first = Vec::new();
    for value in &grid.values {
        let point = duel.point(value)?;
        if point.both.is_none() {
            remember(&mut first, &point.faults);
        }
        points.push(point);
    }
    let warnings = std::mem::take(&mut duel.doubts).0;
    if points.iter().all(|point| point.both.is_none()) {
        return Err(Refused::Faults(first));
    }
    let curves: Vec<Asked> = points.iter().map(|point| (point.at, point.both)).collect();
    let domain = duel.domain;
    let found = crossings(&curves, domain, |at| Ok::<_, Refused>(duel.point(&spelt(at))?.both))?;
    let crossings = found.iter().map(|found| duel.told(found)).collect::<Result<Vec<_>, _>>()?;
    let verdict = verdict(&curves, &found);
    let [Some((currency, a)), Some((_, b))] = duel.sides.map(|side| side.known) else {
        return Err(Refused::Faults(first));
    };
    let svg = asked.svg.then(|| picture(asked, &a, &b, &curves, &found, currency));
    let curves = points.into_iter().map(Point::told).collect();
    Ok(BreakEven { currency, engine: ENGINE, a, b, verdict, crossings, curves, warnings, svg })
}

/// A request and what is known of its answers.
struct Player<'q, 's> {
    open: OpenNumber<'q, 's>,
    /// Where the request stands in the body.
    base: &'static str,
    known: Option<(Currency, Side)>,
}

impl<'q, 's> Player<'q, 's> {
    fn new(
        text: &str,
        base: &'static str,
        pointer: &'q str,
        snapshot: &'s Snapshot,
        now: Timestamp,
    ) -> Result<Self, FaultKind> {
        let open = OpenNumber::new(text, pointer, snapshot, now, Detail::Lines)?;
        Ok(Self { open, base, known: None })
    }

    /// The price, and what it is in every world.
    fn price(
        &mut self,
        sampler: &mut Sampler,
        value: &str,
        doubts: &mut Doubts,
    ) -> Result<(Total, Uncertain), Vec<Fault>> {
        let (base, pointer, known) = (self.base, self.open.pointer(), &mut self.known);
        let priced = self.open.price_among(sampler, value, |_, quote, sampler| {
            doubts.add(base, &quote);
            known.get_or_insert_with(|| (quote.currency, side(&quote, pointer)));
            (quote.total, quote.spread(sampler, base))
        });
        priced.map_err(|faults| under(base, faults))
    }

    /// Whether no value can mend what is wrong.
    fn is_hopeless(&self, faults: &[Fault]) -> bool {
        is_hopeless(faults, &[&format!("{}{}", self.base, self.open.pointer())])
    }
}

fn side(quote: &Quote<'_>, pointer: &str) -> Side {
    let first = quote.items.as_deref().and_then(<[_]>::first);
    Side {
        label: first.and_then(|item| item.label).map(str::to_owned),
        pointer: pointer.to_owned(),
        as_of: quote.as_of,
        catalog_revision: quote.catalog_revision,
    }
}

/// Two requests with one number open.
struct Duel<'q, 's> {
    sides: [Player<'q, 's>; 2],
    domain: Domain,
    doubts: Doubts,
    stop: Stop<'q>,
}

impl<'q, 's> Duel<'q, 's> {
    fn new(
        asked: &'q CurvesRequest<'_>,
        snapshot: &'s Snapshot,
        now: Timestamp,
        stop: Stop<'q>,
    ) -> Result<(Self, Grid), Refused> {
        let mut faults = Vec::new();
        let place = |of: &str| {
            if asked.pointer.a == asked.pointer.b { "/pointer".to_owned() } else { format!("/pointer{of}") }
        };
        let mut open = |text: &str, base, pointer| {
            let player = Player::new(text, base, pointer, snapshot, now);
            player.map_err(|kind| faults.push(Fault::new(place(base), kind))).ok()
        };
        let a = open(asked.a.get(), "/a", &asked.pointer.a);
        let b = open(asked.b.get(), "/b", &asked.pointer.b);
        let grid = Grid::new(asked.range.as_ref(), asked.values.as_deref()).and_then(rising);
        let grid = grid.map_err(|found| faults.extend(found)).ok();
        let (Some(mut a), Some(mut b), Some(grid), true) = (a, b, grid, faults.is_empty()) else {
            return Err(Refused::Faults(faults));
        };
        if let Some(currency) = &asked.currency {
            a.open.set_currency(currency);
            b.open.set_currency(currency);
        }
        let is_whole = a.open.takes_whole_numbers() | b.open.takes_whole_numbers();
        let domain = if is_whole { Domain::Whole } else { Domain::Real };
        let grid = if grid.is_range && is_whole && !grid.is_whole() { grid.rounded() } else { grid };
        Ok((Self { sides: [a, b], domain, doubts: Doubts::default(), stop }, grid))
    }

    /// Both sides at a value.
    fn point(&mut self, value: &str) -> Result<Point, Refused> {
        if (self.stop)() {
            return Err(Refused::Stopped);
        }
        let (mut sampler, mut faults) = (Sampler::default(), Vec::new());
        let mut priced = [None, None];
        for (side, priced) in self.sides.iter_mut().zip(&mut priced) {
            match side.price(&mut sampler, value, &mut self.doubts) {
                Ok(price) => *priced = Some(price),
                Err(found) if side.is_hopeless(&found) => return Err(Refused::Faults(found)),
                Err(found) => faults.extend(found),
            }
        }
        self.check_currencies()?;
        let gap = priced.each_ref().map(Option::as_ref);
        let gap = if let [Some(a), Some(b)] = gap { Some(Gap::between(a, b)?) } else { None };
        let at =
            value.parse().map_err(|_| Fault::new("/values", FaultKind::wrong_type("must be numbers")))?;
        let (both, difference) = gap.map(|gap| (gap.both, gap.difference)).unzip();
        let totals = priced.map(|priced| priced.map(|(total, _)| total));
        Ok(Point { value: value.into(), at, totals, both, difference, faults })
    }

    fn check_currencies(&self) -> Result<(), Fault> {
        let [a, b] = &self.sides;
        if let (Some((a, _)), Some((b, _))) = (&a.known, &b.known)
            && a != b
        {
            let detail =
                format!("`a` is priced in {a} and `b` in {b}: say which `currency` both are to be in");
            return Err(Fault::new("/currency", FaultKind::Contradiction { detail }));
        }
        Ok(())
    }

    /// A crossing as it is told.
    fn told(&mut self, found: &Crossing) -> Result<CrossingPoint, Refused> {
        let (before, after) = (self.point(&spelt(found.before))?, self.point(&spelt(found.after))?);
        let (manner, jumps) = match found.manner {
            crossings::Manner::Meeting => (Manner::Meeting, Vec::new()),
            crossings::Manner::Gap => (Manner::Gap, Vec::new()),
            crossings::Manner::Jump { a, b } => {
                let jumps = [(a, Which::A), (b, Which::B)].into_iter();
                (Manner::Jump, jumps.filter(|(jumps, _)| *jumps).map(|(_, which)| which).collect())
            }
        };
        let cheaper_after = if found.to_b { Which::B } else { Which::A };
        let number = |at: f64| raw(&spelt(at));
        let end = |at: Option<f64>| found.is_uncertain.then(|| at.map(number));
        Ok(CrossingPoint {
            value: number(found.after),
            low: end(found.low),
            high: end(found.high),
            between: [number(found.before), number(found.after)],
            cheaper_before: cheaper_after.other(),
            cheaper_after,
            manner,
            jumps,
            a: [before.totals[0], after.totals[0]],
            b: [before.totals[1], after.totals[1]],
        })
    }
}

/// Refuses a list that does not rise.
fn rising(grid: Grid) -> Result<Grid, Vec<Fault>> {
    let numbers: Vec<f64> = grid.values.iter().map(|value| value.parse().unwrap_or(f64::NAN)).collect();
    match numbers.windows(2).position(|pair| pair[0] >= pair[1]) {
        Some(at) => {
            let kind = FaultKind::out_of_range("must be larger than the value before it");
            Err(vec![Fault::new(format!("/values/{}", at + 1), kind)])
        }
        None => Ok(grid),
    }
}

/// How much more `a` costs than `b`.
struct Gap {
    both: Both,
    difference: Total,
}

impl Gap {
    fn between(a: &(Total, Uncertain), b: &(Total, Uncertain)) -> Result<Self, Fault> {
        let too_long = |_| Fault::new("", FaultKind::out_of_range("the difference has more than 76 digits"));
        let amount = a.0.amount.checked_sub(b.0.amount).map_err(too_long)?;
        let spread = a.1.with(&b.1, |a, b| a - b);
        let difference = modelled_total(amount, &spread).map_err(too_long)?;
        let gap = amount.to_f64();
        let (low, high) = spread.range().unwrap_or((gap, gap));
        let (a, b) = (a.0.amount.to_f64(), b.0.amount.to_f64());
        Ok(Self { both: Both { a, b, gap, range: (low.min(gap), high.max(gap)) }, difference })
    }
}

/// A value, and both sides there.
struct Point {
    value: Box<str>,
    at: f64,
    totals: [Option<Total>; 2],
    both: Option<Both>,
    difference: Option<Total>,
    faults: Vec<Fault>,
}

impl Point {
    fn told(self) -> CurvePoint {
        let [a, b] = self.totals;
        let faults = self.faults.into_iter().map(Told::from).collect();
        CurvePoint { value: raw(&self.value), a, b, difference: self.difference, faults }
    }
}

/// Which is cheaper, and where.
fn verdict(points: &[Asked], found: &[Crossing]) -> Verdict {
    let cheaper = |(_, both): &Asked| {
        let gap = both.as_ref()?.gap;
        (gap != 0.0).then_some(if gap < 0.0 { Which::A } else { Which::B })
    };
    let (first, last) = (points.iter().find_map(cheaper), points.iter().rev().find_map(cheaper));
    let (code, text) = match (first, found) {
        (None, _) => (VerdictCode::Equal, "a and b cost the same everywhere in the range".to_owned()),
        (Some(first), []) => {
            (VerdictCode::Never, format!("never: {} is cheaper everywhere in the range", first.name()))
        }
        (Some(first), found) => (VerdictCode::Crosses, in_words(first, found)),
    };
    Verdict { code, cheaper_first: first, cheaper_last: last, text }
}

/// Crossings that are told one by one in a sentence.
const MOST_IN_WORDS: usize = 3;

fn in_words(first: Which, found: &[Crossing]) -> String {
    let which = |found: &Crossing| if found.to_b { "b" } else { "a" };
    let at = |value: f64| spelt(value_in_words(value));
    let mut text = format!("{} is cheaper below {}", first.name(), at(found[0].after));
    if found.len() > MOST_IN_WORDS {
        let last = &found[found.len() - 1];
        let times = found.len();
        return format!(
            "{text}; they change places {times} times until {}, and {} is cheaper from there on",
            at(last.after),
            which(last)
        );
    }
    let between =
        found.windows(2).map(|pair| format!(", {} from there to {}", which(&pair[0]), at(pair[1].after)));
    text.extend(between);
    text + &format!(", {} from there on", which(&found[found.len() - 1]))
}

/// Six digits, or all of a whole number.
fn value_in_words(value: f64) -> f64 {
    if value.fract() == 0.0 { value } else { format!("{value:.5e}").parse().unwrap_or(value) }
}

fn picture(
    asked: &CurvesRequest<'_>,
    a: &Side,
    b: &Side,
    points: &[Asked],
    found: &[Crossing],
    currency: Currency,
) -> String {
    let curve = |of: fn(&Both) -> f64| {
        points.iter().filter_map(move |(at, both)| Some((*at, of(both.as_ref()?)))).collect()
    };
    let name = |side: &Side, name: &str| {
        side.label.as_ref().map_or_else(|| name.to_owned(), |label| format!("{name}: {label}"))
    };
    let (a_name, b_name) = (name(a, "a"), name(b, "b"));
    let on_curve = |at: f64| {
        let near = points.partition_point(|point| point.0 < at);
        let (_, both) = points.get(near).or(points.last())?;
        let (before, after) = (points.get(near.wrapping_sub(1)), both.as_ref()?);
        let Some((from, Some(before))) = before else { return Some((at, after.a)) };
        let (to, _) = points.get(near)?;
        let share = if to > from { (at - from) / (to - from) } else { 1.0 };
        Some((at, before.a + (after.a - before.a) * share))
    };
    svg::Picture {
        across: if a.pointer == b.pointer { &a.pointer } else { &b.pointer },
        up: currency.as_str(),
        is_log: asked.range.as_ref().is_some_and(|range| range.scale == super::grid::Scale::Log),
        curves: [(&a_name, curve(|both| both.a)), (&b_name, curve(|both| both.b))],
        marks: found.iter().filter_map(|found| on_curve(found.after)).collect(),
    }
    .draw()
}
