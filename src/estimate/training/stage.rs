//! Stages of a training as requests spell them.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use crate::catalog::names;
use crate::estimate::{
    api_usage::request::ApiUsage,
    fault::{Fault, FaultKind, pointer},
    figure::{Figure, Price},
    number::Count,
    object::ByName,
    request::{Fields, read_as},
    shape,
    tally::Tally,
};

/// How many stages one training may have.
pub const MOST_STAGES: usize = 64;

/// A number format that training multiplies in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// 32-bit.
    Fp32,
    /// 19-bit, on tensor cores.
    Tf32,
    /// 16-bit IEEE.
    Fp16,
    /// 16-bit brain float.
    Bf16,
    /// 8-bit.
    Fp8,
    /// 8-bit in blocks with a shared scale.
    Mxfp8,
    /// 4-bit in blocks with a shared scale.
    Nvfp4,
}

impl<'de> Deserialize<'de> for Precision {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::ALL
            .into_iter()
            .find(|precision| precision.name() == name)
            .ok_or_else(|| shape::unknown_precision(&name))
    }
}

impl Precision {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Fp32, Self::Tf32, Self::Fp16, Self::Bf16, Self::Fp8, Self::Mxfp8, Self::Nvfp4];

    /// As requests spell it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Fp32 => "fp32",
            Self::Tf32 => "tf32",
            Self::Fp16 => "fp16",
            Self::Bf16 => "bf16",
            Self::Fp8 => "fp8",
            Self::Mxfp8 => "mxfp8",
            Self::Nvfp4 => "nvfp4",
        }
    }
}

/// What is known of a stage's work or time; what is known wins over what is modelled, first over last.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Known {
    /// Hours of one GPU, all in.
    pub gpu_hours: Option<Figure>,
    /// Days, all in, with the number of GPUs.
    pub days: Option<Figure>,
    /// Tokens a second on each GPU, in steady state.
    pub tokens_per_second_per_gpu: Option<Figure>,
    /// Model FLOPs (causal attention) over the dense BF16 peak, in steady state.
    pub mfu: Option<Figure>,
    /// Its arithmetic.
    pub flops: Option<Figure>,
}

