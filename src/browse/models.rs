//! AI models: `GET /models`.

use std::collections::HashSet;

use jiff::civil::Date;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Listing, Resource, Scope,
    computed::{Computed, LONGEST, USUAL_LENGTH},
    fault::{Fault, Unknown},
    item::Item,
    lookup,
    order::{Hit, arrange, folded, sort_keys},
    providers::count,
    query::{Asked, Page, Said as _, query},
    search::{Search, rank_of},
};
use crate::catalog::{
    ids::{ModelId, OfferingId},
    model::Model,
};

sort_keys! {
    /// What models can be sorted by.
    ModelKey, ModelSort {
        Name = "name",
        Id = "id",
        Developer = "developer",
        Released = "released",
    }
}

query! {
    /// Which models, and in which order.
    ModelQuery {
        /// Search in ids, names and aliases: exact, by the start, by a word, with a letter or two wrong.
        #[param(example = "deepseek v3")]
        q: String,
        /// Who made it, in any case.
        #[param(example = "DeepSeek")]
        developer: String,
        /// The line of models it belongs to, in any case, such as `deepseek-v3`.
        #[param(example = "")]
        family: String,
        /// What sort of model it is: `general`, `reasoning`, `embedding`, ...
        #[param(example = "")]
        class: String,
        /// The terms of its weights, in any case, such as `MIT`.
        #[param(example = "")]
        license: String,
        /// Somebody who sells it, such as `deepinfra`.
        #[param(example = "")]
        provider: String,
        /// Whether its shape is known.
        #[param(example = true)]
        has_architecture: bool,
        /// The first day of release.
        #[param(value_type = Option<String>, format = Date, example = "2024-01-01")]
        released_from: Date,
        /// The last day of release.
        #[param(value_type = Option<String>, format = Date, example = "2026-12-31")]
        released_to: Date,
        /// The order; `-` puts the largest first. Default: the best matches first, then by name.
        #[param(inline)]
        sort: ModelSort,
    }
}

/// Which revision a model is looked up at, and what length its FLOPs are told for.
#[derive(Debug, Clone, Default, serde::Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub struct ModelRowQuery {
    /// The length of a sequence, in tokens, that FLOPs and cache are computed for. Default: 4096.
    #[param(minimum = 1, maximum = 1_000_000_000, example = 4096)]
    pub sequence_length: Option<u64>,
    /// The revision of the catalog to look at. Default: the newest.
    #[param(example = 1)]
    pub catalog_revision: Option<u64>,
}

impl ModelRowQuery {
    /// The length asked about.
    ///
    /// # Errors
    /// When it is 0, or longer than any.
    pub fn sequence_length(&self) -> Result<u64, Fault> {
        match self.sequence_length.unwrap_or(USUAL_LENGTH) {
            length @ 1..=LONGEST => Ok(length),
            other => {
                let detail = format!("must be a whole number from 1 to {LONGEST}, got {other}");
                Err(Fault::out_of_range("sequence_length", detail))
            }
        }
    }
}

impl Asked for ModelRowQuery {
    fn page(&self) -> Page<'_> {
        Page { catalog_revision: self.catalog_revision, ..Page::default() }
    }
}

/// A model, and how many sell it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ModelItem)]
pub struct ModelAdded {
    /// How many offerings are this model.
    #[schema(example = 14)]
    pub offerings: u32,
    /// The revision of the catalog that introduced this row.
    #[schema(example = 1)]
    pub revision: u32,
}

/// What is told of a model in a list.
pub type ModelItem<'s> = Item<'s, Model, ModelAdded>;

/// A model, and everybody's offering of it.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ModelDetail)]
pub struct ModelDetailAdded<'s> {
    /// The offerings that are this model.
    #[schema(value_type = Vec<String>, example = json!(["deepinfra/deepseek-ai/DeepSeek-V3"]))]
    pub offerings: Vec<&'s OfferingId>,
    /// What its shape comes to, where one is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub computed: Option<Computed>,
    /// Why nothing is computed of a shape that is known in part.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "params_total: the parameters of a hybrid cannot be counted from its sizes")]
    pub not_computed: Option<String>,
    /// The revision of the catalog that introduced this row.
    #[schema(example = 1)]
    pub revision: u32,
}

/// What is told of one model.
pub type ModelDetail<'s> = Item<'s, Model, ModelDetailAdded<'s>>;

/// One page, as the document describes it: without `<..>`, which utoipa would take apart.
pub type ModelList = Listing<ModelItem<'static>>;

