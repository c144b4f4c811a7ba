//! The accelerator of a request: one of the catalog, or one described by its figures.

use jiff::civil::Date;

use super::request::{GpuGiven, GpuSheet};
use crate::{
    catalog::{
        gpu::{DenseTflops, Gpu, Interconnect},
        names,
        rows::Versioned,
        time::start_of_day,
    },
    estimate::{
        desk::{Desk, Sourced},
        fault::FaultKind,
        quote::{Ref, Reference, RowConditions},
        shape::cut,
        training::stage::Precision,
        uncertain::Uncertain,
    },
};

/// Where the accelerator stands in an item.
const PLACE: &str = "/hardware/gpu";

/// What an accelerator is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Part<'a> {
    /// Its row; none for one that the request describes.
    pub(crate) row: Option<&'a Versioned<Gpu>>,
    /// The catalog's id, or what the request calls it.
    pub(crate) name: &'a str,
    pub(crate) vendor: Option<&'a str>,
    /// `Hopper`.
    pub(crate) generation: Option<&'a str>,
    #[cfg_attr(not(test), expect(dead_code, reason = "serving reads it"))]
    pub(crate) launch_date: Option<Date>,
    /// Bytes a second.
    pub(crate) memory_bandwidth: Option<f64>,
    /// The fast link, one direction, bytes a second: half of both directions added, where only that is known.
    pub(crate) peer_bandwidth: Option<f64>,
    /// Devices that the fast link joins: those of a server, where nothing else is known.
    pub(crate) fast_domain_gpus: Option<u32>,
    pub(crate) tdp_w: Option<f64>,
    pub(crate) server_max_power_kw: Option<f64>,
    pub(crate) gpus_per_server: Option<u32>,
    /// As labelled, decimal GB.
    memory_gb: Option<f64>,
    /// As the driver reports it.
    memory_bytes: Option<f64>,
    tflops: &'a DenseTflops,
}

impl<'a> Part<'a> {
    /// The accelerator that a request names or describes; none, and faults, where the name is not known or a figure
    /// makes no sense.
    pub(crate) fn find(desk: &mut Desk<'a, '_>, given: &'a GpuGiven) -> Option<Self> {
        match given {
            GpuGiven::Name(name) => Self::named(desk, name),
            GpuGiven::Sheet(sheet) => Self::described(desk, sheet),
        }
    }

    fn named(desk: &mut Desk<'a, '_>, name: &str) -> Option<Self> {
        let view = desk.view();
        let Some(row) = view.gpu(name) else {
            let gpus = || view.known(&view.snapshot().history().gpus).map(|row| &row.row);
            let mut near = names::near(name, gpus().map(|gpu| gpu.id.as_str()));
            if near.is_empty() {
                near = names::near(name, gpus().flat_map(|gpu| gpu.aliases.iter().map(String::as_str)));
            }
            desk.fault(PLACE, FaultKind::UnknownGpu { name: cut(name), near });
            return None;
        };
        let part = Self::of_row(row);
        part.cite(desk);
        Some(part)
    }

    pub(crate) fn of_row(row: &'a Versioned<Gpu>) -> Self {
        let gpu = &row.row;
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        let memory_bytes = gpu.memory_bytes.map(|bytes| bytes as f64);
        Self {
            row: Some(row),
            name: gpu.id.as_str(),
            vendor: Some(&gpu.vendor),
            generation: gpu.architecture.as_deref(),
            launch_date: gpu.launch_date,
            memory_bandwidth: positive(Some(gpu.memory_bandwidth_gbs)).map(giga),
            peer_bandwidth: peer_bandwidth(gpu.peer_gbs_one_way, gpu.interconnect.as_ref()),
            fast_domain_gpus: gpu.fast_domain_gpus.or(gpu.gpus_per_server),
            tdp_w: positive(gpu.tdp_w),
            server_max_power_kw: positive(gpu.server_max_power_kw),
            gpus_per_server: gpu.gpus_per_server.filter(|gpus| *gpus > 0),
            memory_gb: positive(Some(gpu.memory_gb)),
            memory_bytes: positive(memory_bytes),
            tflops: &gpu.dense_tflops,
        }
    }

    fn described(desk: &mut Desk<'a, '_>, sheet: &'a GpuSheet) -> Option<Self> {
        let before = desk.faults.len();
        refuse_nonsense(desk, sheet);
        (desk.faults.len() == before).then(|| Self {
            row: None,
            name: sheet.name.as_deref().unwrap_or("the accelerator"),
            vendor: None,
            generation: sheet.architecture.as_deref(),
            launch_date: None,
            memory_bandwidth: sheet.memory_bandwidth_gbs.map(giga),
            peer_bandwidth: peer_bandwidth(sheet.peer_gbs_one_way, sheet.interconnect.as_deref()),
            fast_domain_gpus: sheet.fast_domain_gpus.or(sheet.gpus_per_server),
            tdp_w: sheet.tdp_w,
            server_max_power_kw: sheet.server_max_power_kw,
            gpus_per_server: sheet.gpus_per_server,
            memory_gb: sheet.memory_gb,
            memory_bytes: sheet.memory_bytes,
            tflops: &sheet.dense_tflops,
        })
    }