macro_rules! stages {
    ($($(#[doc = $doc:literal])+ $name:ident { $($(#[$meta:meta])* $field:ident: $type:ty,)* })+) => {$(
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Deserialize, ToSchema)]
        #[serde(deny_unknown_fields)]
        pub struct $name {
            $($(#[$meta])* pub $field: $type,)*
            /// Your own description of it.
            #[schema(example = "first epoch")]
            pub label: Option<String>,
            /// Numbers that it multiplies in. Default: `bf16`, or `fp16` where the part has no `bf16`.
            pub precision: Option<Precision>,
            /// Hours of one GPU, all in; wins over everything else.
            pub gpu_hours: Option<Figure>,
            /// Days, all in, with `count` GPUs.
            pub days: Option<Figure>,
            /// Tokens a second on each GPU, in steady state: goodput still applies.
            pub tokens_per_second_per_gpu: Option<Figure>,
            /// Model FLOPs (causal attention) over the dense BF16 peak, in (0, 1], in steady state: goodput still applies.
            pub mfu: Option<Figure>,
            /// Its arithmetic, where the shape does not say it.
            pub flops: Option<Figure>,
        }

        impl $name {
            /// What is known of its work or time.
            #[must_use]
            pub fn known(&self) -> Known {
                let Self { gpu_hours, days, tokens_per_second_per_gpu, mfu, flops, .. } = *self;
                Known { gpu_hours, days, tokens_per_second_per_gpu, mfu, flops }
            }
        }
    )+};
}

stages! {
    /// Next-token training on a stream of tokens.
    TokenStage {
        /// Which: `pretraining`, `context_extension` or `continued_pretraining`.
        stage: TokenStageKind,
        /// Tokens seen, repeats included.
        tokens: Option<Figure>,
        /// Tokens of one sequence. Default: 4096, or the shape's context length where it is shorter; a context extension has to say.
        #[schema(value_type = Option<Figure>)]
        sequence_length: Option<Figure>,
    }
    /// Supervised fine-tuning.
    SftStage {
        /// Always `sft`.
        stage: SftStageKind,
        /// How many examples.
        examples: Option<Figure>,
        /// Tokens of one example.
        tokens_per_example: Option<Figure>,
        /// Tokens in all, in place of examples.
        tokens: Option<Figure>,
        /// How often each is seen. Default: 1.
        epochs: Option<Figure>,
        /// What is trained. Default: all parameters.
        #[serde(default)]
        method: Method,
        /// Adapter parameters of `lora` and `qlora`. Default: an assumption, as a share of the model.
        adapter_params: Option<Figure>,
        /// Share of each sequence that is not padding, in (0, 1]. Default: 1, packed.
        packing_efficiency: Option<Figure>,
    }
    /// Preference tuning.
    PreferenceStage {
        /// Always `preference`.
        stage: PreferenceStageKind,
        /// How. Default: `dpo`.
        #[serde(default)]
        algorithm: PreferenceAlgorithm,
        /// How many pairs of answers.
        pairs: Option<Figure>,
        /// Tokens of one prompt with one answer; a pair is two.
        tokens_per_example: Option<Figure>,
        /// How often each pair is seen. Default: 1.
        epochs: Option<Figure>,
        /// What is trained. Default: all parameters.
        #[serde(default)]
        method: Method,
        /// Adapter parameters of `lora` and `qlora`. Default: an assumption, as a share of the model.
        adapter_params: Option<Figure>,
        /// The reference model's log-probabilities were computed before, and cost nothing here.
        #[serde(default)]
        #[schema(example = false)]
        cached_reference: bool,
    }
    /// Reinforcement learning.
    RlStage {
        /// Always `rl`.
        stage: RlStageKind,
        /// How. Default: `grpo`.
        #[serde(default)]
        algorithm: RlAlgorithm,
        /// Prompts in all, over the whole run.
        prompts: Option<Figure>,
        /// Answers to each prompt. Default: 1 with `ppo`, 16 with `grpo`.
        group_size: Option<Figure>,
        /// Tokens of one prompt.
        prompt_tokens: Option<Figure>,
        /// Tokens of one answer, on average.
        response_tokens: Option<Figure>,
        /// How often each answer is trained on. Default: 1.
        epochs: Option<Figure>,
        /// Who judges. Default: a rule.
        #[serde(default)]
        reward: Reward,
        /// Parameters of the reward model, with `reward: model`. Default: as many as are active in the model trained.
        reward_params: Option<Figure>,
        /// Money for one judgement: a sandbox, a hosted judge. Default with `sandbox`: an assumption.
        reward_cost_per_sample: Option<Price>,
        /// Currency of `reward_cost_per_sample`.
        #[schema(value_type = Option<String>, default = "USD", example = "USD")]
        currency: Option<Box<str>>,
        /// No reference model holds the policy near where it began (no KL term).
        #[serde(default)]
        #[schema(example = false)]
        no_reference: bool,
        /// The next step's answers are written while this one's are trained on.
        #[serde(default)]
        #[schema(example = false)]
        asynchronous: bool,
    }
    /// Distillation: a student learns from a teacher.
    DistillationStage {
        /// Always `distillation`.
        stage: DistillationStageKind,
        /// A model of the catalog (its logits are learnt, on this hardware), or a workload that writes the samples: a call of
        /// `api_usage` (its `output_tokens` are `tokens_per_sample`), or `serving` without a load.
        #[schema(value_type = TeacherSchema)]
        teacher: Box<RawValue>,
        /// Samples that the student learns from.
        samples: Option<Figure>,
        /// Tokens of one sample.
        tokens_per_sample: Option<Figure>,
        /// Share of the teacher's samples that are kept, in (0, 1]. Default: 1.
        accept_rate: Option<Figure>,
        /// How often each sample is seen. Default: 1.
        epochs: Option<Figure>,
        /// What is trained. Default: all parameters.
        #[serde(default)]
        method: Method,
        /// Adapter parameters of `lora` and `qlora`. Default: an assumption, as a share of the model.
        adapter_params: Option<Figure>,
        #[serde(skip)]
        #[doc(hidden)]
        #[schema(ignore)]
        read_teacher: Option<Teacher>,
    }
    /// Prompting: nothing is trained.
    PromptingStage {
        /// Always `prompting`.
        stage: PromptingStageKind,
        /// Examples in the prompt.
        examples: Option<Figure>,
        /// Tokens of one example.
        tokens_per_example: Option<Figure>,
    }
}

impl DistillationStage {
    /// Who teaches; none before the stage has been read.
    #[must_use]
    pub fn teacher(&self) -> Option<&Teacher> {
        self.read_teacher.as_ref()
    }
}

/// Who teaches.
#[derive(Debug, Clone)]
pub enum Teacher {
    /// A model whose logits are learnt, on the same hardware.
    Logits(String),
    /// A hosted model that writes the samples.
    Hosted(Box<ApiUsage>),
    /// A model that writes the samples on the same hardware.
    SelfRun(Box<SelfRun>),
}

/// A teacher that runs on the hardware of the training.
#[derive(Debug, Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SelfRun {
    /// Always `serving`.
    pub kind: ServingKind,
    /// A model of the catalog whose shape is known.
    #[schema(example = "deepseek-r1")]
    pub model: String,
    /// Tokens a second that each GPU writes. Default: from the part's memory bandwidth.
    pub output_tokens_per_second_per_gpu: Option<Figure>,
}

