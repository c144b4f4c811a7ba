//! What serves: the figures of an accelerator, and in which formats it multiplies and remembers.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An accelerator, base units.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::estimate::serving) struct Device {
    /// Dense peak in 16 bits, FLOP/s.
    pub(in crate::estimate::serving) bf16: f64,
    /// Dense peak in 8 bits.
    pub(in crate::estimate::serving) fp8: Option<f64>,
    /// Dense peak in 4 bits.
    pub(in crate::estimate::serving) fp4: Option<f64>,
    /// Memory bandwidth, bytes a second.
    pub(in crate::estimate::serving) bandwidth: f64,
    /// Memory, bytes.
    pub(in crate::estimate::serving) memory: f64,
    /// Fast link, one way, bytes a second; none: not known, so no replica of several.
    pub(in crate::estimate::serving) link: Option<f64>,
    /// Devices that the fast link joins.
    pub(in crate::estimate::serving) domain: f64,
}

/// A number format that weights, or keys and values, are kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::estimate::serving) enum Format {
    /// 16-bit brain float.
    Bf16,
    /// 16-bit IEEE.
    Fp16,
    /// 8-bit float.
    Fp8,
    /// 8-bit integer.
    Int8,
    /// 4-bit integer with a scale for 128.
    Int4,
    /// 4-bit float with a scale for 16.
    Nvfp4,
    /// 4-bit float with a scale for 32.
    Mxfp4,
    /// llama.cpp's mixed format of about five bits.
    Q4KM,
}

impl Format {
    /// All of them.
    pub(in crate::estimate::serving) const ALL: [Self; 8] =
        [Self::Bf16, Self::Fp16, Self::Fp8, Self::Int8, Self::Int4, Self::Nvfp4, Self::Mxfp4, Self::Q4KM];

    /// As requests spell it.
    pub(in crate::estimate::serving) fn name(self) -> &'static str {
        match self {
            Self::Bf16 => "bf16",
            Self::Fp16 => "fp16",
            Self::Fp8 => "fp8",
            Self::Int8 => "int8",
            Self::Int4 => "int4",
            Self::Nvfp4 => "nvfp4",
            Self::Mxfp4 => "mxfp4",
            Self::Q4KM => "q4_k_m",
        }
    }

    /// The format of that name.
    pub(in crate::estimate::serving) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }

    /// Bytes of a number, scales included.
    pub(in crate::estimate::serving) fn bytes(self) -> f64 {
        match self {
            Self::Bf16 | Self::Fp16 => 2.0,
            Self::Fp8 | Self::Int8 => 1.0,
            Self::Nvfp4 => 0.5625,
            Self::Mxfp4 | Self::Int4 => 0.53,
            Self::Q4KM => 0.606,
        }
    }

    /// Bytes of a number of the attention's weights: 4-bit checkpoints keep them wider.
    pub(super) fn attention_bytes(self, mixture: bool) -> f64 {
        match self {
            Self::Mxfp4 => 2.0,
            Self::Nvfp4 | Self::Int4 if mixture => 1.0,
            _ => self.bytes(),
        }
    }

    /// Bytes of a number of the vocabulary's matrices.
    pub(super) fn vocabulary_bytes(self) -> f64 {
        if self == Self::Q4KM { 0.8 } else { 2.0 }
    }

    /// In which format the products are, and at which peak; where the part lacks it, in 16 bits.
    pub(super) fn products(self, device: &Device) -> (Products, f64) {
        let wide = (Products::Bf16, device.bf16);
        match self {
            Self::Nvfp4 => device.fp4.map_or(wide, |peak| (Products::Fp4, peak)),
            Self::Mxfp4 => {
                device.fp8.filter(|_| device.fp4.is_some()).map_or(wide, |peak| (Products::Fp8, peak))
            }
            Self::Fp8 | Self::Int8 => device.fp8.map_or(wide, |peak| (Products::Fp8, peak)),
            Self::Bf16 | Self::Fp16 | Self::Int4 | Self::Q4KM => wide,
        }
    }
}

/// Formats of products.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Products {
    Bf16,
    Fp8,
    Fp4,
}

/// What weights, and what keys and values are kept in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::estimate::serving) struct Formats {
    pub(in crate::estimate::serving) weights: Format,
    pub(in crate::estimate::serving) kv_cache: Format,
}
