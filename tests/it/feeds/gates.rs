//! Gates in a whole plan: what waits, with the rest going in.

use farthing::{
    catalog::{gpu::Gpu, snapshot::Snapshot, text::to_line},
    sources::{
        Format, Options,
        plan::{Action, Gate, Import, Plan, Source, plan},
        read,
    },
};

use super::{after, built_in, gone_in, now, planned, tables};

fn gates(plan: &Plan) -> Vec<(String, Vec<Gate>)> {
    let changes = plan.changes.iter();
    changes.map(|it| (it.subject.clone(), it.pending.iter().map(|pending| pending.gate).collect())).collect()
}

fn groq(input: &str) -> String {
    format!(
        r#"{{"groq/llama-3.3-70b-versatile": {{"litellm_provider": "groq", "mode": "chat", "input_cost_per_token": {input}}},
            "groq/gemma-7b-it": {{"litellm_provider": "groq", "mode": "chat", "input_cost_per_token": 0.5e-07}}}}"#
    )
}

fn of_llama(input: &str) -> Vec<Gate> {
    let plan = planned(built_in(), &groq(input));
    gates(&plan)
        .into_iter()
        .find(|(subject, _)| subject.contains("llama"))
        .map(|(_, gates)| gates)
        .unwrap_or_default()
}

#[test]
fn a_price_that_moves_too_far_waits_and_the_rest_goes_in() {
    let before = built_in();
    let plan = planned(before, &groq("1.2e-06"));
    let counts = plan.counts();
    assert_eq!((counts.changed, counts.pending.get(&Gate::Moved)), (1, Some(&1)));
    let snapshot = gone_in(before, &plan, "feed:litellm");
    let again = planned(&snapshot, &groq("1.2e-06"));
    assert!(again.is_empty(), "what waits goes on waiting, and nothing else is left");
    let approved = plan.apply(tables(before), |change| change.pending[0].gate == Gate::Moved).unwrap();
    let snapshot = after(before, &approved, "feed:litellm");
    assert!(planned(&snapshot, &groq("1.2e-06")).changes.is_empty());
}

#[test]
fn each_kind_of_odd_price_waits_for_its_own_reason() {
    assert_eq!(of_llama("1.18e-06"), []);
    assert_eq!(of_llama("1.19e-06"), [Gate::Moved]);
    assert_eq!(of_llama("0"), []); // the entry's only price: it has none
    assert_eq!(of_llama("0, \"output_cost_per_token\": 7.9e-07"), [Gate::Zero]);
    assert_eq!(of_llama("5.9e-04"), [Gate::UnitSlip]);
    assert_eq!(of_llama("5.9e-10"), [Gate::UnitSlip]);
}

#[test]
fn a_new_price_dearer_than_any_known_waits() {
    let entry = |price| {
        format!(
            r#"{{"groq/new": {{"litellm_provider": "groq", "mode": "chat", "input_cost_per_token": {price}}}}}"#
        )
    };
    assert_eq!(gates(&planned(built_in(), &entry("1e-03")))[0].1, []);
    assert_eq!(gates(&planned(built_in(), &entry("1.1e-03")))[0].1, [Gate::UnitSlip]);
}

#[test]
fn other_hours_than_the_catalogs_wait() {
    let text = r#"[{"id": "deepseek", "models": [{"id": "deepseek-v4-pro", "match": {}, "prices": [
        {"prices": {"input_mtok": 0.66, "output_mtok": 1.98}},
        {"constraint": {"start_time": "01:00:00Z", "end_time": "04:00:00Z"}, "prices": {"input_mtok": 1.5, "output_mtok": 3.96}}]}]}]"#;
    let found = gates(&planned(built_in(), text));
    assert!(found.iter().any(|(_, gates)| gates.contains(&Gate::OtherWindow)), "{found:?}");
}

fn skypilot(cloud: &str, rows: &str) -> Plan {
    skypilot_on(built_in(), cloud, rows)
}

