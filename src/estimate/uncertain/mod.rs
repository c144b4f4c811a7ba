//! Figures that are not known exactly: how they are drawn, multiplied and added, and what range comes out.
//!
//! A figure is given as P10, P50 and P90 (a [`Range`]). [`Sampler::draw`] spreads it over [`DRAWS`] worlds, the
//! same ones every time; arithmetic then goes on in each world by itself, so that whatever two results share,
//! they share in every world. [`Uncertain::range`] reads P10 and P90 off the worlds.
//!
//! A range is spread as a log-normal distribution with its own width on either side of the middle (a normal one
//! where P10 is not above zero). With only one uncertain factor its own P10 and P90 come out to the last bit.

mod worlds;

pub use worlds::DRAWS;

use std::sync::{Arc, OnceLock};

use self::worlds::{AT_P10, AT_P90, Z_P90};

/// P10, P50 and P90 of a figure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    low: f64,
    mid: f64,
    high: f64,
}

/// Why three numbers are no range.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be finite, with low <= mid <= high")]
pub struct NotRange;

impl Range {
    /// A range from its P10, P50 and P90.
    ///
    /// # Errors
    /// When they are not finite or not in order.
    pub fn new(low: f64, mid: f64, high: f64) -> Result<Self, NotRange> {
        let finite = [low, mid, high].iter().all(|figure| figure.is_finite());
        (finite && low <= mid && mid <= high).then_some(Self { low, mid, high }).ok_or(NotRange)
    }

    /// A figure that is known.
    #[must_use]
    pub const fn exact(mid: f64) -> Self {
        Self { low: mid, mid, high: mid }
    }

    /// P10.
    #[must_use]
    pub fn low(self) -> f64 {
        self.low
    }

    /// P50.
    #[must_use]
    pub fn mid(self) -> f64 {
        self.mid
    }

    /// P90.
    #[must_use]
    pub fn high(self) -> f64 {
        self.high
    }

    /// Whether all three are one figure.
    #[must_use]
    pub fn is_exact(self) -> bool {
        self.low.to_bits() == self.high.to_bits()
    }

    /// The figure in the world of each score, in units of P90: a function, so that logarithms are taken once.
    fn spread(self) -> impl Fn(f64) -> f64 {
        let Self { low, mid, high } = self;
        let (below, above) = ((low / mid).ln(), (high / mid).ln());
        move |z| {
            if z == 0.0 {
                return mid;
            }
            let (edge, width, share) = if z < 0.0 { (low, below, -z) } else { (high, above, z) };
            if low > 0.0 {
                return if (share - 1.0).abs() < f64::EPSILON { edge } else { mid * (width * share).exp() };
            }
            let figure = mid + (edge - mid) * share;
            if low >= 0.0 { figure.max(0.0) } else { figure }
        }
    }
}

/// The figure in each world.
type Draws = [f64; DRAWS];

/// Draws, and their range; each made when somebody asks for it first.
#[derive(Debug)]
struct Worlds {
    draws: OnceLock<Draws>,
    range: OnceLock<(f64, f64)>,
    /// What they are drawn from, where they are not computed from others.
    input: Option<(Range, usize)>,
}

impl Worlds {
    /// What came out of arithmetic.
    fn computed(draws: &Draws) -> Arc<Self> {
        Arc::new(Self { draws: OnceLock::from(*draws), range: OnceLock::new(), input: None })
    }

    /// An input: many are looked at only in the middle, and never drawn.
    fn input(range: Range, column: usize) -> Arc<Self> {
        let ends = OnceLock::from((range.low, range.high));
        Arc::new(Self { draws: OnceLock::new(), range: ends, input: Some((range, column)) })
    }

    fn draws(&self) -> &Draws {
        self.draws.get_or_init(|| {
            let (range, column) = self.input.unwrap_or((Range::exact(0.0), 0)); // computed ones have theirs
            let figure_at = range.spread();
            worlds::column(column).map(|score| figure_at(score / Z_P90))
        })
    }

    /// P10 and P90.
    fn range(&self) -> (f64, f64) {
        *self.range.get_or_init(|| {
            let mut keys = self.draws().map(ordered);
            let (_, low, above) = keys.select_nth_unstable(AT_P10);
            let low = *low;
            let (_, high, _) = above.select_nth_unstable(AT_P90 - AT_P10 - 1);
            (unordered(low), unordered(*high))
        })
    }
}

