//! Meters by number, and who is part of whom, so that a quote handles sets of them as bits.

use super::{hash::Map, ids::RevisionNumber, meter::Meter, rows::Versioned};

/// A meter's place in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MeterIndex(u8);

/// A set of meters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MeterSet(u64);

impl MeterSet {
    /// How many meters a catalog may have.
    pub const CAPACITY: usize = 64;

    /// Whether a meter is in the set.
    #[must_use]
    pub fn contains(self, meter: MeterIndex) -> bool {
        self.0 >> meter.0 & 1 == 1
    }

    /// Adds a meter.
    pub fn insert(&mut self, meter: MeterIndex) {
        self.0 |= 1 << meter.0;
    }

    /// Takes a meter out.
    pub fn remove(&mut self, meter: MeterIndex) {
        self.0 &= !(1 << meter.0);
    }

    /// How many are in it.
    #[must_use]
    pub fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Whether there is none in it.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Adds the meters of another set.
    pub fn extend(&mut self, other: Self) {
        self.0 |= other.0;
    }

    /// The meters of both.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The meters, in the order of the table.
    pub fn iter(self) -> impl Iterator<Item = MeterIndex> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let next =
                u8::try_from(rest.trailing_zeros()).ok().filter(|at| usize::from(*at) < Self::CAPACITY)?;
            rest &= rest - 1;
            Some(MeterIndex(next))
        })
    }
}

impl FromIterator<MeterIndex> for MeterSet {
    fn from_iter<I: IntoIterator<Item = MeterIndex>>(meters: I) -> Self {
        let mut set = Self::default();
        meters.into_iter().for_each(|meter| set.insert(meter));
        set
    }
}

/// What is wrong with a set of meters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MeterTableError {
    /// More than the sets can hold.
    #[error("more than {} meters", MeterSet::CAPACITY)]
    TooMany,
    /// `part_of` names nothing.
    #[error("meter `{meter}` is part of `{whole}`, which does not exist")]
    UnknownWhole {
        /// The part.
        meter: String,
        /// Its missing whole.
        whole: String,
    },
    /// A meter is part of itself.
    #[error("meter `{0}` is part of itself")]
    Circular(String),
}

/// The meters known at a revision.
#[derive(Debug)]
pub struct MeterTable {
    meters: Vec<Meter>,
    by_id: Map<Box<str>, MeterIndex>,
    wholes: Vec<Vec<MeterIndex>>,
    parts: Vec<MeterSet>,
    parts_first: Vec<MeterIndex>,
    requests: Option<MeterIndex>,
    input_tokens: Option<MeterIndex>,
}

impl MeterTable {
    /// A table of meters in this order, all of them known.
    ///
    /// # Errors
    /// When there are too many, a whole is unknown, or something is part of itself.
    pub fn new(meters: Vec<Meter>) -> Result<Self, MeterTableError> {
        let known = vec![true; meters.len()];
        Self::of_known(meters, &known)
    }

    /// Closes `part_of` over its own wholes; a meter that is not known keeps its place and has no name.
    fn of_known(meters: Vec<Meter>, known: &[bool]) -> Result<Self, MeterTableError> {
        if meters.len() > MeterSet::CAPACITY {
            return Err(MeterTableError::TooMany);
        }
        let by_id: Map<Box<str>, MeterIndex> = (0..)
            .zip(&meters)
            .zip(known)
            .filter(|(_, known)| **known)
            .map(|((at, meter), _)| (meter.id.as_str().into(), MeterIndex(at)))
            .collect();
        let mut wholes = Vec::with_capacity(meters.len());
        for (meter, known) in meters.iter().zip(known) {
            if !known {
                wholes.push(Vec::new());
                continue;
            }
            let named = meter.part_of.iter().map(|whole| {
                by_id.get(whole.as_str()).copied().ok_or_else(|| MeterTableError::UnknownWhole {
                    meter: meter.id.to_string(),
                    whole: whole.to_string(),
                })
            });
            wholes.push(named.collect::<Result<Vec<_>, _>>()?);
        }
        let parts_first =
            parts_first(&wholes).map_err(|at| MeterTableError::Circular(meters[at].id.to_string()))?;
        let mut parts = vec![MeterSet::default(); meters.len()];
        for part in &parts_first {
            let below = parts[usize::from(part.0)];
            for whole in &wholes[usize::from(part.0)] {
                let set = &mut parts[usize::from(whole.0)];
                set.0 |= below.0;
                set.insert(*part);
            }
        }
        let (requests, input_tokens) = (by_id.get("requests").copied(), by_id.get("input_tokens").copied());
        Ok(Self { meters, by_id, wholes, parts, parts_first, requests, input_tokens })
    }

