//! From what is given to all sizes, and from these to parameters: what was left out is derived, and noted.

use super::{
    attention::{self, Attention, Kind, LayerMix},
    check::MOST_PARAMS,
    count::Sizes,
    experts::Experts,
    fault::{Notes, ShapeFault},
    params::Parts,
    regularities::{self, Regularity},
    shape::Shape,
};
use crate::catalog::model::Architecture;

/// By how much parameters given and counted may differ when every size is given, and when some are derived.
///
/// The widest gaps of published models, none of them hybrids, are below a tenth.
const MAY_DIFFER: (f64, f64) = (1.5, 3.0);

/// A vendor's count within this of the one without embeddings was made without them (Moonlight's was).
const LEFT_OUT: f64 = 0.005;

/// Active experts of a mixture of which that is not known: the usual number of fine-grained ones.
const USUAL_ACTIVE: f64 = 8.0;

/// The shape of what has been checked.
pub(super) fn derive(given: &Architecture, kind: Option<Kind>) -> Result<Shape, Vec<ShapeFault>> {
    let missing = missing(given, kind);
    if !missing.is_empty() {
        return Err(missing);
    }
    Derivation { given, kind, notes: Notes::default() }.shape().map_err(|fault| vec![fault])
}

/// Whether a token uses some of the parameters only.
fn is_mixture(given: &Architecture) -> bool {
    let named = given.experts_per_token.is_some() || given.moe_ffn_size.is_some();
    let sparse = match (given.params_total, given.params_active) {
        (Some(total), Some(active)) => active < 0.9 * total,
        _ => false,
    };
    given.num_experts.map_or(named || sparse, |experts| experts > 0)
}

/// The fields without which nothing can be said.
fn missing(given: &Architecture, kind: Option<Kind>) -> Vec<ShapeFault> {
    let mixture = is_mixture(given);
    let experts = given.num_experts.is_some() && given.experts_per_token.is_some();
    let sized = given.params_total.is_some() || given.params_active.is_some();
    if kind.is_some_and(Kind::is_hybrid) {
        let countable = experts && given.moe_ffn_size.is_some() && given.params_active.is_some();
        let detail =
            "the parameters of a hybrid cannot be counted from its sizes: its vendor's count is needed";
        return if given.params_total.is_some() || countable {
            Vec::new()
        } else {
            vec![ShapeFault::missing("params_total", detail)]
        };
    }
    if sized {
        // A mixture needs its experts, or both counts to tell what they come to.
        let told = !mixture || experts || (given.params_total.is_some() && given.params_active.is_some());
        let detail = "needed, unless params_total and params_active are both given";
        let needed = [("num_experts", given.num_experts), ("experts_per_token", given.experts_per_token)];
        let absent = needed.into_iter().filter(|(_, value)| !told && value.is_none());
        return absent.map(|(field, _)| ShapeFault::missing(field, detail)).collect();
    }
    let layers = [("num_layers", given.num_layers), ("hidden_size", given.hidden_size)];
    let vocabulary = [("vocab_size", given.vocab_size)];
    let dense = [("ffn_size", given.ffn_size)];
    let routed = [
        ("num_experts", given.num_experts),
        ("experts_per_token", given.experts_per_token),
        ("moe_ffn_size", given.moe_ffn_size),
    ];
    let ffn: &[_] = if mixture { &routed } else { &dense };
    let needed = layers.iter().chain(ffn).chain(&vocabulary);
    let absent = needed.filter(|(_, value)| value.is_none());
    absent.map(|(field, _)| ShapeFault::missing(field, "needed, unless params_total is given")).collect()
}

struct Derivation<'g> {
    given: &'g Architecture,
    kind: Option<Kind>,
    notes: Notes,
}

