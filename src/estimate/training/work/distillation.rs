//! Distillation: the student's fine-tuning, and what its teacher does.

use super::{Counted, Models, StageWork, TeacherWork, Work, reader::Reader, sft};
use crate::estimate::{
    desk::Sourced,
    fault::FaultKind,
    training::stage::{DistillationStage, Teacher},
};

/// The work of a distillation.
///
/// The student is fine-tuned on `D = samples · tokens_per_sample · epochs`. The teacher
///
/// - whose logits are learnt: `f_T·D`, a forward pass over all that the student sees, `f_T = 2·N_mm + A` of the teacher
///   (Llama 3.2: 86K of 916K H100-hours)
/// - that is hosted: `samples / accept_rate` calls, of `tokens_per_sample` put out each
/// - that runs on this hardware: writes `samples · tokens_per_sample / accept_rate` tokens
pub(super) fn of<'a>(
    stage: &DistillationStage,
    models: Models<'_>,
    reader: &mut Reader<'_, 'a, '_>,
) -> StageWork<'a> {
    let samples = reader.count("samples", stage.samples, "sample");
    let each = reader.count("tokens_per_sample", stage.tokens_per_sample, "token");
    let epochs = reader.times("epochs", stage.epochs);
    let accepted = reader.share("accept_rate", stage.accept_rate);
    let length = each.clone();
    let counts = samples.zip(each);
    let tokens = counts.clone().zip(epochs).map(|((samples, each), epochs)| {
        let factors = [("samples", samples), ("tokens_per_sample", each), ("epochs", epochs)];
        Counted::quotient("samples * tokens_per_sample * epochs", factors, [])
    });
    let teacher = match stage.teacher() {
        Some(Teacher::Logits(_)) => {
            if stage.accept_rate.is_some() {
                let detail = "a teacher whose logits are learnt writes no samples that could be turned down"
                    .to_owned();
                reader.fault("accept_rate", FaultKind::Contradiction { detail });
            }
            Some(TeacherWork::Passes(passes(tokens.as_ref(), length.as_ref(), models)))
        }
        Some(Teacher::Hosted(_)) => counts.zip(accepted).map(|((samples, _), accepted)| TeacherWork::Calls {
            calls: Counted::quotient(
                "samples / accept_rate",
                [("samples", samples)],
                [("accept_rate", accepted)],
            ),
        }),
        Some(Teacher::SelfRun(_)) => {
            counts.zip(accepted).map(|((samples, each), accepted)| TeacherWork::Writes {
                tokens: Counted::quotient(
                    "samples * tokens_per_sample / accept_rate",
                    [("samples", samples), ("tokens_per_sample", each.clone())],
                    [("accept_rate", accepted)],
                ),
                tokens_per_sample: each,
            })
        }
        None => None,
    };
    let main = sft::learnt(stage.method, stage.adapter_params, tokens, length, models.trained, reader);
    StageWork { main, teacher, ..StageWork::default() }
}

/// The teacher's passes over what the student sees.
fn passes<'a>(tokens: Option<&Counted<'a>>, length: Option<&Sourced<'a>>, models: Models<'_>) -> Work<'a> {
    let flops = tokens.zip(length).zip(models.teacher).map(|((tokens, length), teacher)| {
        let per_token = length.value.map(|length| teacher.forward_flops_per_token(length));
        let factors = [
            ("forward_flops_per_token", Sourced::derived(per_token, "FLOP")),
            ("tokens", tokens.sourced("token")),
        ];
        Counted::quotient("forward_flops_per_token * tokens", factors, [])
    });
    Work { tokens: tokens.cloned(), flops, sequence_length: length.cloned(), ..Work::default() }
}
