//! Speeds that others measured: `GET /published-throughputs`.

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
    published_throughput::PublishedThroughput,
    rows::{History, Versioned},
};

sort_keys! {
    /// What published speeds can be sorted by.
    ThroughputKey, ThroughputSort {
        Model = "model_name",
        Hardware = "hardware",
        Count = "gpu_count",
        Speed = "tokens_per_second_per_gpu",
    }
}

query! {
    /// Which published speeds, and in which order.
    PublishedThroughputQuery {
        /// Search in the sources' names of models: exact, by the start, by a word, with a letter or two wrong.
        #[param(example = "llama")]
        q: String,
        /// The catalog's model, by its id or another of its names.
        #[param(example = "llama-3.1-405b")]
        model: String,
        /// The accelerator, by its id or another of its names.
        #[param(example = "h100-sxm5-80gb")]
        gpu: String,
        /// `training`, `rl` or `inference`.
        #[param(example = "training")]
        workload: String,
        /// What sort of it, in any case, such as `rl_grpo` or `offline_max`.
        #[param(example = "pretrain")]
        kind: String,
        /// The number format of the arithmetic, or of the weights that were served, in any case.
        #[param(example = "fp8")]
        precision: String,
        /// What served the model, in any case, such as `vllm`.
        #[param(example = "")]
        engine: String,
        /// The order; `-` puts the largest first. Default: the best matches first, then by model, hardware
        /// and count.
        #[param(inline)]
        sort: ThroughputSort,
    }
}

told! {
    /// A speed that somebody measured. What is absent is unknown or does not apply.
    PublishedThroughput: PublishedThroughputAdded, PublishedThroughputItem, PublishedThroughputList
}

/// The list of published speeds.
#[derive(Debug)]
pub struct PublishedThroughputs;

impl Listed for PublishedThroughputs {
    type Row = PublishedThroughput;
    type Query = PublishedThroughputQuery;
    type Key = ThroughputKey;
    type Added = PublishedThroughputAdded;

    fn table(history: &History) -> &[Versioned<PublishedThroughput>] {
        &history.published_throughputs
    }

    fn asked(query: &PublishedThroughputQuery) -> (Option<&str>, Option<ThroughputSort>) {
        (query.q.said(), query.sort)
    }

    fn keep<'q>(
        scope: Scope<'q>,
        query: &'q PublishedThroughputQuery,
    ) -> Result<impl Fn(&PublishedThroughput) -> bool, Fault> {
        let about = lookup::About::new(scope, query.model.said(), query.gpu.said())?;
        Ok(move |row: &PublishedThroughput| {
            let engine = row.inference.as_ref().map(|setup| setup.engine.as_str());
            about.fits(row.model.as_ref(), row.gpu.as_ref())
                && is(query.workload.said(), Some(&row.workload))
                && is(query.kind.said(), Some(&row.kind))
                && is(query.precision.said(), Some(&row.precision))
                && is(query.engine.said(), engine)
        })
    }

    fn names(row: &PublishedThroughput) -> impl Iterator<Item = &str> {
        std::iter::once(row.model_name.as_str())
    }

    fn compare(sort: ThroughputSort, a: &PublishedThroughput, b: &PublishedThroughput) -> Ordering {
        match sort.key {
            ThroughputKey::Model => sort.directed(folded(&a.model_name, &b.model_name)),
            ThroughputKey::Hardware => sort.directed(folded(&a.hardware, &b.hardware)),
            ThroughputKey::Count => sort.by(&a.gpu_count, &b.gpu_count),
            ThroughputKey::Speed => {
                sort.by_some_number(a.tokens_per_second_per_gpu, b.tokens_per_second_per_gpu)
            }
        }
    }

    fn ties(a: &PublishedThroughput, b: &PublishedThroughput) -> Ordering {
        let by_model = folded(&a.model_name, &b.model_name).then_with(|| a.hardware.cmp(&b.hardware));
        by_model.then_with(|| a.gpu_count.cmp(&b.gpu_count)).then_with(|| a.id.cmp(&b.id))
    }
}
