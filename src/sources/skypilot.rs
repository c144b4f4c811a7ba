//! A cloud's table of the `SkyPilot` catalog: the price of a whole machine and hour, by instance, zone and accelerator.
//!
//! The columns stand in another order for each cloud, and no column says which cloud it is: the asker does. A price
//! is of the whole machine and becomes one of an accelerator. On Google's cloud the accelerators and the machine
//! around them are rows of their own, to be added; where the customer chooses the machine there is no such sum.
//! Zones of a region that ask different prices count at the lower median.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::{
    Options, ReadError,
    exact::price,
    observation::{Observation, OfferedRental, Reading, Reason},
};
use crate::catalog::gpu::Commitment;

/// Columns that have to be there.
const NEEDED: [&str; 5] = ["InstanceType", "AcceleratorName", "AcceleratorCount", "Price", "Region"];

/// The cloud whose accelerators and machines are rows of their own.
const SPLIT_CLOUD: &str = "gcp";

/// Whether a header has the columns of such a table.
pub(super) fn is(header: &str) -> bool {
    let cells: Vec<&str> = header.split(',').map(str::trim).collect();
    NEEDED.iter().all(|column| cells.contains(column))
}

/// A row, with its prices as written.
#[derive(Debug, serde::Deserialize)]
struct Line {
    #[serde(rename = "InstanceType")]
    instance: String,
    #[serde(rename = "AcceleratorName")]
    gpu: String,
    #[serde(rename = "AcceleratorCount")]
    count: String,
    #[serde(rename = "Price")]
    price: String,
    #[serde(rename = "SpotPrice", default)]
    spot: String,
    #[serde(rename = "Region")]
    region: String,
    #[serde(rename = "AvailabilityZone", default)]
    zone: String,
}

/// A machine with its accelerators in a region.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Machine {
    instance: String,
    gpu: String,
    count: u32,
    region: String,
}

/// Prices of machines by zone, and of hosts by instance and zone.
#[derive(Debug, Default)]
struct Table {
    prices: BTreeMap<(Machine, Commitment), Vec<Decimal>>,
    hosts: BTreeMap<(String, String, Commitment), Decimal>,
}

/// Reads the table.
///
/// # Errors
/// When nobody says which cloud it is, or a line is not CSV.
pub(super) fn read(text: &[u8], options: &Options) -> Result<Reading, ReadError> {
    let cloud = options.provider.as_deref().ok_or(ReadError::NoProvider)?;
    let mut reading = Reading::default();
    let mut lines: Vec<(usize, Line)> = Vec::new();
    for (number, line) in
        (2..).zip(csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text).deserialize())
    {
        match line {
            Ok(line) => lines.push((number, line)),
            Err(error) => reading.refuse(&format!("line {number}"), Reason::Malformed, error.to_string()),
        }
    }
    let mut table = Table::default();
    if cloud == SPLIT_CLOUD {
        lines.iter().filter(|(_, line)| line.gpu.is_empty()).for_each(|(_, line)| table.add_host(line));
    }
    for (number, line) in lines.iter().filter(|(_, line)| !line.gpu.is_empty()) {
        if let Err((reason, detail)) = table.add(cloud, line) {
            let place = format!("line {number}: {} {} {}", line.instance, line.gpu, line.region);
            reading.refuse(&place, reason, detail);
        }
    }
    table.push_into(cloud, &mut reading);
    Ok(reading)
}

/// A price; an empty cell is none, and so is a zero.
fn priced(cell: &str) -> Result<Option<Decimal>, (Reason, String)> {
    if cell.is_empty() {
        return Ok(None);
    }
    let price = price(cell, 0).map_err(|error| (Reason::Malformed, error.to_string()))?;
    Ok(Some(price).filter(|price| !price.is_zero()))
}

impl Line {
    /// Where its price holds, as finely as the table says.
    fn place(&self) -> String {
        if self.zone.is_empty() { self.region.clone() } else { self.zone.clone() }
    }

