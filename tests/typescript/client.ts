// What a program in TypeScript does with the generated types. It is compiled in CI, never run.

import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

type Quote = components["schemas"]["Quote"];
type Problem = components["schemas"]["Problem"];

const farthing = createClient<paths>({ baseUrl: "http://localhost:8080" });

/** One call by itself: the shorthand body. */
export async function costOfOneCall(): Promise<string> {
  const { data, error } = await farthing.POST("/estimate", {
    body: { model: "gpt-4o", usage: { input_tokens: 1200, output_tokens: 300 } },
  });
  if (error) throw new Error(explain(error));
  return data.total.amount;
}

/** Many workloads, each with what decides its price. */
export async function costOfAMonth(): Promise<Map<string, string>> {
  const { data, error } = await farthing.POST("/estimate", {
    body: {
      currency: "EUR",
      as_of: "2026-11-24T12:00:00Z",
      detail: "full",
      group_by: "team",
      items: [
        {
          kind: "api_usage",
          id: "nightly",
          tags: { team: "search" },
          provider: "openai",
          model: "gpt-5",
          calls: 10_000,
          usage: { input_tokens: 3000, cache_read_tokens: 2048, output_tokens: 400 },
          context: { service_tier: "batch" },
        },
        {
          kind: "api_usage",
          model: "gpt-4o",
          usage_from: { format: "openai", response: { prompt_tokens: 2006, completion_tokens: 300 } },
          rates: { input_tokens: { amount: "2.00", per: 1_000_000 } },
          adjustments: [{ label: "VAT", percent: "19" }],
        },
      ],
    },
  });
  if (error) throw new Error(explain(error));
  return new Map(Object.entries(data.groups ?? {}).map(([team, total]) => [team, total.amount]));
}

/** Where a figure comes from: each reference of a line has a source and a day. */
export function sourcesOf(quote: Quote): string[] {
  const lines = (quote.items ?? []).flatMap((item) => item.lines);
  const references = quote.references ?? {};
  return lines.flatMap((line) =>
    line.refs.map((ref) => {
      const { source, observed_at } = references[ref] ?? {};
      return `${line.code}: ${line.amount} by ${source ?? "an unnamed source"}, seen ${observed_at ?? "?"}`;
    }),
  );
}

/** A refusal names every fault and where it is. */
export function explain(problem: Problem): string {
  const faults = (problem.errors ?? []).map((fault) => `${fault.pointer}: ${fault.detail} (${fault.code})`);
  return [problem.detail ?? problem.title, ...faults].join("\n");
}

/** Mistakes that the types must catch: each line below has to be an error, or the compiler complains. */
export async function mistakes(): Promise<void> {
  // @ts-expect-error: a path that is none
  await farthing.GET("/estimates");
  // @ts-expect-error: `usage` counts, and "many" is no count
  await farthing.POST("/estimate", { body: { model: "gpt-4o", usage: { input_tokens: { many: true } } } });
  // @ts-expect-error: an amount is a string, so that no digit is lost
  const total: number = (await farthing.POST("/estimate", { body: { model: "gpt-4o" } })).data?.total.amount;
  void total;
}
