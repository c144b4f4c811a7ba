//! Which field of which row lies in which column.

use std::collections::BTreeMap;

use super::cells::{CellProblem, Cells, Value};
use crate::catalog::{
    assumption::Assumption,
    calendar::Calendar,
    energy::EnergyPrice,
    fx::FxRate,
    gpu::{Gpu, GpuPurchase, GpuRental, MarketIndex},
    ids::MeterId,
    meter::Meter,
    model::Model,
    offering::Offering,
    provider::Provider,
    published_run::PublishedRun,
    published_throughput::PublishedThroughput,
    rate_card::{Modifier, Rate, RateCard},
    rows::{Revision, Row},
    scenario::Scenario,
};

/// Something with a column for each of its fields.
pub(super) trait Columns: Sized {
    /// The columns, in order.
    const COLUMNS: &'static [&'static str];

    /// A value for each column, in order; or the column that has none, by its place, and why.
    fn values(&self) -> Result<Vec<Value>, (usize, CellProblem)>;

    /// Reads the columns, in order.
    fn read(cells: &mut Cells<'_>) -> Result<Self, CellProblem>;
}

/// A row of the catalog: its table has the columns of [`VERSION_COLUMNS`] first.
pub(super) trait Stored: Row + Columns {}

impl<T: Row + Columns> Stored for T {}

/// What every row of the catalog has besides its own columns.
pub(super) const VERSION_COLUMNS: [&str; 3] = ["row_id", "revision", "superseded_by"];

macro_rules! columns {
    ($($row:ident { $($field:ident: $column:literal,)+ $(; $elsewhere:ident)? })+) => {$(
        impl Columns for $row {
            const COLUMNS: &'static [&'static str] = &[$($column,)+];

            fn values(&self) -> Result<Vec<Value>, (usize, CellProblem)> {
                let mut values = Vec::with_capacity(Self::COLUMNS.len());
                $(values.push(super::cells::Cell::to_value(&self.$field).map_err(|problem| (values.len(), problem))?);)+
                Ok(values)
            }

            fn read(cells: &mut Cells<'_>) -> Result<Self, CellProblem> {
                Ok(Self {
                    $($field: cells.take()?,)+
                    $($elsewhere: Default::default(),)?
                })
            }
        }
    )+};
}

/// A rate with the card and the meter it belongs to.
#[derive(Debug)]
pub(super) struct RateRow {
    pub(super) rate_card: i64,
    pub(super) meter: MeterId,
    amount: rust_decimal::Decimal,
    per: Option<rust_decimal::Decimal>,
    min_quantity: Option<u64>,
}

impl RateRow {
    /// The table.
    pub(super) const TABLE: &'static str = "rate";

    /// The rates of a card.
    pub(super) fn of_card(rate_card: i64, rates: &BTreeMap<MeterId, Rate>) -> impl Iterator<Item = Self> {
        rates.iter().map(move |(meter, rate)| {
            let Rate { amount, per, min_quantity } = *rate;
            Self { rate_card, meter: meter.clone(), amount, per, min_quantity }
        })
    }

    /// The rate alone.
    pub(super) fn rate(&self) -> Rate {
        Rate { amount: self.amount, per: self.per, min_quantity: self.min_quantity }
    }
}

