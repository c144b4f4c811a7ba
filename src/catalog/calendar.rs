//! Days that a price's time window leaves out.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::ids::CalendarId;

/// A list of days, such as a country's public holidays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    /// The name that windows use.
    pub id: CalendarId,
    /// IANA time zone the days belong to.
    pub time_zone: String,
    /// First day about which the list says anything.
    pub covers_from: Date,
    /// Last day about which the list says anything.
    pub covers_to: Date,
    /// The days, in order.
    pub dates: Vec<Date>,
    /// URL or citation; null: none is known.
    pub source: Option<String>,
    /// The day somebody looked.
    pub observed_at: Date,
}

impl Calendar {
    /// Whether a day is on the list.
    #[must_use]
    pub fn contains(&self, day: Date) -> bool {
        self.dates.binary_search(&day).is_ok()
    }

    /// Whether the list claims to know a day.
    #[must_use]
    pub fn covers(&self, day: Date) -> bool {
        self.covers_from <= day && day <= self.covers_to
    }
}