/// A teacher: the name of a model, or a workload.
#[expect(clippy::large_enum_variant, reason = "a schema: there is never one")]
#[derive(ToSchema)]
#[serde(untagged)]
pub enum TeacherSchema {
    /// A model of the catalog.
    #[schema(example = "llama-3.1-70b")]
    Model(String),
    /// Calls to a hosted model.
    Hosted(ApiUsage),
    /// A model on the same hardware.
    SelfRun(SelfRun),
}

macro_rules! words {
    ($($(#[doc = $doc:literal])+ $name:ident { $(#[doc = $first_doc:literal] $first:ident $(= $first_word:literal)?),+ $(; default $default:ident)? })+) => {$(
        $(#[doc = $doc])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize, Serialize, ToSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $(#[doc = $first_doc] $(#[serde(rename = $first_word)])? $first,)+
        }

        $(impl Default for $name {
            fn default() -> Self {
                Self::$default
            }
        })?
    )+};
}

words! {
    /// Stages that learn from a stream of tokens.
    TokenStageKind {
        /// From nothing.
        Pretraining,
        /// To longer sequences.
        ContextExtension,
        /// Further, on other data.
        ContinuedPretraining
    }
    /// Names the stage.
    SftStageKind {
        /// Supervised fine-tuning.
        Sft
    }
    /// Names the stage.
    PreferenceStageKind {
        /// Preference tuning.
        Preference
    }
    /// Names the stage.
    RlStageKind {
        /// Reinforcement learning.
        Rl
    }
    /// Names the stage.
    DistillationStageKind {
        /// Distillation.
        Distillation
    }
    /// Names the stage.
    PromptingStageKind {
        /// Prompting.
        Prompting
    }
    /// Names the kind of workload.
    ServingKind {
        /// Running a model oneself.
        Serving
    }
    /// What is trained.
    Method {
        /// All parameters.
        Full,
        /// Small matrices beside frozen ones.
        Lora,
        /// The same beside frozen weights of 4 bits.
        Qlora
        ; default Full
    }
    /// How preferences are learnt.
    PreferenceAlgorithm {
        /// Direct preference optimisation.
        Dpo
        ; default Dpo
    }
    /// How rewards are learnt from.
    RlAlgorithm {
        /// Group-relative policy optimisation: no value model.
        Grpo,
        /// Proximal policy optimisation: policy, reference, reward and value model.
        Ppo
        ; default Grpo
    }
    /// Who judges an answer.
    Reward {
        /// A rule that costs nothing.
        Rule,
        /// A reward model on the same hardware.
        Model,
        /// A sandbox that runs it.
        Sandbox
        ; default Rule
    }
}

/// A part of a training.
#[derive(Debug, Clone, ToSchema)]
#[serde(untagged)]
#[schema(discriminator(property_name = "stage", mapping(
    ("pretraining" = "#/components/schemas/TokenStage"),
    ("context_extension" = "#/components/schemas/TokenStage"),
    ("continued_pretraining" = "#/components/schemas/TokenStage"),
    ("sft" = "#/components/schemas/SftStage"),
    ("preference" = "#/components/schemas/PreferenceStage"),
    ("rl" = "#/components/schemas/RlStage"),
    ("distillation" = "#/components/schemas/DistillationStage"),
    ("prompting" = "#/components/schemas/PromptingStage"),
)))]
pub enum Stage {
    /// Next-token training.
    Tokens(TokenStage),
    /// Supervised fine-tuning.
    Sft(SftStage),
    /// Preference tuning.
    Preference(PreferenceStage),
    /// Reinforcement learning.
    Rl(RlStage),
    /// Distillation.
    Distillation(DistillationStage),
    /// Prompting.
    Prompting(PromptingStage),
}