columns! {
    Revision {
        revision: "revision",
        made_at: "made_at_ms",
        actor: "actor",
        reason: "reason",
        rows_added: "rows_added",
        rows_superseded: "rows_superseded",
        content_hash: "content_hash",
        catalog_version: "catalog_version",
    }
    Provider {
        id: "provider_id",
        name: "name",
        website: "website",
        pricing_urls: "pricing_urls",
        same_vendor_as: "same_vendor_as",
        own_api: "own_api",
        also_resells: "also_resells",
        source: "source",
        observed_at: "observed_at",
    }
    Meter {
        id: "meter_id",
        name: "name",
        unit: "unit",
        per: "per",
        part_of: "part_of",
        description: "description",
        source: "source",
        observed_at: "observed_at",
    }
    Calendar {
        id: "calendar_id",
        time_zone: "time_zone",
        covers_from: "covers_from",
        covers_to: "covers_to",
        dates: "dates",
        source: "source",
        observed_at: "observed_at",
    }
    Model {
        id: "model_id",
        name: "name",
        developer: "developer",
        family: "family",
        released: "released",
        license: "license",
        class: "class",
        aliases: "aliases",
        architecture: "architecture",
        source: "source",
        observed_at: "observed_at",
    }
    Offering {
        id: "offering_id",
        provider: "provider_id",
        name: "name",
        aliases: "aliases",
        model: "model_id",
        first_party: "first_party",
        kind: "kind",
        context_window: "context_window",
        deprecated: "deprecated",
        source: "source",
        observed_at: "observed_at",
    }
    RateCard {
        offering: "offering_id",
        currency: "currency",
        effective_from: "effective_from_ms",
        effective_to: "effective_to_ms",
        from_precision: "from_precision",
        conditions: "conditions",
        inherited: "inherited",
        note: "note",
        origin: "origin",
        source: "source",
        observed_at: "observed_at",
        ; rates
    }
    RateRow {
        rate_card: "rate_card_id",
        meter: "meter_id",
        amount: "amount",
        per: "per",
        min_quantity: "min_quantity",
    }
    Modifier {
        offering: "offering_id",
        label: "label",
        context: "context",
        factor: "factor",
        meters: "meters",
        effective_from: "effective_from_ms",
        effective_to: "effective_to_ms",
        source: "source",
        observed_at: "observed_at",
    }
    FxRate {
        currency: "currency",
        date: "date",
        usd_per_unit: "usd_per_unit",
        source: "source",
        observed_at: "observed_at",
    }
    Gpu {
        id: "gpu_id",
        name: "name",
        aliases: "aliases",
        vendor: "vendor",
        architecture: "architecture",
        form_factor: "form_factor",
        memory_gb: "memory_gb",
        memory_bytes: "memory_bytes",
        memory_type: "memory_type",
        memory_bandwidth_gbs: "memory_bandwidth_gbs",
        dense_tflops: "dense_tflops",
        structured_sparsity: "structured_sparsity",
        interconnect: "interconnect",
        peer_gbs_one_way: "peer_gbs_one_way",
        fast_domain_gpus: "fast_domain_gpus",
        tdp_w: "tdp_w",
        server_max_power_kw: "server_max_power_kw",
        gpus_per_server: "gpus_per_server",
        launch_date: "launch_date",
        sources: "sources",
        confidence: "confidence",
        notes: "notes",
        source: "source",
        observed_at: "observed_at",
    }
    GpuRental {
        id: "gpu_rental_id",
        provider: "provider_id",
        provider_kind: "provider_kind",
        region: "region",
        instance: "instance",
        gpu: "gpu_id",
        gpu_count: "gpu_count",
        price_per_gpu_hour: "price_per_gpu_hour",
        currency: "currency",
        commitment: "commitment",
        effective_from: "effective_from",
        effective_to: "effective_to",
        last_seen: "last_seen",
        confidence: "confidence",
        note: "note",
        source: "source",
        observed_at: "observed_at",
    }
    GpuPurchase {
        gpu: "gpu_id",
        kind: "kind",
        system: "system",
        gpus: "gpus",
        amount: "amount",
        currency: "currency",
        effective_from: "effective_from",
        source: "source",
        observed_at: "observed_at",
    }
    MarketIndex {
        series: "series",
        date: "date",
        kind: "kind",
        price_per_gpu_hour_low: "price_per_gpu_hour_low",
        price_per_gpu_hour_high: "price_per_gpu_hour_high",
        currency: "currency",
        source: "source",
        observed_at: "observed_at",
    }
    Assumption {
        id: "assumption_id",
        description: "description",
        unit: "unit",
        low: "low",
        mid: "mid",
        high: "high",
        effective_from: "effective_from",
        effective_to: "effective_to",
        note: "note",
        source: "source",
        observed_at: "observed_at",
    }
    EnergyPrice {
        region: "region",
        name: "name",
        price_per_kwh: "price_per_kwh",
        currency: "currency",
        kg_co2_per_kwh: "kg_co2_per_kwh",
        effective_from: "effective_from",
        effective_to: "effective_to",
        note: "note",
        source: "source",
        co2_source: "co2_source",
        observed_at: "observed_at",
    }
    PublishedRun {
        id: "published_run_id",
        name: "name",
        model: "model_id",
        org: "org",
        date: "date",
        kind: "kind",
        architecture: "architecture",
        params_total: "params_total",
        params_active: "params_active",
        layers: "layers",
        hidden_size: "hidden_size",
        heads: "heads",
        kv_heads: "kv_heads",
        ffn_size: "ffn_size",
        vocab_size: "vocab_size",
        experts: "experts",
        experts_active: "experts_active",
        shape: "shape",
        tokens: "tokens",
        sequence_length: "sequence_length",
        precision: "precision",
        hardware: "hardware",
        gpu: "gpu_id",
        gpu_count: "gpu_count",
        peak_bf16_dense_tflops: "peak_bf16_dense_tflops",
        gpu_hours: "gpu_hours",
        gpu_hours_kind: "gpu_hours_kind",
        wall_days: "wall_days",
        published_mfu: "published_mfu",
        mfu_convention: "mfu_convention",
        mfu_counts: "mfu_counts",
        published_tflops_per_gpu: "published_tflops_per_gpu",
        tokens_per_second_per_gpu: "tokens_per_second_per_gpu",
        published_flops: "published_flops",
        published_cost_usd: "published_cost_usd",
        cost_kind: "cost_kind",
        price_per_gpu_hour_usd: "price_per_gpu_hour_usd",
        third_party_costs: "third_party_costs",
        energy_mwh: "energy_mwh",
        co2_t: "co2_t",
        base_model: "base_model",
        stage_gpu_hours: "stage_gpu_hours",
        rl: "rl",
        tier: "tier",
        baseline_ok: "baseline_ok",
        verification: "verification",
        note: "note",
        sources: "sources",
        source: "source",
        observed_at: "observed_at",
    }
    PublishedThroughput {
        id: "published_throughput_id",
        workload: "workload",
        kind: "kind",
        model: "model_id",
        model_name: "model_name",
        gpu: "gpu_id",
        hardware: "hardware",
        gpu_count: "gpu_count",
        precision: "precision",
        tokens_per_second_per_gpu: "tokens_per_second_per_gpu",
        params_total: "params_total",
        sequence_length: "sequence_length",
        model_tflops_per_gpu: "model_tflops_per_gpu",
        published_mfu: "published_mfu",
        activation_checkpointing: "activation_checkpointing",
        rl: "rl",
        inference: "inference",
        date: "date",
        note: "note",
        source: "source",
        source_detail: "source_detail",
        observed_at: "observed_at",
    }
    Scenario {
        id: "scenario_id",
        title: "title",
        description: "description",
        request: "request",
        published: "published",
        source: "source",
        observed_at: "observed_at",
    }
}