/// A float as an integer of the same order (that of [`f64::total_cmp`]): integers are faster to sort.
fn ordered(figure: f64) -> i64 {
    let bits = figure.to_bits().cast_signed();
    bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed()
}

/// The float of an integer: the same change again undoes it.
fn unordered(key: i64) -> f64 {
    f64::from_bits((key ^ ((key >> 63).cast_unsigned() >> 1).cast_signed()).cast_unsigned())
}

/// A figure, and what it is in each of the worlds; known figures are the same in all of them.
#[derive(Debug, Clone)]
pub struct Uncertain {
    mid: f64,
    /// What the draws are multiplied by: figures in proportion share them, and their range.
    scale: f64,
    worlds: Option<Arc<Worlds>>,
}

impl Uncertain {
    /// A figure that is known.
    #[must_use]
    pub const fn exact(mid: f64) -> Self {
        Self { mid, scale: 1.0, worlds: None }
    }

    /// The figure with every input at its P50.
    #[must_use]
    pub fn mid(&self) -> f64 {
        self.mid
    }

    /// Whether it is the same in every world.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.worlds.is_none()
    }

    /// The same function in every world.
    #[must_use]
    pub fn map(&self, function: impl Fn(f64) -> f64) -> Self {
        let scale = self.scale;
        let worlds = self.worlds.as_ref();
        let worlds =
            worlds.map(|worlds| Worlds::computed(&worlds.draws().map(|figure| function(figure * scale))));
        Self { mid: function(self.mid), scale: 1.0, worlds }
    }

    /// A function of two figures, world by world.
    #[must_use]
    pub fn with(&self, other: &Self, function: impl Fn(f64, f64) -> f64) -> Self {
        let mid = function(self.mid, other.mid);
        let (scale, other_scale) = (self.scale, other.scale);
        let worlds = match (&self.worlds, &other.worlds) {
            (None, None) => None,
            (Some(a), None) => Some(Worlds::computed(&a.draws().map(|a| function(a * scale, other.mid)))),
            (None, Some(b)) => {
                Some(Worlds::computed(&b.draws().map(|b| function(self.mid, b * other_scale))))
            }
            (Some(a), Some(b)) => {
                let mut draws = *a.draws();
                let pairs = draws.iter_mut().zip(b.draws());
                pairs.for_each(|(a, b)| *a = function(*a * scale, *b * other_scale));
                Some(Worlds::computed(&draws))
            }
        };
        Self { mid, scale: 1.0, worlds }
    }

    /// Several figures that are worked out together from others, world by world.
    pub fn join<const N: usize, const M: usize>(
        from: [&Self; N],
        function: impl Fn([f64; N]) -> [f64; M],
    ) -> [Self; M] {
        let mids = function(from.map(|figure| figure.mid));
        if from.iter().all(|figure| figure.is_exact()) {
            return mids.map(Self::exact);
        }
        let mut draws = [[0.0; DRAWS]; M];
        for world in 0..DRAWS {
            let figures = function(from.map(|figure| figure.in_world(world)));
            for (draws, figure) in draws.iter_mut().zip(figures) {
                draws[world] = figure;
            }
        }
        let mut of = mids.into_iter().zip(draws);
        std::array::from_fn(|_| match of.next() {
            Some((mid, draws)) => Self { mid, scale: 1.0, worlds: Some(Worlds::computed(&draws)) },
            None => Self::exact(0.0), // there are M of them
        })
    }

    fn in_world(&self, world: usize) -> f64 {
        self.worlds.as_ref().map_or(self.mid, |worlds| worlds.draws()[world] * self.scale)
    }

    /// The product with a known factor.
    #[must_use]
    pub fn times(&self, factor: f64) -> Self {
        Self { mid: self.mid * factor, scale: self.scale * factor, worlds: self.worlds.clone() }
    }

    /// The sum of any number of figures.
    pub fn sum<'u>(figures: impl IntoIterator<Item = &'u Self>) -> Self {
        let mut sum = Self::exact(0.0);
        let mut draws: Option<Draws> = None; // of the uncertain ones, once there are two
        for figure in figures {
            match (&sum.worlds, &figure.worlds, &mut draws) {
                (Some(first), Some(next), None) => {
                    let scales = (sum.scale, figure.scale);
                    let pairs = first.draws().iter().zip(next.draws());
                    let mut both = [0.0; DRAWS];
                    for (both, (a, b)) in both.iter_mut().zip(pairs) {
                        *both = a * scales.0 + b * scales.1;
                    }
                    draws = Some(both);
                    sum.mid += figure.mid;
                }
                (_, Some(next), Some(draws)) => {
                    for (sum, next) in draws.iter_mut().zip(next.draws()) {
                        *sum += next * figure.scale;
                    }
                    sum.mid += figure.mid;
                }
                (_, None, Some(draws)) => {
                    for draw in draws.iter_mut() {
                        *draw += figure.mid;
                    }
                    sum.mid += figure.mid;
                }
                (_, _, None) => sum = &sum + figure,
            }
        }
        match draws {
            Some(draws) => Self { mid: sum.mid, scale: 1.0, worlds: Some(Worlds::computed(&draws)) },
            None => sum,
        }
    }

    /// P10 and P90; none where they do not differ from the middle.
    #[must_use]
    pub fn range(&self) -> Option<(f64, f64)> {
        let (low, high) = self.worlds.as_ref()?.range();
        let (one, other) = (low * self.scale, high * self.scale);
        let (low, high) = if self.scale < 0.0 { (other, one) } else { (one, other) };
        let (low, high) = (low.min(self.mid), high.max(self.mid));
        (low < high).then_some((low, high))
    }
}

