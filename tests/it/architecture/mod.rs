//! Shapes of models: what they count, against what their makers publish.

mod configs;
mod counts;
mod laws;
mod parts;
mod published;

use farthing::catalog::{
    architecture::Shape,
    model::{Architecture, Model},
};

/// The models whose shape is in the built-in catalog.
fn models() -> Vec<Model> {
    let lines = include_str!("../../../catalog/models.jsonl").lines();
    let models = lines.map(|line| serde_json::from_str::<Model>(line).unwrap());
    models.filter(|model| model.architecture.is_some()).collect()
}

/// What the built-in catalog says of a model's shape.
fn architecture(id: &str) -> Architecture {
    models().into_iter().find(|model| model.id.as_str() == id).unwrap().architecture.unwrap()
}

/// The same without any count of parameters.
fn sizes_alone(given: &Architecture) -> Architecture {
    Architecture { params_total: None, params_active: None, ..given.clone() }
}

fn shape(given: &Architecture) -> Shape {
    Shape::of(given).unwrap_or_else(|faults| panic!("{faults:?}"))
}