    fn prices(&self) -> [(Commitment, &str); 2] {
        [(Commitment::OnDemand, &self.price), (Commitment::Spot, &self.spot)]
    }
}

impl Table {
    fn add_host(&mut self, line: &Line) {
        for (commitment, cell) in line.prices() {
            if let Ok(Some(price)) = priced(cell) {
                self.hosts.insert((line.instance.clone(), line.place(), commitment), price);
            }
        }
    }

    fn add(&mut self, cloud: &str, line: &Line) -> Result<(), (Reason, String)> {
        let count = price(&line.count, 0).ok().filter(|count| count.normalize().scale() == 0);
        let count = count
            .and_then(|count| u32::try_from(count.normalize().mantissa()).ok())
            .filter(|count| *count > 0);
        let count = count.ok_or_else(|| (Reason::Malformed, format!("`{}` accelerators", line.count)))?;
        let (gpu, count) = chips(&line.gpu, count);
        let split = cloud == SPLIT_CLOUD && line.instance.is_empty() && !gpu.starts_with("tpu-");
        let host = if split { Some(google_host(&line.gpu, count)?) } else { None };
        let mut any = false;
        for (commitment, cell) in line.prices() {
            let Some(own) = priced(cell)? else { continue };
            let around = match &host {
                Some(host) => self.hosts.get(&(host.clone(), line.place(), commitment)).copied(),
                None => Some(Decimal::ZERO),
            };
            let Some(whole) = around.and_then(|around| own.checked_add(around)) else { continue };
            let Some(each) = whole.checked_div(count.into()) else { continue };
            any = true;
            let instance = host.clone().unwrap_or_else(|| line.instance.clone());
            let machine = Machine { instance, gpu: gpu.clone(), count, region: line.region.clone() };
            self.prices.entry((machine, commitment)).or_default().push(each);
        }
        if any { Ok(()) } else { Err((Reason::NoPrice, "has no price, or none of its host".to_owned())) }
    }

    fn push_into(self, cloud: &str, reading: &mut Reading) {
        const PLACES: u32 = 6; // finer than any price list
        for ((machine, commitment), mut prices) in self.prices {
            prices.sort_unstable();
            let Machine { instance, gpu, count, region } = machine;
            reading.observations.push(Observation::Rental(Box::new(OfferedRental {
                place: format!("{instance} {gpu}x{count} {region}"),
                seller: cloud.to_owned(),
                price_per_gpu_hour: prices[(prices.len() - 1) / 2].round_dp(PLACES).normalize(),
                region,
                instance,
                gpu,
                gpu_count: count,
                commitment,
            })));
        }
    }
}

/// Slices of TPUs are one accelerator to the table and several chips to a price list: `tpu-v4-8` counts cores, two
/// to a chip, `tpu-v5litepod-8` chips.
fn chips(gpu: &str, count: u32) -> (String, u32) {
    let slice = gpu.strip_prefix("tpu-").and_then(|rest| rest.rsplit_once('-'));
    let Some((kind, size)) = slice.and_then(|(kind, size)| Some((kind, size.parse::<u32>().ok()?))) else {
        return (gpu.to_owned(), count);
    };
    let per_chip = if matches!(kind, "v2" | "v3" | "v4" | "v5p") { 2 } else { 1 };
    let kind = if kind == "v5litepod" { "v5e" } else { kind };
    (format!("tpu-{kind}"), (size / per_chip).max(1).saturating_mul(count))
}