    pub(crate) fn cite(&self, desk: &mut Desk<'a, '_>) {
        let (Some(key), Some(row)) = (self.reference(), self.row) else { return };
        desk.references.add(key, || Reference {
            source: row.row.source.as_deref(),
            observed_at: row.row.observed_at,
            effective_from: row.row.launch_date.and_then(start_of_day),
            effective_to: None,
            conditions: RowConditions::Always {},
            value: None,
            note: row.row.notes.as_deref(),
            revision: row.introduced.0,
        });
    }

    /// Its row as lines cite it.
    pub(crate) fn reference(&self) -> Option<Ref<'a>> {
        self.row.map(|row| Ref::Gpu(row.row.id.as_str()))
    }

    /// What the defaults of the arithmetic call its kind: `h100` of `h100-sxm5-80gb`, `tpu` of `tpu-v4`.
    /// None for one that the request describes: its name says nothing.
    pub(crate) fn family(&self) -> Option<&'a str> {
        self.row.map(|_| self.name.split_once('-').map_or(self.name, |(family, _)| family))
    }

    /// Whether it sits on a board of its own and not on a vendor's common one: the figures known for whole servers
    /// are of the latter.
    pub(crate) fn is_pcie(&self) -> bool {
        self.row.is_some_and(|row| row.row.form_factor.as_deref() == Some("PCIe"))
    }

    /// Memory as labelled, decimal GB.
    pub(crate) fn labelled_gb(&self) -> Option<f64> {
        self.memory_gb
    }

    /// A figure of its sheet.
    pub(crate) fn figure(&self, value: f64, unit: &'static str) -> Sourced<'a> {
        match self.reference() {
            Some(reference) => Sourced::listed(value, unit, reference),
            None => Sourced::given(Uncertain::exact(value), unit),
        }
    }

    /// Dense peaks, as the data sheet has them.
    pub(crate) fn tflops(&self) -> &'a DenseTflops {
        self.tflops
    }

    /// Dense peak in a precision, FLOP/s; none where the part lacks it.
    ///
    /// Formats in blocks came with 4-bit units: `mxfp8` runs at the FP8 peak of parts that have an FP4 one, and
    /// `nvfp4` at the FP4 peak of NVIDIA's, or of a part that the request describes.
    pub(crate) fn peak(&self, precision: Precision) -> Option<f64> {
        let DenseTflops { fp32, tf32, fp16, bf16, fp8, fp4, .. } = *self.tflops;
        let tflops = match precision {
            Precision::Fp32 => fp32,
            Precision::Tf32 => tf32,
            Precision::Fp16 => fp16,
            Precision::Bf16 => bf16,
            Precision::Fp8 => fp8,
            Precision::Mxfp8 => positive(fp4).and(fp8),
            Precision::Nvfp4 => fp4.filter(|_| self.vendor.is_none_or(|vendor| vendor == "NVIDIA")),
        };
        positive(tflops).map(|tflops| tflops * 1e12)
    }

    /// The dense peak that utilisation is measured by: BF16, or FP16 on parts without it.
    pub(crate) fn reference_peak(&self) -> Option<(Precision, f64)> {
        let peak = |precision| self.peak(precision).map(|peak| (precision, peak));
        peak(Precision::Bf16).or_else(|| peak(Precision::Fp16))
    }

    /// The same as an input; where there is none, a fault.
    pub(crate) fn need_reference_peak(&self, desk: &mut Desk<'a, '_>) -> Option<Sourced<'a>> {
        let peak = self.reference_figure();
        if peak.is_none() && self.row.is_none() {
            missing(desk, "/dense_tflops", "bf16");
        } else if peak.is_none() {
            let detail = format!("no dense BF16 or FP16 peak of `{}` is known", self.name);
            once(desk, PLACE, FaultKind::MissingPeak { detail });
        }
        peak
    }

    /// The same, where there is one.
    pub(crate) fn reference_figure(&self) -> Option<Sourced<'a>> {
        self.reference_peak().map(|(_, peak)| self.figure(peak, "FLOP/s"))
    }

    /// Whether anything is known of its memory.
    pub(crate) fn has_memory(&self) -> bool {
        self.memory_bytes.or(self.memory_gb).is_some()
    }

    /// What a stage multiplies in when it does not say.
    pub(crate) fn default_precision(&self) -> Precision {
        self.reference_peak().map_or(Precision::Bf16, |(precision, _)| precision)
    }

    /// Whether the part multiplies in a precision.
    pub(crate) fn check_precision(&self, precision: Precision) -> Result<(), FaultKind> {
        if self.peak(precision).is_some() {
            return Ok(());
        }
        let has: Vec<&str> = Precision::ALL
            .into_iter()
            .filter(|known| self.peak(*known).is_some())
            .map(Precision::name)
            .collect();
        let has = if has.is_empty() { "no peak that is known".to_owned() } else { has.join(", ") };
        let (gpu, precision) = (cut(self.name), precision.name().to_owned());
        Err(FaultKind::PrecisionLacking { gpu, precision, has })
    }

    /// Its memory in bytes: the driver's figure, or the label's gigabytes times what drivers report for one; where
    /// neither is known, a fault.
    pub(crate) fn memory(&self, desk: &mut Desk<'a, '_>) -> Option<Sourced<'a>> {
        if let Some(bytes) = self.memory_bytes {
            return Some(self.figure(bytes, "byte"));
        }
        let Some(labelled) = self.memory_gb else {
            missing(desk, "", "memory_gb");
            return None;
        };
        let factor = desk.assumption("hardware.memory_bytes_per_labelled_byte")?;
        Some(Sourced {
            value: factor.value.times(giga(labelled)),
            unit: "byte".into(),
            origin: factor.origin,
            reference: factor.reference,
        })
    }

    /// Its memory bandwidth in bytes a second; where it is not known, a fault.
    pub(crate) fn need_memory_bandwidth(&self, desk: &mut Desk<'a, '_>) -> Option<Sourced<'a>> {
        let Some(bandwidth) = self.memory_bandwidth else {
            missing(desk, "", "memory_bandwidth_gbs");
            return None;
        };
        Some(self.figure(bandwidth, "byte/s"))
    }
}