/// The list of models.
#[derive(Debug)]
pub struct Models;

impl Resource for Models {
    type Query = ModelQuery;
    type Item<'s> = ModelItem<'s>;

    fn rows(scope: Scope<'_>, query: &ModelQuery) -> Result<Vec<u32>, Fault> {
        let search = Search::new(query.q.said())?;
        let sold = query.provider.said().map(|provider| sold_by(scope, provider)).transpose()?;
        let keep = |model: &Model| {
            is(query.developer.said(), model.developer.as_deref())
                && is(query.family.said(), model.family.as_deref())
                && is(query.class.said(), model.class.as_deref())
                && is(query.license.said(), model.license.as_deref())
                && query.has_architecture.is_none_or(|known| model.architecture.is_some() == known)
                && query.released_from.is_none_or(|day| model.released.is_some_and(|it| it >= day))
                && query.released_to.is_none_or(|day| model.released.is_some_and(|it| it <= day))
                && sold.as_ref().is_none_or(|sold| sold.contains(model.id.as_str()))
        };
        let rows = scope.rows(&scope.view.snapshot().history().models);
        let hits = rows.filter(|(_, row)| keep(&row.row)).filter_map(|(at, row)| {
            let model = &row.row;
            let names = [model.id.as_str(), &model.name].into_iter();
            let names = names.chain(model.aliases.iter().map(String::as_str));
            rank_of(search.as_ref(), names).map(|rank| Hit { at, row, rank })
        });
        let compare = |sort: ModelSort, a: &Model, b: &Model| match sort.key {
            ModelKey::Name => sort.directed(folded(&a.name, &b.name)),
            ModelKey::Id => sort.by(&a.id, &b.id),
            ModelKey::Developer => sort.by_some(a.developer.as_ref(), b.developer.as_ref()),
            ModelKey::Released => sort.by_some(a.released, b.released),
        };
        let ties = |a: &Model, b: &Model| folded(&a.name, &b.name).then_with(|| a.id.cmp(&b.id));
        Ok(arrange(hits.collect(), query.sort, compare, ties))
    }

    fn items<'s>(scope: Scope<'s>, rows: &[u32]) -> Vec<ModelItem<'s>> {
        let history = scope.view.snapshot().history();
        let sold = scope.view.known(&history.offerings).filter_map(|row| row.row.model.as_ref());
        let offerings = count(sold.map(ModelId::as_str));
        let item = |at: &u32| {
            let known = &history.models[*at as usize];
            let offerings = offerings.get(known.row.id.as_str()).copied().unwrap_or(0);
            Item { row: &known.row, added: ModelAdded { offerings, revision: known.introduced.0 } }
        };
        rows.iter().map(item).collect()
    }
}

/// Whether a text is what is wanted, in any case; everything is when nothing is wanted.
pub(super) fn is(wanted: Option<&str>, got: Option<&str>) -> bool {
    wanted.is_none_or(|wanted| got.is_some_and(|got| got.eq_ignore_ascii_case(wanted)))
}

/// The models that a provider sells.
fn sold_by<'s>(scope: Scope<'s>, provider: &str) -> Result<HashSet<&'s str>, Fault> {
    let provider =
        lookup::provider(scope.view, provider).map_err(|unknown| Fault::unknown("provider", unknown))?;
    let offerings = scope.view.known(&scope.view.snapshot().history().offerings).map(|row| &row.row);
    let sold = offerings.filter(|offering| offering.provider == provider.row.id);
    Ok(sold.filter_map(|offering| offering.model.as_ref().map(ModelId::as_str)).collect())
}

/// One model, by its id or another of its names; FLOPs are told for sequences of a length.
///
/// # Errors
/// When there is none of that name.
pub fn one<'s>(scope: Scope<'s>, name: &str, sequence_length: u64) -> Result<ModelDetail<'s>, Unknown> {
    let known = lookup::model(scope.view, name)?;
    let offerings = scope.view.known(&scope.view.snapshot().history().offerings).map(|row| &row.row);
    let offerings = offerings.filter(|offering| offering.model.as_ref() == Some(&known.row.id));
    let computed = known.row.architecture.as_ref().map(|given| Computed::of(given, sequence_length));
    let (computed, not_computed) = match computed.transpose() {
        Ok(computed) => (computed, None),
        Err(why) => (None, Some(why)),
    };
    let added = ModelDetailAdded {
        offerings: offerings.map(|offering| &offering.id).collect(),
        computed,
        not_computed,
        revision: known.introduced.0,
    };
    Ok(Item { row: &known.row, added })
}
