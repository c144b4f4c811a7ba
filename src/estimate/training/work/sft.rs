//! Supervised fine-tuning, of all parameters or of adapters beside frozen ones.

use super::{Counted, Models, StageWork, Work, reader::Reader, tokens};
use crate::{
    catalog::architecture::{Mask, Shape},
    estimate::{
        desk::{Desk, Sourced},
        fault::FaultKind,
        figure::Figure,
        training::stage::{Method, SftStage},
        uncertain::Uncertain,
    },
};

/// The work of supervised fine-tuning: `F·D/e`, with `D = examples · tokens_per_example · epochs`.
///
/// - `F`: [`Shape::training_flops_per_token`] at the length of one example; of adapters, see [`learnt`]
/// - `e`: share of each sequence that is not padding; the padding is computed, too
pub(super) fn of<'a>(stage: &SftStage, models: Models<'_>, reader: &mut Reader<'_, 'a, '_>) -> StageWork<'a> {
    let length = match stage.tokens_per_example {
        None => reader.count_or("tokens_per_example", None, tokens::usual_sequence(models), "token"),
        given => reader.optional("tokens_per_example", given, "token"),
    };
    let epochs = reader.times("epochs", stage.epochs);
    let packing = reader.share("packing_efficiency", stage.packing_efficiency);
    let tokens = seen(stage, reader).zip(epochs).zip(packing).map(|((seen, epochs), packing)| match seen {
        Seen::Tokens(tokens) => Counted::quotient(
            "tokens * epochs / packing_efficiency",
            [("tokens", tokens), ("epochs", epochs)],
            [("packing_efficiency", packing)],
        ),
        Seen::Examples(examples, each) => Counted::quotient(
            "examples * tokens_per_example * epochs / packing_efficiency",
            [("examples", examples), ("tokens_per_example", each), ("epochs", epochs)],
            [("packing_efficiency", packing)],
        ),
    });
    let main = learnt(stage.method, stage.adapter_params, tokens, length, models.trained, reader);
    StageWork { main, ..StageWork::default() }
}

/// What is learnt from.
enum Seen<'a> {
    Tokens(Sourced<'a>),
    Examples(Sourced<'a>, Sourced<'a>),
}

fn seen<'a>(stage: &SftStage, reader: &mut Reader<'_, 'a, '_>) -> Option<Seen<'a>> {
    let SftStage { tokens, examples, tokens_per_example, .. } = *stage;
    if let Some(tokens) = tokens {
        let product = examples.zip(tokens_per_example).map(|(count, each)| count.mid() * each.mid());
        if let Some(product) = product.filter(|product| (product / tokens.mid() - 1.0).abs() > 0.01) {
            let detail =
                format!("{} tokens are not examples times tokens_per_example, {product}", tokens.mid());
            reader.fault("tokens", FaultKind::Contradiction { detail });
        }
        return reader.count("tokens", Some(tokens), "token").map(Seen::Tokens);
    }
    let examples = reader.count("examples", examples, "example");
    let each = reader.count("tokens_per_example", tokens_per_example, "token");
    examples.zip(each).map(|(examples, each)| Seen::Examples(examples, each))
}

/// Learning from so many tokens, by a method.
///
/// All parameters: [`Shape::training_flops_per_token`]. Adapters (`lora`, `qlora`): `f·N_mm + 6·N_a + 3·A` for each token
///
/// - `f`: FLOPs for each frozen parameter, forward and back, without gradients of its own: 4 (the assumption
///   `training.lora.flops_per_param`; by NVIDIA's speeds of a 70B model 3.97 against 6.19)
/// - `N_a`: parameters of the adapters, given, or the share `training.lora.adapter_share` of all
/// - `A`: attention forward, which is gone through in full both ways
///
/// `qlora` is the same work: no source tells the time that unpacking 4-bit weights takes, and none is added.
pub(super) fn learnt<'a>(
    method: Method,
    adapter_params: Option<Figure>,
    tokens: Option<Counted<'a>>,
    length: Option<Sourced<'a>>,
    shape: Option<&Shape>,
    reader: &mut Reader<'_, 'a, '_>,
) -> Work<'a> {
    if method == Method::Full {
        if adapter_params.is_some() {
            let detail =
                "all parameters are trained: there are no adapters without `lora` or `qlora`".to_owned();
            reader.fault("adapter_params", FaultKind::Contradiction { detail });
        }
        return tokens::trained(tokens, length, shape);
    }
    let adapters =
        adapter_params.and_then(|_| reader.optional("adapter_params", adapter_params, "parameter"));
    if !reader.wanted.flops {
        return Work { tokens, sequence_length: length, ..Work::default() };
    }
    let flops = tokens.as_ref().zip(length.as_ref()).zip(shape).and_then(|((tokens, length), shape)| {
        let adapters = match adapters {
            Some(given) => given,
            None => adapters_of(shape, reader.desk)?,
        };
        Some(adapted(
            tokens,
            length,
            shape,
            adapters,
            reader.desk.assumption("training.lora.flops_per_param")?,
        ))
    });
    Work { tokens, flops, sequence_length: length, ..Work::default() }
}

/// Parameters of adapters that nobody counted: the share `training.lora.adapter_share` of all.
fn adapters_of<'a>(shape: &Shape, desk: &mut Desk<'a, '_>) -> Option<Sourced<'a>> {
    let mut adapters = desk.assumption("training.lora.adapter_share")?;
    adapters.value = adapters.value.times(shape.total_params);
    adapters.unit = "parameter".into();
    Some(adapters)
}

fn adapted<'a>(
    tokens: &Counted<'a>,
    length: &Sourced<'a>,
    shape: &Shape,
    adapter_params: Sourced<'a>,
    flops_per_param: Sourced<'a>,
) -> Counted<'a> {
    let attention = length.value.map(|length| 3.0 * shape.attention_flops_per_token(length, Mask::Causal));
    let frozen = flops_per_param.value.times(shape.matmul_params);
    let per_token = &(&frozen + &adapter_params.value.times(6.0)) + &attention;
    Counted {
        value: &per_token * &tokens.value,
        formula: "(flops_per_param * matmul_params + 6 * adapter_params + attention_flops_per_token) * tokens",
        inputs: vec![
            ("flops_per_param", flops_per_param),
            ("matmul_params", Sourced::derived(Uncertain::exact(shape.matmul_params), "parameter")),
            ("adapter_params", adapter_params),
            ("attention_flops_per_token", Sourced::derived(attention, "FLOP")),
            ("tokens", tokens.sourced("token")),
        ],
    }
}