fn skypilot_on(snapshot: &Snapshot, cloud: &str, rows: &str) -> Plan {
    let text = format!("InstanceType,AcceleratorName,AcceleratorCount,Price,SpotPrice,Region\n{rows}");
    let options = Options { provider: Some(cloud.to_owned()) };
    let (format, reading) = read(text.as_bytes(), &options).unwrap();
    let source = Source::of(format, &options, "ops");
    plan(reading, snapshot.newest(), &Import { format, source, observed_at: now(), whole: true })
}

/// The gates of the only change, or of the spot price.
fn of_machine(cloud: &str, rows: &str) -> Vec<Gate> {
    gates(&skypilot(cloud, rows)).pop().map(|(_, gates)| gates).unwrap_or_default()
}

#[test]
fn a_machines_new_price_ends_the_old_one_and_is_seen_again() {
    let rows = "p5.4xlarge,H100,1,6.5,,us-east-1\n";
    let before = built_in();
    let first = skypilot_on(before, "aws", rows);
    assert_eq!((first.changes[0].action, first.changes[0].is_pending()), (Action::Changed, false));
    assert_eq!(first.changes[0].differences[0].old.as_deref(), Some("6.88"));
    let snapshot = gone_in(before, &first, "feed:skypilot-aws");
    let second = skypilot_on(&snapshot, "aws", rows);
    assert_eq!((second.changes.len(), second.unchanged), (0, 1));
    let gone = skypilot_on(&snapshot, "aws", "p5.48xlarge,H100,8,55.04,,us-east-1\n");
    let actions: Vec<Action> = gone.changes.iter().map(|change| change.action).collect();
    assert_eq!(actions, [Action::Seen, Action::Withdrawn], "one price of the only one is more than a fifth");
    assert_eq!(gone.changes[1].pending[0].gate, Gate::ManyWithdrawn);
}

#[test]
fn a_spot_price_above_on_demand_and_a_bid_floor_wait() {
    assert_eq!(of_machine("nebius", "one,L4,1,1,1,eu\n"), []);
    assert_eq!(of_machine("nebius", "one,L4,1,1,1.01,eu\n"), [Gate::SpotAboveOnDemand]);
    assert_eq!(of_machine("nebius", "one,L4,1,1,0.1,eu\n"), []);
    assert_eq!(of_machine("nebius", "one,L4,1,1,0.09,eu\n"), [Gate::BidFloor]);
}

#[test]
fn a_node_given_as_one_accelerator_and_a_month_given_as_an_hour_wait() {
    assert_eq!(of_machine("nebius", "node,H100,1,24,,eu\n"), [Gate::NodeTotal]);
    assert_eq!(of_machine("nebius", "node,H100,8,24,,eu\n"), []);
    assert_eq!(
        of_machine("aws", "p5.4xlarge,H100,1,5022.4,,us-east-1\n"),
        [] as [Gate; 0],
        "above what an hour may cost at all"
    );
    assert_eq!(of_machine("aws", "p5.4xlarge,H100,1,55.04,,us-east-1\n")[0], Gate::UnitSlip);
}

#[test]
fn a_peak_for_sparse_arithmetic_waits() {
    let mut rows = tables(built_in()).gpus;
    let gpu = rows.iter_mut().find(|gpu| gpu.id.as_str() == "h100-sxm5-80gb").unwrap();
    let fp8 = gpu.dense_tflops.fp8.unwrap();
    let line = |gpu: &Gpu| to_line(gpu).unwrap();
    gpu.dense_tflops.fp8 = Some(fp8 * 2.0);
    let waits = planned(built_in(), &line(gpu));
    assert_eq!(gates(&waits)[0].1, [Gate::SparsePeak]);
    gpu.dense_tflops.fp8 = Some(fp8 * 1.9);
    let goes_in = planned(built_in(), &line(gpu));
    assert_eq!(gates(&goes_in)[0].1, []);
    assert_eq!(goes_in.changes[0].differences[0].field, "dense_tflops.fp8");
}

#[test]
fn a_format_names_its_feed_and_an_own_form_its_operator() {
    let of = |format| Source::of(format, &Options::default(), "key:ops").actor();
    assert_eq!((of(Format::LiteLlm).as_str(), of(Format::PriceSheet).as_str()), ("feed:litellm", "key:ops"));
}
