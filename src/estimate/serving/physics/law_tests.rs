//! What must hold of every model, part, layout and load.

use std::sync::LazyLock;

use proptest::{prelude::*, test_runner::TestCaseError};

use super::{
    Constants, Device, Engine, Format, Formats, Layout, Load, Model, Replica, Rules,
    tests::{BUILT_IN, constants},
};
use crate::{
    catalog::architecture::Shape,
    estimate::serving::{candidates::Fixed, request::Parallelism},
};

static CONSTANTS: LazyLock<Constants> = LazyLock::new(constants);

/// Every shape of the catalog.
static SHAPES: LazyLock<Vec<Shape>> = LazyLock::new(|| {
    let rows = BUILT_IN.history().models.iter().filter_map(|row| row.row.architecture.as_ref());
    rows.filter_map(|architecture| Shape::of(architecture).ok()).collect()
});

const H100: Device = Device {
    bf16: 989.4e12,
    fp8: Some(1978.9e12),
    fp4: None,
    bandwidth: 3.35e12,
    memory: 85.5e9,
    link: Some(450e9),
    domain: 8.0,
};

#[derive(Debug, Clone, Copy)]
struct Case {
    shape: usize,
    gpus: u32,
    layout: usize,
    batch: f64,
    load: Load,
}

fn cases() -> impl Strategy<Value = Case> {
    let sizes = prop_oneof![Just(1_u32), Just(2), Just(4), Just(8), Just(16), Just(64)];
    let lengths = (1.0_f64..100_000.0, 1.0_f64..10_000.0, 0.0_f64..0.99);
    (any::<usize>(), sizes, any::<usize>(), 0.0_f64..10.0, lengths).prop_map(
        |(shape, gpus, layout, batch, (input, output, cached))| Case {
            shape,
            gpus,
            layout,
            batch: batch.exp2(),
            load: Load { input, output, cached },
        },
    )
}

/// Output tokens a second of the case with its batch.
fn rate(case: Case, device: &Device, load: Load, batch: f64) -> f64 {
    of(case, device, |replica| replica.step(load, batch).output_rate())
}

fn of<T>(case: Case, device: &Device, figure: impl Fn(&Replica<'_>) -> T) -> T {
    let shape = &SHAPES[case.shape % SHAPES.len()];
    let layouts = Fixed { gpus: Some(case.gpus), parallelism: Parallelism::default() }.layouts(shape);
    let layout = layouts.get(case.layout % layouts.len().max(1)).copied().unwrap_or(Layout::ONE);
    let formats = Formats { weights: Format::Fp8, kv_cache: Format::Bf16 };
    let rules = Rules { engine: Engine::Any, speed: 1.0 };
    let model = Model::of(shape);
    figure(&Replica::new(&model, device, &CONSTANTS, layout, formats, rules))
}

fn at_most(less: f64, more: f64) -> Result<(), TestCaseError> {
    prop_assert!(less <= more * (1.0 + 1e-9), "{less} is more than {more}");
    Ok(())
}

proptest! {
    #[test]
    fn more_bandwidth_is_never_slower(case in cases(), factor in 1.0_f64..10.0) {
        let faster = Device { bandwidth: H100.bandwidth * factor, ..H100 };
        at_most(rate(case, &H100, case.load, case.batch), rate(case, &faster, case.load, case.batch))?;
    }

    #[test]
    fn more_arithmetic_is_never_slower(case in cases(), factor in 1.0_f64..10.0) {
        let fp8 = H100.fp8.map(|peak| peak * factor);
        let faster = Device { bf16: H100.bf16 * factor, fp8, ..H100 };
        at_most(rate(case, &H100, case.load, case.batch), rate(case, &faster, case.load, case.batch))?;
    }

    #[test]
    fn a_longer_prompt_is_never_cheaper(case in cases(), factor in 1.0_f64..10.0) {
        let longer = Load { input: case.load.input * factor, ..case.load };
        at_most(rate(case, &H100, longer, case.batch), rate(case, &H100, case.load, case.batch))?;
        let [first, second] = [case.load, longer].map(|load| of(case, &H100, |it| it.largest_batch(load)));
        prop_assert!(first <= 0.0 || second <= first * (1.0 + 1e-9));
    }

    #[test]
    fn a_larger_cached_share_is_never_dearer(case in cases(), share in 0.0_f64..1.0) {
        let more = Load { cached: case.load.cached + (1.0 - case.load.cached) * share, ..case.load };
        at_most(rate(case, &H100, case.load, case.batch), rate(case, &H100, more, case.batch))?;
    }

    /// Up to the limit of time a token costs less and less.
    #[test]
    fn a_larger_batch_never_writes_fewer_tokens(case in cases(), factor in 1.0_f64..10.0) {
        let larger = case.batch * factor;
        at_most(rate(case, &H100, case.load, case.batch), rate(case, &H100, case.load, larger))?;
    }

    /// A pool of its own decodes at least as fast as a replica that computes prompts, too.
    #[test]
    fn decoding_alone_is_never_slower(case in cases()) {
        let alone = of(case, &H100, |it| it.decoding(case.load, case.batch).iteration);
        at_most(alone, of(case, &H100, |it| it.step(case.load, case.batch).iteration))?;
    }
}
