//! What could serve: parts with their formats, and the layouts that divide a model.

use super::{
    asked::{Asked, engine_name},
    factor_ids,
    physics::{Constants, Device, Engine, Format, Formats, Layout, Rules},
    request::{Parallelism, Serving},
};
use crate::{
    catalog::{
        architecture::{Attention, Shape},
        time::utc_day,
    },
    estimate::{
        desk::Desk, fault::FaultKind, hardware::part::Part, quote::Ref, subject::Subject,
        training::stage::Precision,
    },
};

/// Accelerators of the largest replica that is searched for.
const MOST_GPUS: u32 = 64;

/// The same of a mixture: experts are spread over whole clusters.
const MOST_GPUS_OF_A_MIXTURE: u32 = 256;

/// Layers that a pipeline stage has at least, where nobody asks for fewer.
const LAYERS_A_STAGE: f64 = 8.0;

/// A part that could serve, in base units.
#[derive(Debug)]
pub(super) struct Server<'a> {
    pub(super) part: Part<'a>,
    pub(super) device: Device,
    pub(super) formats: Formats,
    pub(super) rules: Rules,
}

impl<'a> Desk<'a, '_> {
    /// The constants; none, and faults, where the catalog lacks one.
    pub(super) fn constants(&mut self) -> Option<Constants> {
        let (view, at) = (self.view(), self.instant());
        let mut missing = Vec::new();
        let constants = Constants::read(|id| {
            let row = view.assumption(id, at);
            if row.is_none() {
                missing.push(id);
            }
            row.map(|row| row.row.mid)
        });
        for id in missing {
            self.fault("", FaultKind::MissingAssumption { id: id.to_owned(), as_of: at });
        }
        constants
    }

    /// A part that could serve; none, and a fault, where a figure of its sheet or its precision is missing.
    pub(super) fn server(
        &mut self,
        part: Part<'a>,
        asked: &Asked,
        subject: &Subject<'a>,
        constants: &Constants,
    ) -> Option<Server<'a>> {
        let memory = part.memory(self)?.value.mid();
        let bandwidth = part.need_memory_bandwidth(self)?.value.mid();
        let bf16 = part.need_reference_peak(self)?.value.mid();
        let peak = |tflops: Option<f64>| tflops.filter(|tflops| *tflops > 0.0).map(|tflops| tflops * 1e12);
        let device = Device {
            bf16,
            fp8: peak(part.tflops().fp8),
            fp4: peak(part.tflops().fp4),
            bandwidth,
            memory,
            link: part.peer_bandwidth,
            domain: f64::from(part.fast_domain_gpus.unwrap_or(1).max(1)),
        };
        let weights = match asked.weights {
            Some(format) => {
                self.check_format(&part, format)?;
                format
            }
            None => released_in(subject)
                .filter(|format| lacking(&part, *format).is_none())
                .unwrap_or(Format::Bf16),
        };
        let formats = Formats { weights, kv_cache: asked.kv_cache };
        let rules =
            Rules { engine: asked.engine, speed: self.speed(&part, asked.engine, subject, constants) };
        Some(Server { part, device, formats, rules })
    }

    fn check_format(&mut self, part: &Part<'a>, format: Format) -> Option<()> {
        let Some(precision) = lacking(part, format) else { return Some(()) };
        if let Err(kind) = part.check_precision(precision) {
            self.fault("/precision/weights", kind);
        }
        None
    }

    /// `F`: the factors of engine, part and family, each 1 where nobody has measured it, and the drift.
    fn speed(&self, part: &Part<'a>, engine: Engine, subject: &Subject<'a>, constants: &Constants) -> f64 {
        let ids = factor_ids(part, engine, subject);
        let rows = ids.iter().filter_map(|id| self.view().assumption(id, self.instant()));
        let factors: f64 = rows.map(|row| row.row.mid).product();
        let date = utc_day(self.instant());
        let year = f64::from(date.year()) + f64::from(date.day_of_year()) / 365.25;
        factors * constants.drift_of(year)
    }

    /// The factors of a speed as lines cite them.
    pub(super) fn cite_factors(&mut self, server: &Server<'a>, subject: &Subject<'a>) -> Vec<Ref<'a>> {
        let ids = factor_ids(&server.part, server.rules.engine, subject);
        let known = |id: &String| self.view().assumption(id, self.instant()).is_some();
        let ids: Vec<String> = ids.into_iter().filter(known).collect();
        ids.iter().filter_map(|id| self.assumption(id)?.reference).collect()
    }
}