/// A sum with what is known moves every world by as much; a product with it only changes the scale.
impl std::ops::Add for &Uncertain {
    type Output = Uncertain;

    fn add(self, other: Self) -> Uncertain {
        match (self.is_exact(), other.is_exact()) {
            (true, _) if self.mid == 0.0 => other.clone(),
            (_, true) if other.mid == 0.0 => self.clone(),
            _ => self.with(other, |a, b| a + b),
        }
    }
}

impl std::ops::Mul for &Uncertain {
    type Output = Uncertain;

    fn mul(self, other: Self) -> Uncertain {
        match (self.is_exact(), other.is_exact()) {
            (true, _) => other.times(self.mid),
            (_, true) => self.times(other.mid),
            _ => self.with(other, |a, b| a * b),
        }
    }
}

macro_rules! operator {
    ($($trait:ident $method:ident $sign:tt)+) => {$(
        impl std::ops::$trait for &Uncertain {
            type Output = Uncertain;

            fn $method(self, other: Self) -> Uncertain {
                self.with(other, |a, b| a $sign b)
            }
        }
    )+};
}

operator! { Sub sub - Div div / }

/// Draws the inputs of a quote, each once: who asks for the same input again gets the same draws.
#[derive(Debug, Default)]
pub struct Sampler {
    drawn: Vec<Drawn>,
    columns: usize,
}

/// An input that was drawn.
#[derive(Debug)]
struct Drawn {
    name: Box<str>,
    range: Range,
    column: usize,
    figure: Uncertain,
}

