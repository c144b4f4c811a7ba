//! How each type of a row's fields lies in a column: as TEXT or as BIGINT, the two that every database agrees on.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use jiff::{Timestamp, civil::Date};
use rust_decimal::Decimal;
use serde::de::{DeserializeOwned, IntoDeserializer as _};
use sqlx::{Row as _, any::AnyRow};

use crate::catalog::{
    gpu::{Commitment, DenseTflops, Interconnect},
    ids::{CalendarId, GpuId, MeterId, ModelId, OfferingId, ProviderId, RevisionNumber},
    model::Architecture,
    money::{Currency, parse_decimal},
    published_run::{MfuCounts, PublishedRl, ThirdPartyCost},
    published_throughput::{InferenceSetup, RlSetup},
    rate_card::{Conditions, ContextKey, Test},
    scenario::PublishedFigure,
    time::parse_day,
};

/// What is bound to a placeholder.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Text(Option<String>),
    Integer(Option<i64>),
}

/// What is wrong with a column's content, as the end of a sentence that begins with its name.
pub(super) type CellProblem = String;

/// Texts of which many rows hold the same: one copy each.
#[derive(Debug, Default)]
pub(super) struct Shared(HashSet<Arc<str>>);

impl Shared {
    fn get(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return Arc::clone(known);
        }
        let fresh: Arc<str> = text.into();
        self.0.insert(Arc::clone(&fresh));
        fresh
    }
}

/// A row being read, column after column.
pub(super) struct Cells<'r> {
    row: &'r AnyRow,
    shared: &'r mut Shared,
    next: usize,
}

impl<'r> Cells<'r> {
    /// Starts at a row's first column.
    pub(super) fn new(row: &'r AnyRow, shared: &'r mut Shared) -> Self {
        Self { row, shared, next: 0 }
    }

    /// The next column.
    pub(super) fn take<C: Cell>(&mut self) -> Result<C, CellProblem> {
        C::read(self)
    }

    /// How many columns have been taken, the one that failed included.
    pub(super) fn taken(&self) -> usize {
        self.next
    }

    fn text(&mut self) -> Result<Option<&'r str>, CellProblem> {
        self.next += 1;
        self.row.try_get(self.next - 1).map_err(|error| format!("is no text: {error}"))
    }

    fn integer(&mut self) -> Result<Option<i64>, CellProblem> {
        self.next += 1;
        self.row.try_get(self.next - 1).map_err(|error| format!("is no integer: {error}"))
    }
}

/// A type that has a place in a column.
pub(super) trait Cell: Sized {
    /// Nothing, in a column of this type.
    const NULL: Value;

    fn to_value(&self) -> Result<Value, CellProblem>;

    fn read_optional(cells: &mut Cells<'_>) -> Result<Option<Self>, CellProblem>;

    fn read(cells: &mut Cells<'_>) -> Result<Self, CellProblem> {
        Self::read_optional(cells)?.ok_or_else(|| "is NULL".to_owned())
    }
}

impl<C: Cell> Cell for Option<C> {
    const NULL: Value = C::NULL;

    fn to_value(&self) -> Result<Value, CellProblem> {
        self.as_ref().map_or(Ok(Self::NULL), C::to_value)
    }