/// The rows that a speed may rest on.
fn factor_ids(part: &Part<'_>, engine: Engine, subject: &Subject<'_>) -> Vec<String> {
    let mut ids: Vec<String> = Vec::with_capacity(3);
    ids.extend(engine_name(engine).map(factor_ids::engine));
    if part.row.is_some() {
        ids.push(factor_ids::gpu(part.name));
    }
    ids.extend(subject.family.map(|family| factor_ids::family(family, subject.shape.is_moe())));
    ids
}

/// The format that the weights were released in, where it is one of those known.
fn released_in(subject: &Subject<'_>) -> Option<Format> {
    Format::named(subject.released_in.as_deref()?)
}

/// The precision that a format needs and a part lacks.
fn lacking(part: &Part<'_>, format: Format) -> Option<Precision> {
    let needs = match format {
        Format::Fp8 => Precision::Fp8,
        Format::Nvfp4 => Precision::Nvfp4,
        Format::Int8 if part.tflops().int8.is_none() => Precision::Fp8,
        _ => return None, // unpacked to 16 bits before they are multiplied
    };
    part.peak(needs).is_none().then_some(needs)
}

impl<'a> Desk<'a, '_> {
    /// Refuses degrees that do not divide the model or the replica.
    pub(super) fn check_parallelism(&mut self, item: &Serving, subject: &Subject<'a>) {
        let shape = &subject.shape;
        let Parallelism { tensor, pipeline, expert, attention_data } = item.parallelism.0;
        let size = item.hardware.gpus_per_replica;
        let zero = [
            ("/parallelism/tensor", tensor),
            ("/parallelism/pipeline", pipeline),
            ("/parallelism/expert", expert),
            ("/parallelism/attention_data", attention_data),
            ("/hardware/gpus_per_replica", size),
        ];
        for (field, degree) in zero {
            if let Some(degree) = degree.filter(|degree| !(1..=65_536).contains(degree)) {
                let detail = format!("must be from 1 to 65536, got {degree}");
                self.fault(field, FaultKind::OutOfRange { detail });
            }
        }
        let say = |desk: &mut Self, field: &str, detail: String| {
            desk.fault(field, FaultKind::Contradiction { detail });
        };
        if let Some(tensor) = tensor.filter(|tensor| !divides_heads(*tensor, shape)) {
            let known = (1..=tensor.min(1024)).filter(|degree| divides_heads(*degree, shape));
            let known: Vec<String> = known.map(|degree| degree.to_string()).collect();
            let (heads, kv) = (shape.heads, shape.kv_heads());
            let detail = format!(
                "{tensor} does not divide {heads} heads with {kv} of keys and values; {} do",
                known.join(", ")
            );
            say(self, "/parallelism/tensor", detail);
        }
        if let Some(pipeline) = pipeline.filter(|pipeline| f64::from(*pipeline) > shape.layers) {
            say(
                self,
                "/parallelism/pipeline",
                format!("{pipeline} stages are more than {} layers", shape.layers),
            );
        }
        let experts = shape.experts.map_or(1.0, |experts| experts.routed);
        if let Some(expert) = expert.filter(|expert| !divides(*expert, experts)) {
            let known = (1..=expert.min(1024)).filter(|degree| divides(*degree, experts));
            let known: Vec<String> = known.map(|degree| degree.to_string()).collect();
            let detail = format!("{expert} does not divide {experts} experts; {} do", known.join(", "));
            say(self, "/parallelism/expert", detail);
        }
        let degrees = [tensor, pipeline, attention_data].map(|degree| degree.unwrap_or(1));
        let product =
            degrees.iter().fold(1_u64, |product, degree| product.saturating_mul(u64::from(*degree)));
        let all = tensor.is_some() && pipeline.is_some() && attention_data.is_some();
        if let Some(size) = size.map(u64::from).filter(|size| *size > 0 && product > 0)
            && (size % product != 0 || (all && size != product))
        {
            let detail =
                format!("a replica of {size} is not {product} in tensor, pipeline and attention_data");
            say(self, "/parallelism", detail);
        }
    }
}