/// The machine that Google sells around some accelerators, where there is one only.
fn google_host(gpu: &str, count: u32) -> Result<String, (Reason, String)> {
    let host = match (gpu, count) {
        ("A100", 1 | 2 | 4 | 8) => format!("a2-highgpu-{count}g"),
        ("A100", 16) => "a2-megagpu-16g".to_owned(),
        ("A100-80GB", 1 | 2 | 4 | 8) => format!("a2-ultragpu-{count}g"),
        ("L4", 1) => "g2-standard-4".to_owned(),
        ("L4", 2) => "g2-standard-24".to_owned(),
        ("L4", 4) => "g2-standard-48".to_owned(),
        ("L4", 8) => "g2-standard-96".to_owned(),
        ("H100", 1 | 2 | 4 | 8) => format!("a3-highgpu-{count}g"),
        ("H100-MEGA", 8) => "a3-megagpu-8g".to_owned(),
        ("H200", 8) => "a3-ultragpu-8g".to_owned(),
        ("B200", 8) => "a4-highgpu-8g".to_owned(),
        _ => {
            let detail =
                format!("is the price of {count} {gpu} without a machine, which the customer chooses");
            return Err((Reason::Inexpressible, detail));
        }
    };
    Ok(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(provider: &str, text: &str) -> Reading {
        read(text.as_bytes(), &Options { provider: Some(provider.to_owned()) }).unwrap()
    }

    fn said(reading: &Reading) -> Vec<String> {
        let rental = |observation: &Observation| match observation {
            Observation::Rental(rental) => format!(
                "{} {}x{} {} {:?} {}",
                rental.instance,
                rental.gpu,
                rental.gpu_count,
                rental.region,
                rental.commitment,
                rental.price_per_gpu_hour
            ),
            other => format!("{other:?}"),
        };
        reading.observations.iter().map(rental).collect()
    }

    const AWS: &str = "\
InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,GpuInfo,Price,SpotPrice,Region,AvailabilityZone
p5.48xlarge,H100,8.0,192,2048,\"{'Gpus': [{'Name': 'H100', 'Count': 8}]}\",98.32,31.2,us-east-1,us-east-1a
p5.48xlarge,H100,8.0,192,2048,\"{'Gpus': []}\",98.32,24,us-east-1,us-east-1b
p5.48xlarge,H100,8.0,192,2048,,98.32,,us-east-1,us-east-1c
m7i.large,,,2,8,,0.1,0.04,us-east-1,us-east-1a
";

    #[test]
    fn a_machines_price_is_one_accelerators_and_zones_are_one_region() {
        assert!(is(AWS.lines().next().unwrap()));
        assert_eq!(
            said(&table("aws", AWS)),
            ["p5.48xlarge H100x8 us-east-1 OnDemand 12.29", "p5.48xlarge H100x8 us-east-1 Spot 3"]
        );
    }

    const GCP: &str = "\
InstanceType,vCPUs,MemoryGiB,AcceleratorName,AcceleratorCount,GpuInfo,Region,AvailabilityZone,Price,SpotPrice
,,,A100,8.0,,us-central1,us-central1-a,23.47,9.4
a2-highgpu-8g,96,680,,,,us-central1,us-central1-a,5.91,1.8
,,,T4,1.0,,us-central1,us-central1-a,0.35,0.11
,,,tpu-v4-8,1.0,,us-central2,us-central2-b,12.88,3.86
,,,A100,4.0,,us-central1,us-central1-a,11.7,
";

    #[test]
    fn googles_accelerators_and_their_machine_are_added() {
        let reading = table("gcp", GCP);
        assert_eq!(
            said(&reading),
            [
                " tpu-v4x4 us-central2 OnDemand 3.22",
                " tpu-v4x4 us-central2 Spot 0.965",
                "a2-highgpu-8g A100x8 us-central1 OnDemand 3.6725",
                "a2-highgpu-8g A100x8 us-central1 Spot 1.4",
            ]
        );
        let reasons: Vec<Reason> = reading.refused.iter().map(|refusal| refusal.reason).collect();
        assert_eq!(reasons, [Reason::Inexpressible, Reason::NoPrice]);
    }

    #[test]
    fn a_table_of_no_known_cloud_is_not_read() {
        assert_eq!(read(AWS.as_bytes(), &Options::default()), Err(ReadError::NoProvider));
    }
}
