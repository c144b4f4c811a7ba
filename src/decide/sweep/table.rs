//! A series as a table: a row for each point.

use super::Sweep;

impl Sweep {
    /// The names of its columns: the value, the money, the items' money, three columns for each metric, and the codes
    /// of what is wrong.
    #[must_use]
    pub fn columns(&self) -> Vec<String> {
        let mut columns: Vec<String> =
            ["value", "currency", "amount", "low", "high"].map(str::to_owned).into();
        columns.extend((0..self.widest()).map(|at| format!("items_{at}_amount")));
        for name in self.followed() {
            columns.extend([name.to_owned(), format!("{name}_low"), format!("{name}_high")]);
        }
        columns.push("faults".to_owned());
        columns
    }

    /// A row for each point, with a cell for each column.
    pub fn rows(&self) -> impl Iterator<Item = Vec<String>> {
        let (followed, widest) = (self.followed(), self.widest());
        self.points.iter().map(move |point| {
            let text = |value: Option<String>| value.unwrap_or_default();
            let total = point.total;
            let mut row = vec![point.value.get().to_owned(), self.currency.to_string()];
            row.push(text(total.map(|total| total.amount.to_string())));
            row.push(text(total.and_then(|total| total.low).map(|low| low.to_string())));
            row.push(text(total.and_then(|total| total.high).map(|high| high.to_string())));
            let items = point.items.as_deref().unwrap_or_default();
            row.extend((0..widest).map(|at| text(items.get(at).map(|total| total.amount.to_string()))));
            for name in &followed {
                let metric = point.metrics.as_ref().and_then(|metrics| metrics.get(*name));
                let figure =
                    |of: &str| text(metric.and_then(|metric| metric.get(of)).map(ToString::to_string));
                row.extend(["value", "low", "high"].map(figure));
            }
            row.push(point.faults.iter().map(|fault| fault.code).collect::<Vec<_>>().join(" "));
            row
        })
    }

    fn widest(&self) -> usize {
        self.points.iter().filter_map(|point| Some(point.items.as_ref()?.len())).max().unwrap_or(0)
    }

    /// The names of the metrics that any point has.
    fn followed(&self) -> Vec<&str> {
        let names =
            self.points.iter().filter_map(|point| point.metrics.as_ref()).flat_map(|metrics| metrics.keys());
        let mut names: Vec<&str> = names.map(String::as_str).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}
