//! Training runs that others published: `GET /published-runs`.

use std::cmp::Ordering;

use super::{
    Scope,
    fault::Fault,
    listed::{Listed, told},
    lookup,
    models::is,
    order::{folded, sort_keys},
    query::{Said as _, query},
};
use crate::catalog::{
    published_run::PublishedRun,
    rows::{History, Versioned},
};

sort_keys! {
    /// What published runs can be sorted by.
    RunKey, RunSort {
        Name = "name",
        Date = "date",
        Params = "params_total",
        Tokens = "tokens",
        Hours = "gpu_hours",
        Cost = "published_cost_usd",
    }
}

query! {
    /// Which published runs, and in which order.
    PublishedRunQuery {
        /// Search in ids and names: exact, by the start, by a word, with a letter or two wrong.
        #[param(example = "deepseek")]
        q: String,
        /// The catalog's model, by its id or another of its names.
        #[param(example = "deepseek-v3")]
        model: String,
        /// The accelerator, by its id or another of its names.
        #[param(example = "h800-sxm5-80gb")]
        gpu: String,
        /// What sort of run, in any case, such as `rl_grpo`.
        #[param(example = "pretrain")]
        kind: String,
        /// Who ran it, in any case.
        #[param(example = "DeepSeek")]
        org: String,
        /// `dense`, `moe` or `ssm`.
        #[param(example = "moe")]
        architecture: String,
        /// How sure the figures are: `A`, `B` or `C`.
        #[param(example = "A")]
        tier: String,
        /// Whether accuracy may be judged by it.
        #[param(example = true)]
        baseline_ok: bool,
        /// The order; `-` puts the largest first. Default: the best matches first, then by name.
        #[param(inline)]
        sort: RunSort,
    }
}

told! {
    /// A training run that somebody published. What is absent is unknown.
    PublishedRun: PublishedRunAdded, PublishedRunItem, PublishedRunList
}

/// The list of published runs.
#[derive(Debug)]
pub struct PublishedRuns;

impl Listed for PublishedRuns {
    type Row = PublishedRun;
    type Query = PublishedRunQuery;
    type Key = RunKey;
    type Added = PublishedRunAdded;

    fn table(history: &History) -> &[Versioned<PublishedRun>] {
        &history.published_runs
    }

    fn asked(query: &PublishedRunQuery) -> (Option<&str>, Option<RunSort>) {
        (query.q.said(), query.sort)
    }

    fn keep<'q>(
        scope: Scope<'q>,
        query: &'q PublishedRunQuery,
    ) -> Result<impl Fn(&PublishedRun) -> bool, Fault> {
        let about = lookup::About::new(scope, query.model.said(), query.gpu.said())?;
        Ok(move |row: &PublishedRun| {
            about.fits(row.model.as_ref(), row.gpu.as_ref())
                && is(query.kind.said(), Some(&row.kind))
                && is(query.org.said(), Some(&row.org))
                && is(query.architecture.said(), Some(&row.architecture))
                && is(query.tier.said(), Some(&row.tier))
                && query.baseline_ok.is_none_or(|wanted| row.baseline_ok == wanted)
        })
    }

    fn names(row: &PublishedRun) -> impl Iterator<Item = &str> {
        [row.id.as_str(), &row.name].into_iter()
    }

    fn compare(sort: RunSort, a: &PublishedRun, b: &PublishedRun) -> Ordering {
        match sort.key {
            RunKey::Name => sort.directed(folded(&a.name, &b.name)),
            RunKey::Date => sort.by(&a.date, &b.date),
            RunKey::Params => sort.by_some_number(a.params_total, b.params_total),
            RunKey::Tokens => sort.by_some_number(a.tokens, b.tokens),
            RunKey::Hours => sort.by_some_number(a.gpu_hours, b.gpu_hours),
            RunKey::Cost => sort.by_some(a.published_cost_usd, b.published_cost_usd),
        }
    }

    fn ties(a: &PublishedRun, b: &PublishedRun) -> Ordering {
        folded(&a.name, &b.name).then_with(|| a.id.cmp(&b.id))
    }
}