const STAGES: [&str; 8] = [
    "pretraining",
    "context_extension",
    "continued_pretraining",
    "sft",
    "preference",
    "rl",
    "distillation",
    "prompting",
];

impl Stage {
    /// Reads a stage that stands at `base`.
    pub(crate) fn read(raw: &RawValue, base: &str) -> Result<Self, Fault> {
        let Ok(Fields(fields)) = serde_json::from_str::<Fields<'_>>(raw.get()) else {
            return Err(Fault::new(base, FaultKind::wrong_type("must be a JSON object")));
        };
        let Some((_, name)) = fields.iter().find(|(name, _)| name == "stage") else {
            let kind = FaultKind::MissingField { name: "stage".to_owned() };
            return Err(Fault::new(pointer(base, "stage"), kind));
        };
        let name: String = serde_json::from_str(name.get())
            .map_err(|_| Fault::new(pointer(base, "stage"), FaultKind::wrong_type("must be a string")))?;
        match name.as_str() {
            "pretraining" | "context_extension" | "continued_pretraining" => {
                read_as(&fields, base).map(Self::Tokens)
            }
            "sft" => read_as(&fields, base).map(Self::Sft),
            "preference" => read_as(&fields, base).map(Self::Preference),
            "rl" => read_as(&fields, base).map(Self::Rl),
            "prompting" => read_as(&fields, base).map(Self::Prompting),
            "distillation" => {
                let mut stage: DistillationStage = read_as(&fields, base)?;
                let place = pointer(base, "teacher");
                stage.read_teacher = Some(Teacher::read(&stage.teacher, stage.tokens_per_sample, &place)?);
                Ok(Self::Distillation(stage))
            }
            _ => {
                let near = names::near(&name, STAGES.into_iter());
                let known = STAGES.into_iter();
                let kind = FaultKind::UnknownStage {
                    near: if near.is_empty() { known.map(str::to_owned).collect() } else { near },
                    name,
                };
                Err(Fault::new(pointer(base, "stage"), kind))
            }
        }
    }

    /// Its name, as requests spell it.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Tokens(stage) => match stage.stage {
                TokenStageKind::Pretraining => "pretraining",
                TokenStageKind::ContextExtension => "context_extension",
                TokenStageKind::ContinuedPretraining => "continued_pretraining",
            },
            Self::Sft(_) => "sft",
            Self::Preference(_) => "preference",
            Self::Rl(_) => "rl",
            Self::Distillation(_) => "distillation",
            Self::Prompting(_) => "prompting",
        }
    }

    /// What is known of its work or time.
    #[must_use]
    pub fn known(&self) -> Known {
        match self {
            Self::Tokens(stage) => stage.known(),
            Self::Sft(stage) => stage.known(),
            Self::Preference(stage) => stage.known(),
            Self::Rl(stage) => stage.known(),
            Self::Distillation(stage) => stage.known(),
            Self::Prompting(stage) => stage.known(),
        }
    }

    /// The caller's own description of it.
    #[must_use]
    pub fn label(&self) -> Option<&str> {
        match self {
            Self::Tokens(stage) => stage.label.as_deref(),
            Self::Sft(stage) => stage.label.as_deref(),
            Self::Preference(stage) => stage.label.as_deref(),
            Self::Rl(stage) => stage.label.as_deref(),
            Self::Distillation(stage) => stage.label.as_deref(),
            Self::Prompting(stage) => stage.label.as_deref(),
        }
    }

    /// Numbers that it multiplies in, where it says so.
    #[must_use]
    pub fn precision(&self) -> Option<Precision> {
        match self {
            Self::Tokens(stage) => stage.precision,
            Self::Sft(stage) => stage.precision,
            Self::Preference(stage) => stage.precision,
            Self::Rl(stage) => stage.precision,
            Self::Distillation(stage) => stage.precision,
            Self::Prompting(stage) => stage.precision,
        }
    }
}