impl Sampler {
    /// The draws of an input, by its name: that of a catalog row, or the place of a figure in the request.
    ///
    /// An input that has another range elsewhere (an assumption that changes, in items of different days) is high
    /// and low in the same worlds.
    pub fn draw(&mut self, name: &str, range: Range) -> Uncertain {
        if range.is_exact() {
            return Uncertain::exact(range.mid);
        }
        let mut known = self.drawn.iter().filter(|known| *known.name == *name).peekable();
        let column = known.peek().map(|known| known.column);
        if let Some(known) = known.find(|known| known.range == range) {
            return known.figure.clone();
        }
        let column = column.unwrap_or_else(|| {
            self.columns += 1;
            self.columns - 1
        });
        let figure = Uncertain { mid: range.mid, scale: 1.0, worlds: Some(Worlds::input(range, column)) };
        self.drawn.push(Drawn { name: name.into(), range, column, figure: figure.clone() });
        figure
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn range(low: f64, mid: f64, high: f64) -> Range {
        Range::new(low, mid, high).unwrap()
    }

    #[test]
    fn one_uncertain_factor_gives_back_its_own_p10_and_p90() {
        let drawn = Sampler::default().draw("a", range(0.67, 1.0, 1.49));
        assert_eq!(drawn.range(), Some((0.67, 1.49)));
        assert_eq!(drawn.times(2.0).range(), Some((1.34, 2.98)));
    }

    #[test]
    fn what_is_known_has_no_range() {
        let mut sampler = Sampler::default();
        let known = sampler.draw("a", Range::exact(3.0));
        assert!(known.is_exact() && known.range().is_none());
        assert!((&known * &Uncertain::exact(2.0)).is_exact());
    }

    #[test]
    fn what_is_shared_is_drawn_once() {
        let mut sampler = Sampler::default();
        let a = sampler.draw("a", range(1.0, 2.0, 4.0));
        let again = sampler.draw("a", range(1.0, 2.0, 4.0));
        assert_eq!((&a / &again).range(), None, "a figure over itself is 1 in every world");
        let b = sampler.draw("b", range(1.0, 2.0, 4.0));
        assert!((&a / &b).range().is_some());
    }

    /// The spread of a product of independent factors: ln-widths add in squares.
    #[test]
    fn a_product_is_as_wide_as_theory_says() {
        let mut sampler = Sampler::default();
        let width = |factor: &Uncertain| {
            let (low, high) = factor.range().unwrap();
            (high / low).ln()
        };
        let factors = ["a", "b", "c", "d"].map(|name| sampler.draw(name, range(0.5, 1.0, 2.0)));
        let product = factors.iter().fold(Uncertain::exact(1.0), |product, factor| &product * factor);
        let expected = width(&factors[0]) * 2.0;
        assert!((width(&product) / expected - 1.0).abs() < 0.03, "{} {expected}", width(&product));
    }

    #[test]
    fn a_figure_that_cannot_be_negative_is_not_drawn_so() {
        let drawn = Sampler::default().draw("a", range(0.0, 0.1, 0.2));
        assert!(drawn.map(|figure| f64::from(u8::from(figure < 0.0))).range().is_none());
    }

    #[test]
    fn a_sum_of_many_is_that_of_each_after_the_other() {
        let mut sampler = Sampler::default();
        let [a, b, c] = ["a", "b", "c"].map(|name| sampler.draw(name, range(1.0, 2.0, 4.0)));
        let known = Uncertain::exact(5.0);
        let figures = [known.clone(), a.times(2.0), known.clone(), b, c, known];
        let one_by_one = figures.iter().fold(Uncertain::exact(0.0), |sum, figure| &sum + figure);
        let sum = Uncertain::sum(&figures);
        assert!((sum.mid() - 23.0).abs() < 1e-12);
        let (sum, one_by_one) = (sum.range().unwrap(), one_by_one.range().unwrap());
        assert!((sum.0 - one_by_one.0).abs() < 1e-12 && (sum.1 - one_by_one.1).abs() < 1e-12);
    }

    #[test]
    fn an_input_that_changes_is_high_and_low_in_the_same_worlds() {
        let mut sampler = Sampler::default();
        let before = sampler.draw("a", range(1.0, 2.0, 4.0));
        let after = sampler.draw("a", range(2.0, 4.0, 8.0));
        assert_eq!((&after / &before).range(), None);
        assert_eq!(after.range(), Some((2.0, 8.0)));
    }

    #[test]
    fn more_inputs_than_prepared_are_still_drawn() {
        let mut sampler = Sampler::default();
        for at in 0..200 {
            let drawn = sampler.draw(&at.to_string(), range(1.0, 2.0, 3.0));
            assert_eq!(drawn.range(), Some((1.0, 3.0)));
        }
    }

    proptest! {
        /// As long as the input matters: next to a far wider one, the noise of the worlds hides it.
        #[test]
        fn half_the_spread_of_an_input_narrows_the_range(spread in 0.3_f64..2.0, beside in 0.05_f64..1.5) {
            let other = spread * beside;
            let width = |spread: f64| {
                let mut sampler = Sampler::default();
                let a = sampler.draw("a", range((-spread).exp(), 1.0, spread.exp()));
                let b = sampler.draw("b", range((-other).exp(), 1.0, other.exp()));
                let sum = &(&a * &b) + &a;
                let (low, high) = sum.range().unwrap();
                (high / low).ln()
            };
            prop_assert!(width(spread / 2.0) < width(spread));
        }
    }
}