    /// The meter of a name.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<MeterIndex> {
        self.by_id.get(id).copied()
    }

    /// The meter of a place; every place that the table hands out has one.
    #[must_use]
    pub fn get(&self, meter: MeterIndex) -> &Meter {
        &self.meters[usize::from(meter.0)]
    }

    /// The names of the meters that are known.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.by_id.keys().map(AsRef::as_ref)
    }

    /// The meters whose count directly contains this one's, in order of preference.
    #[must_use]
    pub fn wholes(&self, meter: MeterIndex) -> &[MeterIndex] {
        &self.wholes[usize::from(meter.0)]
    }

    /// The meters that this one's count contains, at any depth.
    #[must_use]
    pub fn parts(&self, meter: MeterIndex) -> MeterSet {
        self.parts[usize::from(meter.0)]
    }

    /// Every meter, each after all of its parts.
    #[must_use]
    pub fn parts_first(&self) -> &[MeterIndex] {
        &self.parts_first
    }

    /// The implicit meter: 1 per call.
    #[must_use]
    pub fn requests(&self) -> Option<MeterIndex> {
        self.requests
    }

    /// The meter that tiers look at.
    #[must_use]
    pub fn input_tokens(&self) -> Option<MeterIndex> {
        self.input_tokens
    }
}

impl MeterIndex {
    /// The place as a number below [`MeterSet::CAPACITY`].
    #[must_use]
    pub fn position(self) -> usize {
        usize::from(self.0)
    }
}

/// An order in which every meter comes after its parts, or a meter that is part of itself.
fn parts_first(wholes: &[Vec<MeterIndex>]) -> Result<Vec<MeterIndex>, usize> {
    let mut waiting_for = vec![0_usize; wholes.len()];
    wholes.iter().flatten().for_each(|whole| waiting_for[usize::from(whole.0)] += 1);
    let mut order: Vec<MeterIndex> =
        (0..).zip(&waiting_for).filter(|(_, parts)| **parts == 0).map(|(at, _)| MeterIndex(at)).collect();
    let mut next = 0;
    while let Some(part) = order.get(next).copied() {
        next += 1;
        for whole in &wholes[usize::from(part.0)] {
            let parts = &mut waiting_for[usize::from(whole.0)];
            *parts -= 1;
            if *parts == 0 {
                order.push(*whole);
            }
        }
    }
    match waiting_for.iter().position(|parts| *parts > 0) {
        Some(circular) => Err(circular),
        None => Ok(order),
    }
}

/// The table of each revision at which meters changed. A meter has the same place in all of them.
#[derive(Debug)]
pub struct MeterTables(Vec<(RevisionNumber, MeterTable)>);

impl MeterTables {
    /// Builds a table for each revision that touched a meter.
    ///
    /// # Errors
    /// As [`MeterTable::new`], for any of them.
    pub fn new(history: &[Versioned<Meter>]) -> Result<Self, MeterTableError> {
        let mut revisions: Vec<RevisionNumber> =
            history.iter().flat_map(|row| std::iter::once(row.introduced).chain(row.superseded)).collect();
        revisions.sort_unstable();
        revisions.dedup();
        let mut firsts: Vec<&Versioned<Meter>> = Vec::new();
        for row in history {
            if !firsts.iter().any(|first| first.row.id == row.row.id) {
                firsts.push(row);
            }
        }
        let table = |revision| {
            let version = |first: &&Versioned<Meter>| {
                let same = |row: &&Versioned<Meter>| row.row.id == first.row.id && row.known_at(revision);
                let known = history.iter().find(same);
                (known.unwrap_or(first).row.clone(), known.is_some())
            };
            let (meters, known): (Vec<_>, Vec<_>) = firsts.iter().map(version).unzip();
            MeterTable::of_known(meters, &known).map(|table| (revision, table))
        };
        let mut tables = revisions.into_iter().map(table).collect::<Result<Vec<_>, _>>()?;
        if tables.is_empty() {
            tables.push((RevisionNumber(0), MeterTable::new(Vec::new())?));
        }
        Ok(Self(tables))
    }

    /// The table in use at a revision.
    #[must_use]
    pub fn at(&self, revision: RevisionNumber) -> &MeterTable {
        let after = self.0.partition_point(|(first, _)| *first <= revision);
        &self.0[after.saturating_sub(1)].1
    }
}