fn divides(degree: u32, of: f64) -> bool {
    degree > 0 && of % f64::from(degree) == 0.0
}

fn divides_heads(tensor: u32, shape: &Shape) -> bool {
    let shared = match shape.attention {
        Attention::Grouped { kv_heads, .. } => {
            divides(tensor, kv_heads) || f64::from(tensor) % kv_heads == 0.0
        }
        Attention::Latent { .. } => true,
    };
    divides(tensor, shape.heads) && shared
}

/// What is fixed of a layout before the search.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fixed {
    /// Accelerators of a replica.
    pub(super) gpus: Option<u32>,
    pub(super) parallelism: Parallelism,
}

impl Fixed {
    /// Every layout that divides the model: replicas of the size given, or else of powers of two up to 64, or 256 of a
    /// mixture; experts on each accelerator of a stage, or in parts on all (see [`Fixed::refined`]).
    pub(super) fn layouts(self, shape: &Shape) -> Vec<Layout> {
        let Parallelism { tensor, pipeline, expert, attention_data } = self.parallelism;
        let sizes = self.gpus.map_or_else(|| self.sizes(shape.is_moe()), |size| vec![size]);
        let mut all = Vec::new();
        for size in sizes {
            for t in degrees(tensor, size).filter(|t| divides_heads(*t, shape)) {
                for p in degrees(pipeline, size / t) {
                    let ranks = size / t / p;
                    let thin = pipeline.is_none() && p > 1 && shape.layers < LAYERS_A_STAGE * f64::from(p);
                    let other = attention_data.is_some_and(|wanted| wanted != ranks);
                    let idle = attention_data.is_none() && ranks > 1 && !shape.is_moe();
                    if thin || other || idle {
                        continue;
                    }
                    let layout = Layout { tensor: t, pipeline: p, expert: 1, attention_data: ranks };
                    let ends = experts(expert, layout.stage(), shape);
                    let ends = ends.filter(|e| expert.is_some() || *e == 1 || *e == layout.stage());
                    all.extend(ends.map(|expert| Layout { expert, ..layout }));
                }
            }
        }
        all
    }

    /// The same layout with every degree of expert parallelism between the two ends.
    pub(super) fn refined(self, layout: Layout, shape: &Shape) -> impl Iterator<Item = Layout> {
        let wanted = self.parallelism.expert;
        let between = move |e: &u32| wanted.is_none() && *e > 1 && *e < layout.stage();
        experts(wanted, layout.stage(), shape).filter(between).map(move |expert| Layout { expert, ..layout })
    }

    /// Sizes of a replica: all that is fixed times powers of two.
    fn sizes(self, is_mixture: bool) -> Vec<u32> {
        let Parallelism { tensor, pipeline, attention_data, .. } = self.parallelism;
        let fixed = [tensor, pipeline, attention_data];
        let product = fixed.iter().flatten().fold(1_u32, |product, degree| product.saturating_mul(*degree));
        if fixed.iter().all(Option::is_some) {
            return vec![product];
        }
        let most = if is_mixture { MOST_GPUS_OF_A_MIXTURE } else { MOST_GPUS };
        let doubled = std::iter::successors(Some(product), |size| size.checked_mul(2));
        let sizes: Vec<u32> = doubled.take_while(|size| *size <= most).collect();
        if sizes.is_empty() { vec![product] } else { sizes }
    }
}

/// Degrees that divide a number of devices: the one wanted, or all.
fn degrees(wanted: Option<u32>, size: u32) -> impl Iterator<Item = u32> {
    let (from, to) = wanted.map_or((1, size), |wanted| (wanted, wanted));
    (from..=to).filter(move |degree| *degree > 0 && size.is_multiple_of(*degree))
}

/// Degrees of expert parallelism in a stage of so many devices.
fn experts(wanted: Option<u32>, stage: u32, shape: &Shape) -> impl Iterator<Item = u32> {
    let routed = shape.experts.map(|experts| experts.routed);
    let (wanted, stage) = if routed.is_some() { (wanted, stage) } else { (Some(1), 1) };
    degrees(wanted, stage).filter(move |degree| routed.is_none_or(|routed| divides(*degree, routed)))
}