fn giga(figure: f64) -> f64 {
    figure * 1e9
}

fn positive(figure: Option<f64>) -> Option<f64> {
    figure.filter(|figure| figure.is_finite() && *figure > 0.0)
}

fn peer_bandwidth(one_way: Option<f64>, link: Option<&Interconnect>) -> Option<f64> {
    let both_ways = || link.and_then(|link| link.gbs_per_gpu_bidirectional).map(|both| both / 2.0);
    positive(one_way.or_else(both_ways)).map(giga)
}

/// A figure of the request's own sheet is missing.
pub(super) fn missing(desk: &mut Desk<'_, '_>, under: &str, name: &str) {
    once(desk, &format!("{PLACE}{under}"), FaultKind::MissingField { name: name.to_owned() });
}

/// A fault that several stages may come upon.
fn once(desk: &mut Desk<'_, '_>, field: &str, kind: FaultKind) {
    let pointer = desk.place(field);
    if !desk.faults.iter().any(|fault| fault.pointer == pointer && fault.kind == kind) {
        desk.fault(field, kind);
    }
}

fn refuse_nonsense(desk: &mut Desk<'_, '_>, sheet: &GpuSheet) {
    const MOST: f64 = 1e9; // a thousandfold of anything built
    const MOST_BYTES: f64 = 1e18;
    let GpuSheet { dense_tflops: tflops, interconnect, .. } = sheet;
    let both_ways = interconnect.as_ref().and_then(|link| link.gbs_per_gpu_bidirectional);
    let figures = [
        ("memory_gb", sheet.memory_gb, MOST),
        ("memory_bytes", sheet.memory_bytes, MOST_BYTES),
        ("memory_bandwidth_gbs", sheet.memory_bandwidth_gbs, MOST),
        ("dense_tflops/fp32", tflops.fp32, MOST),
        ("dense_tflops/tf32", tflops.tf32, MOST),
        ("dense_tflops/fp16", tflops.fp16, MOST),
        ("dense_tflops/bf16", tflops.bf16, MOST),
        ("dense_tflops/fp8", tflops.fp8, MOST),
        ("dense_tflops/int8", tflops.int8, MOST),
        ("dense_tflops/fp4", tflops.fp4, MOST),
        ("interconnect/gbs_per_gpu_bidirectional", both_ways, MOST),
        ("peer_gbs_one_way", sheet.peer_gbs_one_way, MOST),
        ("fast_domain_gpus", sheet.fast_domain_gpus.map(f64::from), MOST),
        ("tdp_w", sheet.tdp_w, MOST),
        ("server_max_power_kw", sheet.server_max_power_kw, MOST),
        ("gpus_per_server", sheet.gpus_per_server.map(f64::from), MOST),
    ];
    for (field, figure, most) in figures {
        let Some(figure) = figure else { continue };
        if !(figure > 0.0 && figure <= most) {
            let detail = format!("must be above 0 and at most {most:e}, got {figure}");
            desk.fault(&format!("{PLACE}/{field}"), FaultKind::OutOfRange { detail });
        }
    }
}
