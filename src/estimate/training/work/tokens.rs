//! Next-token training: `flops = training_flops_per_token · tokens`.

use super::{Counted, Models, StageWork, Work, reader::Reader};
use crate::{
    catalog::architecture::Shape,
    estimate::{
        desk::Sourced,
        fault::FaultKind,
        training::stage::{TokenStage, TokenStageKind},
        uncertain::Uncertain,
    },
};

/// Tokens of one sequence where nothing says how many.
pub(super) const USUAL_SEQUENCE: f64 = 4096.0;

/// The work of pre-training, of extending the context, of further training.
///
/// - `F`: [`Shape::training_flops_per_token`] at the stage's own sequence length, causal: `6·N_mm + 3·A`
/// - `D`: tokens, repeats included
///
/// Work `F·D`. Predicting further tokens adds [`Shape::mtp_flops_per_token`], kept apart: published MFU leave
/// them out. Source: Kaplan et al. 2020, arXiv:2001.08361; attention as in DeepSeek-V3, arXiv:2412.19437.
pub(super) fn of<'a>(
    stage: &TokenStage,
    models: Models<'_>,
    reader: &mut Reader<'_, 'a, '_>,
) -> StageWork<'a> {
    let tokens = reader.count("tokens", stage.tokens, "token");
    let length = match (stage.sequence_length, stage.stage) {
        (None, TokenStageKind::ContextExtension) if reader.wanted.flops => {
            reader.fault("sequence_length", FaultKind::MissingField { name: "sequence_length".to_owned() });
            None
        }
        (length, _) => reader.count_or("sequence_length", length, usual_sequence(models), "token"),
    };
    let tokens = tokens.map(|tokens| Counted::quotient("tokens", [("tokens", tokens)], []));
    let mut main = trained(tokens, length, models.trained);
    main.mtp_flops = mtp(&main, models.trained);
    StageWork { main, ..StageWork::default() }
}

/// Tokens of one sequence where the request does not say: 4096, or all that the model takes.
pub(super) fn usual_sequence(models: Models<'_>) -> f64 {
    models.context_length.map_or(USUAL_SEQUENCE, |most| most.clamp(1.0, USUAL_SEQUENCE))
}

/// Training all parameters on so many tokens.
pub(super) fn trained<'a>(
    tokens: Option<Counted<'a>>,
    length: Option<Sourced<'a>>,
    shape: Option<&Shape>,
) -> Work<'a> {
    let flops = tokens.as_ref().zip(length.as_ref()).zip(shape).map(|((tokens, length), shape)| {
        let per_token = length.value.map(|length| shape.training_flops_per_token(length));
        let factors = [
            ("training_flops_per_token", Sourced::derived(per_token, "FLOP")),
            ("tokens", tokens.sourced("token")),
        ];
        Counted::quotient("training_flops_per_token * tokens", factors, [])
    });
    Work { tokens, flops, sequence_length: length, ..Work::default() }
}

fn mtp(work: &Work<'_>, shape: Option<&Shape>) -> Option<Uncertain> {
    let shape = shape.filter(|shape| shape.mtp_layers > 0.0)?;
    let per_token = work.sequence_length.as_ref()?.value.map(|length| shape.mtp_flops_per_token(length));
    Some(&work.tokens.as_ref()?.value * &per_token)
}