impl Derivation<'_> {
    fn shape(mut self) -> Result<Shape, ShapeFault> {
        let sizes = self.sizes()?;
        let (all, used) = sizes.count();
        let (counted_total, counted_active) = (all.sum(), used.sum());
        let (total_params, active_params) = self.settle(counted_total, counted_active, &sizes)?;
        let (parts, active_parts) = if self.kind.is_some_and(Kind::is_hybrid) {
            hybrid_parts((&all, total_params), (&used, active_params), sizes.experts)
        } else {
            (all.times(total_params / counted_total), used.times(active_params / counted_active))
        };
        let look_up = if sizes.tied { 0.0 } else { active_parts.embeddings };
        Ok(Shape {
            total_params,
            active_params,
            matmul_params: active_parts.sum() - look_up,
            counted_total,
            counted_active,
            parts,
            active_parts,
            layers: sizes.layers,
            hidden: sizes.hidden,
            heads: sizes.heads,
            attention: sizes.attention,
            mix: sizes.mix,
            ffn: sizes.ffn,
            ffn_gated: sizes.matrices > 2.0,
            vocab: sizes.vocab,
            tied_embeddings: sizes.tied,
            experts: sizes.experts,
            sparse_keys: self.given.sparse_attention_keys.filter(|keys| *keys > 0).map(f64::from),
            mtp_layers: self.given.mtp_layers.map_or(0.0, f64::from),
            assumed: self.notes.0,
        })
    }

    /// All sizes: widths and heads first, then the vocabulary, layers, and what is left for feed-forward.
    fn sizes(&mut self) -> Result<Sizes, ShapeFault> {
        let given = self.given;
        let regularity = if is_mixture(given) { regularities::EXPERTS } else { regularities::DENSE };
        let hidden = self.hidden(regularity);
        let (heads, attention) = self.attention(hidden);
        let gated = given.ffn_gated.unwrap_or_else(|| {
            self.notes.take("ffn_gated", 1.0, "three matrices, as in nearly all models since 2023") > 0.0
        });
        let tied = given.tied_embeddings.unwrap_or_else(|| self.tied());
        let mut sizes = Sizes {
            layers: given.num_layers.map_or(1.0, f64::from),
            hidden,
            heads,
            attention,
            mix: LayerMix::default(),
            ffn: given.ffn_size.map_or(0.0, f64::from),
            matrices: if gated { 3.0 } else { 2.0 },
            vocab: 0.0,
            tied,
            experts: None,
        };
        sizes.vocab = self.vocabulary(&sizes);
        sizes.layers = self.layers(&sizes, regularity);
        sizes.mix = attention::layer_mix(given, self.kind, sizes.layers, &mut self.notes);
        self.check_mix(&sizes)?;
        if is_mixture(given) {
            self.mixture(&mut sizes)?;
        } else {
            self.dense_ffn(&mut sizes)?;
        }
        Ok(sizes)
    }

    /// The parameters by which published models are compared: those that a token uses.
    fn scale(&self) -> Option<f64> {
        let given = self.given;
        let used = match (given.num_experts, given.experts_per_token) {
            (Some(experts @ 1..), Some(active)) => 0.05 + 0.95 * f64::from(active) / f64::from(experts),
            _ => 1.0,
        };
        given.params_active.or_else(|| given.params_total.map(|total| total * used))
    }

    fn hidden(&mut self, regularity: Regularity) -> f64 {
        let given = self.given;
        if let Some(hidden) = given.hidden_size {
            return f64::from(hidden);
        }
        if let (Some(heads), Some(width)) = (given.num_heads, given.head_dim) {
            let hidden = f64::from(heads) * f64::from(width);
            return self.notes.take("hidden_size", hidden, "num_heads x head_dim");
        }
        let scale = self.scale().unwrap_or(1.0);
        let usual = regularity.hidden.of(scale);
        let stretched = given.num_layers.map_or(usual, |layers| {
            usual * (regularity.layers.of(scale) / f64::from(layers)).sqrt() // the same layers x width^2
        });
        let hidden = match given.num_heads.map(f64::from) {
            Some(heads) => (stretched / heads).round().max(1.0) * heads,
            None => regularities::whole_heads(stretched),
        };
        self.notes.take("hidden_size", hidden, regularity.said)
    }

    fn attention(&mut self, hidden: f64) -> (f64, Attention) {
        let given = self.given;
        if attention::is_latent(given, self.kind) {
            let latent = attention::latent(given, &mut self.notes);
            let heads = (hidden / latent.value_dim()).floor().max(1.0);
            let how = "hidden_size / v_head_dim";
            return (self.notes.or(given.num_heads, "num_heads", heads, how), latent);
        }
        let (heads, head_dim) = self.heads(hidden);
        let kv_heads = self.kv_heads(heads);
        let value_dim = given.v_head_dim.map_or(head_dim, f64::from);
        let query_rank = given.q_lora_rank.map(f64::from);
        (heads, Attention::Grouped { kv_heads, head_dim, value_dim, query_rank })
    }

    fn heads(&mut self, hidden: f64) -> (f64, f64) {
        let given = self.given;
        match (given.num_heads.map(f64::from), given.head_dim.map(f64::from)) {
            (Some(heads), Some(width)) => (heads, width),
            (Some(heads), None) => {
                (heads, self.notes.take("head_dim", hidden / heads, "hidden_size / num_heads"))
            }
            (None, width) => {
                let how = "the usual width of a head";
                let width =
                    width.unwrap_or_else(|| self.notes.take("head_dim", regularities::head_dim(hidden), how));
                let shared = given.num_kv_heads.map_or(1.0, f64::from);
                let heads = (hidden / width / shared).floor().max(1.0) * shared;
                (self.notes.take("num_heads", heads, "hidden_size / head_dim"), width)
            }
        }
    }

    fn kv_heads(&mut self, heads: f64) -> f64 {
        let given = self.given;
        let up_to_eight =
            || (1..=8_u8).rev().map(f64::from).find(|shared| heads % shared == 0.0).unwrap_or(1.0);
        let (value, how) = match self.kind {
            Some(Kind::Mqa) => (1.0, "one for all heads: multi-query attention"),
            Some(Kind::Gqa) => (up_to_eight(), "the most usual number with grouped queries"),
            Some(Kind::Mha) => (heads, "one for each head: multi-head attention"),
            _ if given.num_heads.is_some() => {
                (heads, "one for each head: nothing says that heads share them")
            }
            _ => (up_to_eight(), "the most usual number"),
        };
        self.notes.or(given.num_kv_heads, "num_kv_heads", value, how)
    }

    fn tied(&mut self) -> bool {
        let small = self.scale().is_some_and(|scale| scale < regularities::TIED_BELOW);
        let how = "models below 5 billion parameters tend to tie them, larger ones do not";
        self.notes.take("tied_embeddings", f64::from(u8::from(small)), how) > 0.0
    }

    fn vocabulary(&mut self, sizes: &Sizes) -> f64 {
        let given = self.given;
        if let Some(vocab) = given.vocab_size {
            return f64::from(vocab);
        }
        let width = Sizes { vocab: 1.0, ..*sizes }.ends();
        if let (Some(total), Some(_), Some(_), false) =
            (given.params_total, given.num_layers, given.ffn_size, is_mixture(given))
        {
            let left = (total - sizes.layers * layer(sizes)) / width;
            if (1_000.0..=1e6).contains(&left) {
                return self.notes.take("vocab_size", left.round(), "what params_total leaves for it");
            }
        }
        let most = self.scale().unwrap_or(0.0) * regularities::VOCABULARY_SHARE / width;
        let vocab = regularities::VOCABULARY.min(most.floor()).max(1.0);
        self.notes.take("vocab_size", vocab, "as usual, and at most a quarter of the parameters")
    }

    fn layers(&mut self, sizes: &Sizes, regularity: Regularity) -> f64 {
        let given = self.given;
        if let Some(layers) = given.num_layers {
            return f64::from(layers);
        }
        let whole = |layers: f64| layers.round().clamp(1.0, 10_000.0);
        if let (Some(total), Some(_), false) = (given.params_total, given.ffn_size, is_mixture(given)) {
            let layers = whole((total - sizes.ends()) / layer(sizes));
            return self.notes.take("num_layers", layers, "what params_total leaves for them");
        }
        let scale = self.scale().unwrap_or(1.0);
        let width = regularity.hidden.of(scale) / sizes.hidden;
        self.notes.take("num_layers", whole(regularity.layers.of(scale) * width * width), regularity.said)
    }

    /// Layers that attend in no way are left to hybrids.
    fn check_mix(&self, sizes: &Sizes) -> Result<(), ShapeFault> {
        let LayerMix { full, windowed, linear, .. } = sizes.mix;
        let attending = full + windowed + linear;
        if attending > sizes.layers {
            let detail = format!(
                "{attending} full, windowed and linear layers are more than the {} there are",
                sizes.layers
            );
            return Err(ShapeFault::contradiction("full_attention_layers", detail));
        }
        if attending < sizes.layers && !self.kind.is_some_and(Kind::is_hybrid) {
            let detail = format!(
                "{full} full, {windowed} windowed and {linear} linear layers leave some of the {} without attention",
                sizes.layers
            );
            return Err(ShapeFault::contradiction("full_attention_layers", detail));
        }
        Ok(())
    }

    fn dense_ffn(&mut self, sizes: &mut Sizes) -> Result<(), ShapeFault> {
        if self.given.ffn_size.is_none() {
            let total = self.given.params_total.or(self.given.params_active).unwrap_or(0.0);
            let left = left_of(total, "params_total", sizes)?;
            let width = left / (sizes.layers * sizes.ffn_of(1.0));
            sizes.ffn = self.notes.take("ffn_size", width, "what params_total leaves for it");
        }
        Ok(())
    }

    fn mixture(&mut self, sizes: &mut Sizes) -> Result<(), ShapeFault> {
        let given = self.given;
        let first = given.first_dense_layers.map_or(0.0, f64::from);
        let every = given.moe_layer_freq.map_or(1.0, f64::from);
        let layers = ((sizes.layers - first) / every).floor();
        if layers < 1.0 {
            let detail = format!("{first} dense layers of {} leave none for experts", sizes.layers);
            return Err(ShapeFault::contradiction("first_dense_layers", detail));
        }
        let shared = given.num_shared_experts.map_or(0.0, f64::from);
        let counts = given.num_experts.zip(given.experts_per_token);
        let mut experts = Experts { layers, routed: 1.0, active: 1.0, shared, ffn: 0.0, shared_ffn: 0.0 };
        let dense = sizes.layers - layers;
        if let Some((routed, active)) = counts {
            (experts.routed, experts.active) = (f64::from(routed), f64::from(active));
        }
        // A dense layer of unknown width is as wide as what a token visits elsewhere: counted as an expert layer.
        sizes.experts =
            Some(if sizes.ffn > 0.0 { experts } else { Experts { layers: sizes.layers, ..experts } });
        let alike = if sizes.ffn > 0.0 { 0.0 } else { dense };
        match counts {
            Some(_) => experts.ffn = self.expert_width(&experts, alike, sizes)?,
            None => self.unknown_experts(&mut experts, alike, sizes)?,
        }
        experts.shared_ffn = given.shared_ffn_size.map_or(experts.ffn, f64::from);
        if dense > 0.0 && given.ffn_size.is_none() {
            let width = experts.active * experts.ffn + shared * experts.shared_ffn;
            sizes.ffn = self.notes.take("ffn_size", width, "as wide as the experts that a token visits");
        }
        if dense == 0.0 {
            sizes.ffn = 0.0;
        }
        sizes.experts = Some(experts);
        Ok(())
    }

    /// The width of an expert: given, or what a count leaves for the experts, `alike` dense layers among them.
    fn expert_width(&mut self, experts: &Experts, alike: f64, sizes: &Sizes) -> Result<f64, ShapeFault> {
        let given = self.given;
        if let Some(width) = given.moe_ffn_size {
            return Ok(f64::from(width));
        }
        let (count, field, visited) = match (given.params_total, given.params_active) {
            (Some(total), _) => (total, "params_total", experts.routed),
            (None, active) => (active.unwrap_or(0.0), "params_active", experts.active),
        };
        let own_shared = given.shared_ffn_size.map(|width| experts.shared * f64::from(width));
        let fixed = own_shared.map_or(0.0, |width| (experts.layers + alike) * sizes.ffn_of(width));
        let shared = if own_shared.is_some() { 0.0 } else { experts.shared };
        let equal = experts.layers * (visited + shared) + alike * (experts.active + shared);
        let left = left_of(count, field, sizes)? - fixed;
        if left <= 0.0 {
            let detail = format!("{count} leaves nothing for routed experts");
            return Err(ShapeFault::contradiction(field, detail));
        }
        Ok(self.notes.take(
            "moe_ffn_size",
            left / (equal * sizes.ffn_of(1.0)),
            "what the parameters leave for it",
        ))
    }

    /// Experts of which only the two counts are known: as many as make up the difference.
    fn unknown_experts(
        &mut self,
        experts: &mut Experts,
        alike: f64,
        sizes: &Sizes,
    ) -> Result<(), ShapeFault> {
        let given = self.given;
        let (total, active) = (given.params_total.unwrap_or(0.0), given.params_active.unwrap_or(0.0));
        let used = left_of(active, "params_active", sizes)?;
        let idle = (total - active) / experts.layers;
        let a_layer = used / (experts.layers + alike);
        let per_width = sizes.ffn_of(1.0);
        let visited = match (given.experts_per_token, given.moe_ffn_size) {
            (Some(visited), _) => f64::from(visited),
            (None, Some(width)) => {
                let shared = given.shared_ffn_size.unwrap_or(width);
                let shared = experts.shared * f64::from(shared);
                let routed = (a_layer / per_width - shared) / f64::from(width);
                self.notes.take("experts_per_token", routed.max(1.0), "what params_active leaves for them")
            }
            (None, None) => {
                self.notes.take("experts_per_token", USUAL_ACTIVE, "the most usual number of small experts")
            }
        };
        let width =
            given.moe_ffn_size.map_or_else(|| a_layer / per_width / (visited + experts.shared), f64::from);
        if given.moe_ffn_size.is_none() {
            self.notes.take("moe_ffn_size", width, "what params_active leaves for it");
        }
        let routed = visited + idle / (per_width * width);
        let how = "what params_total has beyond params_active";
        *experts = Experts {
            routed: self.notes.or(given.num_experts, "num_experts", routed, how),
            active: visited,
            ffn: width,
            ..*experts
        };
        if experts.routed < experts.active {
            let detail =
                format!("{} experts are fewer than the {visited} that a token visits", experts.routed);
            return Err(ShapeFault::contradiction("num_experts", detail));
        }
        Ok(())
    }

    /// The parameters to use: those given, else those counted.
    fn settle(&mut self, total: f64, active: f64, sizes: &Sizes) -> Result<(f64, f64), ShapeFault> {
        let given = self.given;
        let idle = total - active;
        let (all, used) = match (given.params_total, given.params_active) {
            (Some(all), Some(used)) => (all, used),
            (Some(all), None) if all > idle => (all, all - idle),
            (Some(all), None) => (all, all * active / total),
            (None, Some(used)) => (used + idle, used),
            (None, None) => (total, active),
        };
        if given.params_total.is_none() {
            self.notes.take("params_total", all, "counted from the sizes");
        }
        if given.params_active.is_none() && idle > 0.0 {
            self.notes.take("params_active", used, "counted from the sizes");
        }
        if all.max(total) > MOST_PARAMS {
            let detail = format!("these sizes have {:e} parameters, more than is believed", all.max(total));
            return Err(ShapeFault::range("params_total", detail));
        }
        if self.kind.is_some_and(Kind::is_hybrid) {
            return Ok((all, used));
        }
        self.agree("params_total", all, total)?;
        self.agree("params_active", used, active)?;
        let without = |given: f64, counted: f64| {
            (given - (counted - sizes.ends())).abs() < LEFT_OUT * counted
                && (given - counted).abs() > LEFT_OUT * counted
        };
        if self.is_whole() && without(all, total) && without(used, active) {
            let how = "counted from the sizes: the count given leaves the embeddings out";
            self.notes.take("params_total", total, how);
            self.notes.take("params_active", active, how);
            return Ok((total, active));
        }
        Ok((all, used))
    }

    /// Whether all sizes that parameters are counted from are given.
    fn is_whole(&self) -> bool {
        let derived = ["num_layers", "hidden_size", "vocab_size", "ffn_size", "moe_ffn_size", "num_experts"];
        !self.notes.0.iter().any(|note| derived.contains(&note.field))
    }

    fn agree(&self, field: &'static str, given: f64, counted: f64) -> Result<(), ShapeFault> {
        let most = if self.is_whole() { MAY_DIFFER.0 } else { MAY_DIFFER.1 };
        let ratio = given / counted;
        if (1.0 / most..=most).contains(&ratio) {
            return Ok(());
        }
        let detail = format!("{given:e} is {ratio:.2} times the {counted:e} that the sizes come to");
        Err(ShapeFault::contradiction(field, detail))
    }
}