impl Teacher {
    fn read(raw: &RawValue, tokens: Option<Figure>, base: &str) -> Result<Self, Fault> {
        if let Ok(name) = serde_json::from_str::<String>(raw.get()) {
            return Ok(Self::Logits(name));
        }
        let Ok(Fields(fields)) = serde_json::from_str::<Fields<'_>>(raw.get()) else {
            let kind = FaultKind::wrong_type("must be the name of a model, or a workload");
            return Err(Fault::new(base, kind));
        };
        let kind = fields.iter().find(|(name, _)| name == "kind").map(|(_, raw)| raw.get());
        match kind {
            None | Some("\"api_usage\"") => {
                let mut usage: ApiUsage = read_as(&fields, base)?;
                a_sample_a_call(&mut usage, tokens, base)?;
                Ok(Self::Hosted(Box::new(usage)))
            }
            Some("\"serving\"") => read_as(&fields, base).map(|run| Self::SelfRun(Box::new(run))),
            Some(_) => {
                let kind = FaultKind::out_of_range("must be `api_usage` or `serving`");
                Err(Fault::new(pointer(base, "kind"), kind))
            }
        }
    }
}

/// One call writes one sample: what it puts out is what the stage says of a sample.
fn a_sample_a_call(usage: &mut ApiUsage, tokens: Option<Figure>, base: &str) -> Result<(), Fault> {
    let contradiction = |field: &str, detail: &str| {
        Err(Fault::new(format!("{base}/{field}"), FaultKind::Contradiction { detail: detail.to_owned() }))
    };
    if usage.calls.is_some_and(|calls| calls != Tally::ONE) {
        return contradiction("calls", "a teacher is called once for each sample; leave `calls` out");
    }
    if usage.usage_from.is_some() {
        return contradiction("usage_from", "a call writes `tokens_per_sample`; leave `usage_from` out");
    }
    let Some(tokens) = tokens.filter(|tokens| !tokens.is_zero()) else { return Ok(()) };
    let Count(count) = Count::parse(&format!("{:.0}", tokens.mid().ceil()))
        .map_err(|detail| Fault::new(base, FaultKind::out_of_range(detail)))?;
    let count = Tally::exact(count);
    let ByName(counts) = usage.usage.get_or_insert_default();
    match counts.iter().find(|(meter, _)| &**meter == "output_tokens") {
        Some((_, given)) if *given != count => {
            contradiction("usage/output_tokens", "differs from the stage's `tokens_per_sample`")
        }
        Some(_) => Ok(()),
        None => {
            counts.push(("output_tokens".into(), count));
            Ok(())
        }
    }
}
