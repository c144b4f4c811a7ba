//! Preference tuning: direct preference optimisation.

use super::{Counted, Models, StageWork, reader::Reader, sft};
use crate::estimate::{desk::Sourced, training::stage::PreferenceStage};

/// The work of DPO: two sequences a pair, each trained on, and seen once by the reference model: `(F + f)·D`.
///
/// - `D = 2 · pairs · tokens_per_example · epochs`
/// - `F`: training FLOPs for each token, `6·N_mm + 3·A`; of adapters as in fine-tuning
/// - `f`: forward FLOPs for each token of the reference, `2·N_mm + A`; nothing with `cached_reference`
///
/// Source: Rafailov et al. 2023, arXiv:2305.18290, equation 7.
pub(super) fn of<'a>(
    stage: &PreferenceStage,
    models: Models<'_>,
    reader: &mut Reader<'_, 'a, '_>,
) -> StageWork<'a> {
    let pairs = reader.count("pairs", stage.pairs, "pair");
    let each = reader.count("tokens_per_example", stage.tokens_per_example, "token");
    let epochs = reader.times("epochs", stage.epochs);
    let length = each.clone();
    let tokens = pairs.zip(each).zip(epochs).map(|((pairs, each), epochs)| {
        let mut tokens = Counted::quotient(
            "2 * pairs * tokens_per_example * epochs",
            [("pairs", pairs), ("tokens_per_example", each), ("epochs", epochs)],
            [],
        );
        tokens.value = tokens.value.times(2.0);
        tokens
    });
    let mut main = sft::learnt(stage.method, stage.adapter_params, tokens, length, models.trained, reader);
    if !stage.cached_reference {
        let passes = main.flops.take().zip(main.tokens.as_ref()).zip(main.sequence_length.as_ref());
        main.flops = passes.zip(models.trained).map(|(((learning, tokens), length), shape)| {
            let per_token = length.value.map(|length| shape.forward_flops_per_token(length));
            let value = &learning.value + &(&per_token * &tokens.value);
            Counted {
                value,
                formula: "learning_flops + reference_flops_per_token * tokens",
                inputs: vec![
                    ("learning_flops", learning.sourced("FLOP")),
                    ("reference_flops_per_token", Sourced::derived(per_token, "FLOP")),
                    ("tokens", tokens.sourced("token")),
                ],
            }
        });
    }
    StageWork { main, ..StageWork::default() }
}