/// Parameters of one dense layer with full attention.
fn layer(sizes: &Sizes) -> f64 {
    sizes.attention.params(sizes.hidden, sizes.heads) + sizes.ffn_of(sizes.ffn)
}

/// What a count leaves when embeddings, attention and dense layers are taken off.
fn left_of(count: f64, field: &'static str, sizes: &Sizes) -> Result<f64, ShapeFault> {
    let taken = sizes.ends() + sizes.attention() + sizes.dense_layers() * sizes.ffn_of(sizes.ffn);
    if count > taken {
        return Ok(count - taken);
    }
    let detail = format!("{count} leaves nothing for feed-forward layers: the others have {taken:.0}");
    Err(ShapeFault::contradiction(field, detail))
}

/// The parts of a hybrid, whose mixers are only roughly counted and whose layers with experts may be few.
///
/// Embeddings are exact; routed experts are as counted, or, where that is far off, what makes the difference
/// of the two totals; the rest is shared among the others.
fn hybrid_parts(all: (&Parts, f64), used: (&Parts, f64), experts: Option<Experts>) -> (Parts, Parts) {
    let share = experts.map_or(1.0, |experts| experts.active / experts.routed);
    let idle = all.1 - used.1;
    let told = if share < 1.0 { idle / (1.0 - share) } else { 0.0 };
    let counted = all.0.routed_experts;
    let near = (0.9..1.1).contains(&(counted / told));
    let routed = if near { counted } else { told };
    (all.0.brought_to(all.1, routed), used.0.brought_to(used.1, routed * share))
}
