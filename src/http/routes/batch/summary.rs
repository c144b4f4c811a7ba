//! What a batch comes to, when its lines are not wanted one by one.

use std::{collections::BTreeMap, ops::Range, sync::Arc};

use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::Batch;
use crate::{
    catalog::{
        money::{Currency, Money, Overflow},
        snapshot::Snapshot,
    },
    estimate::{
        self,
        quote::{ENGINE, Total},
        request::{EstimateRequest, NotJson},
    },
    http::{
        extract::Json,
        lines::Arrived,
        problem::{Problem, ProblemError},
    },
};

/// Problems that a summary repeats; the others are only counted.
const PROBLEMS_SHOWN: usize = 20;

/// Groups that a summary keeps apart, so that its memory stays flat; what is over goes under `other_groups`.
const GROUPS_KEPT: usize = 10_000;

/// Lines between two chances for others to run.
const LINES_AT_A_TIME: u64 = 256;

/// Money by currency.
type Totals = BTreeMap<Currency, Total>;

/// What a batch comes to.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct BatchSummary {
    /// The revision of the catalog that was used.
    #[schema(example = 1)]
    catalog_revision: u32,
    /// Name and version of the engine.
    #[schema(example = "farthing 0.1.0")]
    engine: &'static str,
    /// Lines in all.
    #[schema(example = 2)]
    lines: u64,
    /// Lines answered with a quote.
    #[schema(example = 2)]
    quoted: u64,
    /// Lines that could not be quoted.
    #[schema(example = 0)]
    refused: u64,
    /// Sums of the quotes, by currency.
    #[schema(value_type = BTreeMap<String, Total>, example = json!({"USD": {"amount": "0.00725"}}))]
    totals: Totals,
    /// Sums by the value of the tag that each line's `group_by` names, and by currency.
    #[schema(value_type = BTreeMap<String, BTreeMap<String, Total>>, example = json!({"search": {"USD": {"amount": "0.006"}}}))]
    groups: BTreeMap<String, Totals>,
    /// The sum of groups beyond the first 10,000; only where there are so many.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = BTreeMap<String, Total>, example = json!({}))]
    other_groups: Totals,
    /// The first 20 lines that could not be quoted.
    problems: Vec<LineProblem>,
}

/// Why a line could not be quoted.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct LineProblem {
    /// The line, counted from 1.
    #[schema(example = 7)]
    line: u64,
    /// What is wrong, in a sentence.
    #[schema(example = "1 fault: no model is called `gpt-4p`")]
    detail: String,
    /// Each thing that is wrong, where the line is JSON.
    errors: Vec<ProblemError>,
}

pub(super) async fn summarise(mut batch: Batch) -> Result<Response, Problem> {
    let mut summary = BatchSummary {
        catalog_revision: batch.catalog.revision().0,
        engine: ENGINE,
        ..BatchSummary::default()
    };
    loop {
        match batch.lines.arrive().await {
            Arrived::End => break,
            Arrived::Broken(problem) => return Err(problem),
            Arrived::TooLong => {
                summary.refuse(batch.lines.number(), Problem::too_large(batch.lines.longest()));
            }
            Arrived::Line(line) => summary.add(&mut batch, line).await,
        }
        summary.lines = batch.lines.number();
        if summary.lines.is_multiple_of(LINES_AT_A_TIME) {
            tokio::task::yield_now().await;
        }
    }
    Ok(Json(summary).into_response())
}

/// What a summary needs of a quote.
struct Part {
    currency: Currency,
    total: Money,
    groups: Vec<(String, Money)>,
}

impl Part {
    fn of(request: &EstimateRequest, catalog: &Snapshot, now: Timestamp) -> Result<Self, Problem> {
        let quote = estimate::estimate(request, catalog, now)?;
        let groups = quote.groups.into_iter().flatten();
        let groups = groups.map(|(group, total)| (group.into_owned(), total.amount)).collect();
        Ok(Self { currency: quote.currency, total: quote.total.amount, groups })
    }
}

impl BatchSummary {
    async fn add(&mut self, batch: &mut Batch, line: Range<usize>) {
        let request = match EstimateRequest::parse(batch.lines.text(line)) {
            Ok(request) => request,
            Err(NotJson(reason)) => return self.refuse(batch.lines.number(), Problem::not_json(reason)),
        };
        let part = if request.is_heavy() {
            let (catalog, now) = (Arc::clone(&batch.catalog), batch.now);
            let work = batch.app.heavy.run(move |_| Part::of(&request, &catalog, now));
            Box::pin(work).await.flatten()
        } else {
            Part::of(&request, &batch.catalog, batch.now)
        };
        match part.map(|part| self.add_part(part)) {
            Ok(Ok(())) => self.quoted += 1,
            Ok(Err(Overflow)) => self.refuse(
                batch.lines.number(),
                Problem::bad_request("the sum of the batch has more than 76 digits"),
            ),
            Err(problem) => self.refuse(batch.lines.number(), problem),
        }
    }

    fn add_part(&mut self, part: Part) -> Result<(), Overflow> {
        add(&mut self.totals, part.currency, part.total)?;
        for (group, amount) in part.groups {
            let is_full = self.groups.len() >= GROUPS_KEPT;
            let sums = match self.groups.get_mut(&group) {
                Some(known) => known,
                None if is_full => &mut self.other_groups,
                None => self.groups.entry(group).or_default(),
            };
            add(sums, part.currency, amount)?;
        }
        Ok(())
    }

    fn refuse(&mut self, line: u64, problem: Problem) {
        self.refused += 1;
        if self.problems.len() < PROBLEMS_SHOWN {
            let (detail, errors) = problem.into_detail();
            self.problems.push(LineProblem { line, detail, errors });
        }
    }
}

fn add(sums: &mut Totals, currency: Currency, amount: Money) -> Result<(), Overflow> {
    let sum = sums.entry(currency).or_insert(Total::from(Money::ZERO));
    sum.amount = sum.amount.checked_add(amount)?;
    Ok(())
}
