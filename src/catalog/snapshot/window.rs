//! When the window of a rate card opens and closes.

use jiff::{Timestamp, civil::Date};

use super::view::CardView;

impl CardView<'_> {
    /// Adds the instants between two others, in milliseconds, between which the window neither opens nor closes:
    /// the hours of each of its weekdays, and every change of its clocks. Holidays are not looked at: on them
    /// nothing happens at these instants.
    pub fn window_edges(self, from: Timestamp, to: Timestamp, edges: &mut Vec<i64>) {
        let (Some(compiled), Some(window)) = (&self.card().window, &self.row.row.conditions.window) else {
            return;
        };
        let zone = &compiled.zone;
        let changes = zone.following(from).take_while(|change| change.timestamp() < to);
        edges.extend(changes.map(|change| change.timestamp().as_millisecond()));
        let mut day = Some(zone.to_datetime(from).date());
        let last = zone.to_datetime(to).date();
        while let Some(today) = day.filter(|day| *day <= last) {
            if compiled.days >> today.weekday().to_monday_one_offset() & 1 == 1 {
                let minutes = window.hours.iter().flat_map(|hours| [hours.from, hours.to]);
                for at in minutes.filter_map(|minute| local(today, minute)) {
                    // An hour that comes twice has two such instants; one that is leapt over has none that matters.
                    let both = zone.to_ambiguous_timestamp(at);
                    let both = [both.earlier(), both.later()].into_iter().flatten();
                    edges.extend(both.map(Timestamp::as_millisecond));
                }
            }
            day = today.tomorrow().ok();
        }
    }
}

/// A minute of a day, of which the last is the first of the next.
fn local(day: Date, minute: u16) -> Option<jiff::civil::DateTime> {
    let (day, minute) = if minute < 24 * 60 { (day, minute) } else { (day.tomorrow().ok()?, 0) };
    Some(day.at(i8::try_from(minute / 60).ok()?, i8::try_from(minute % 60).ok()?, 0, 0))
}