    fn read_optional(cells: &mut Cells<'_>) -> Result<Option<Self>, CellProblem> {
        C::read_optional(cells).map(Some)
    }
}

macro_rules! text_cells {
    ($($cell:ty: |$it:ident| $write:expr, |$text:ident| $read:expr;)+) => {$(
        impl Cell for $cell {
            const NULL: Value = Value::Text(None);

            fn to_value(&self) -> Result<Value, CellProblem> {
                let $it = self;
                Ok(Value::Text(Some($write)))
            }

            fn read_optional(cells: &mut Cells<'_>) -> Result<Option<Self>, CellProblem> {
                cells.text()?.map(|$text| $read).transpose()
            }
        }
    )+};
}

text_cells! {
    String: |it| it.clone(), |text| Ok(text.to_owned());
    ProviderId: |it| it.to_string(), |text| Ok(text.into());
    ModelId: |it| it.to_string(), |text| Ok(text.into());
    OfferingId: |it| it.to_string(), |text| Ok(text.into());
    MeterId: |it| it.to_string(), |text| Ok(text.into());
    CalendarId: |it| it.to_string(), |text| Ok(text.into());
    GpuId: |it| it.to_string(), |text| Ok(text.into());
    Date: |it| it.to_string(), |text| parse_day(text).ok_or_else(|| format!("has no day: {text}"));
    Decimal: |it| it.to_string(), |text| parse_decimal(text).map_err(|error| error.to_string());
    Currency: |it| it.to_string(), |text| Currency::parse(text).ok_or_else(|| format!("has no currency: {text}"));
    f64: |it| it.to_string(), |text| text.parse().map_err(|_| format!("has no number: {text}"));
    Commitment: |it| word(it)?, |text| from_word(text);
    MfuCounts: |it| word(it)?, |text| from_word(text);
}

fn word(value: &impl serde::Serialize) -> Result<String, CellProblem> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => Ok(word),
        _ => Err("is no single word".to_owned()),
    }
}

fn from_word<W: DeserializeOwned>(text: &str) -> Result<W, CellProblem> {
    let word: serde::de::value::StrDeserializer<'_, serde::de::value::Error> = text.into_deserializer();
    W::deserialize(word).map_err(|error| error.to_string())
}

macro_rules! json_cells {
    ($($cell:ty)+) => {text_cells! {$(
        $cell: |it| serde_json::to_string(it).map_err(|error| error.to_string())?,
            |text| serde_json::from_str(text).map_err(|error| error.to_string());
    )+}};
}

json_cells! {
    Vec<String> Vec<MeterId> Vec<Date>
    Architecture Conditions BTreeMap<ContextKey, Test> DenseTflops Interconnect
    BTreeMap<String, f64> Vec<ThirdPartyCost> PublishedRl RlSetup InferenceSetup
    serde_json::Value Vec<PublishedFigure>
}

impl Cell for Arc<str> {
    const NULL: Value = Value::Text(None);

    fn to_value(&self) -> Result<Value, CellProblem> {
        Ok(Value::Text(Some(self.to_string())))
    }

    fn read_optional(cells: &mut Cells<'_>) -> Result<Option<Self>, CellProblem> {
        Ok(cells.text()?.map(|text| cells.shared.get(text)))
    }
}

macro_rules! integer_cells {
    ($($cell:ty: |$it:ident| $write:expr, |$integer:ident| $read:expr;)+) => {$(
        impl Cell for $cell {
            const NULL: Value = Value::Integer(None);

            fn to_value(&self) -> Result<Value, CellProblem> {
                let $it = self;
                Ok(Value::Integer(Some($write)))
            }

            fn read_optional(cells: &mut Cells<'_>) -> Result<Option<Self>, CellProblem> {
                let out_of_range = |integer: i64| format!("is out of range: {integer}");
                cells.integer()?.map(|$integer| ($read).ok_or_else(|| out_of_range($integer))).transpose()
            }
        }
    )+};
}

integer_cells! {
    bool: |it| i64::from(*it), |integer| [false, true].into_iter().find(|it| i64::from(*it) == integer);
    i64: |it| *it, |integer| Some(integer);
    u32: |it| i64::from(*it), |integer| u32::try_from(integer).ok();
    u64: |it| i64::try_from(*it).map_err(|_| format!("is out of range: {it}"))?,
        |integer| u64::try_from(integer).ok();
    Timestamp: |it| it.as_millisecond(), |integer| Timestamp::from_millisecond(integer).ok();
    RevisionNumber: |it| i64::from(it.0), |integer| u32::try_from(integer).ok().map(RevisionNumber);
}
