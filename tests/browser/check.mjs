// Opens a running service as a person does: the page, then Swagger UI. Swagger UI must work offline, show
// every operation without an error, and "Try it out" must give a 200, or a 201, as it stands.
//
// Usage: node check.mjs http://127.0.0.1:8080 FOLDER     (screenshots go to FOLDER)

import { mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [service, folder] = process.argv.slice(2);
const SECONDS = 1000;
const METHODS = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];
const faults = [];

/** Operations whose example need not be answered: they want a key, or an id that somebody was given. */
const isExcused = (path) => path.startsWith("/admin") || path === "/quotes/{id}" || path.startsWith("/quotes/{id}/");

const isDone = (status) => status === "200" || status === "201";

/** A page that notes what it should not do. */
async function watchedPage(context) {
  const page = await context.newPage();
  page.setDefaultTimeout(20 * SECONDS);
  page.on("pageerror", (error) => faults.push(`an exception: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error") faults.push(`the console says: ${message.text()}`);
  });
  await page.route("**/*", (route) => {
    const url = route.request().url();
    if (url.startsWith(`${service}/`) || url.startsWith("data:") || url.startsWith("blob:")) return route.continue();
    faults.push(`it asks elsewhere: ${url}`);
    return route.abort();
  });
  return page;
}

/** The page of links: each leads to something. */
async function checkIndex(page) {
  await page.goto(`${service}/`);
  const links = await page.locator("a[href]").evaluateAll((all) => all.map((link) => link.href));
  for (const link of links) {
    const answer = await page.request.get(link);
    if (!answer.ok()) faults.push(`/ links to ${link}, which answers ${answer.status()}`);
  }
  await page.screenshot({ path: join(folder, "index.png"), fullPage: true });
  console.log(`ok: / shows ${await page.title()} with ${links.length} links`);
}

/** What the document declares. */
async function operations(page) {
  const document = await (await page.request.get(`${service}/openapi.json`)).json();
  return Object.entries(document.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => ({ path, method })),
  );
}

/** "Try it out", "Execute", and what came back. */
async function tryOut(block) {
  await block.locator(".opblock-summary-control").first().click();
  const execute = block.getByRole("button", { name: "Execute" });
  const tryItOut = block.getByRole("button", { name: "Try it out" });
  await execute.or(tryItOut).first().waitFor();
  if ((await tryItOut.count()) > 0) await tryItOut.click(); // otherwise it is ready at once
  await execute.click();
  const live = block.locator(".live-responses-table tbody .response-col_status").first();
  await live.waitFor({ timeout: 10 * SECONDS }).catch(() => {}); // a parameter that Swagger UI refuses is never sent
  const status = (await live.count()) > 0 ? (await live.innerText()).trim().split(/\s/)[0] : "nothing was sent";
  if (isDone(status)) return { status };
  const body = block.locator(".live-responses-table tbody .response-col_description").first();
  return { status, body: (await body.count()) > 0 ? (await body.innerText()).slice(0, 600) : "" };
}

async function checkSwagger(page) {
  const declared = await operations(page);
  await page.goto(`${service}/swagger-ui/`);
  await page.locator(".opblock").first().waitFor();
  const failed = page.locator(".errors-wrapper, .loading-container .failed-config");
  if ((await failed.count()) > 0) faults.push(`Swagger UI shows: ${await failed.first().innerText()}`);
  await page.screenshot({ path: join(folder, "swagger.png"), fullPage: true });

  const shown = await page.locator(".opblock").count();
  if (shown !== declared.length) faults.push(`${declared.length} operations are declared, ${shown} are shown`);
  for (const { path, method } of declared) {
    const block = page.locator(`.opblock-${method}`).filter({
      has: page.locator(`.opblock-summary-path[data-path="${path}"], .opblock-summary-path__deprecated[data-path="${path}"]`),
    });
    const name = `${method.toUpperCase()} ${path}`;
    if ((await block.count()) !== 1) {
      faults.push(`${name} is not shown`);
      continue;
    }
    if (isExcused(path)) continue;
    const { status, body } = await tryOut(block);
    console.log(`${isDone(status) ? "ok" : "NOT"}: ${name} "Try it out" gives ${status}`);
    if (!isDone(status)) faults.push(`${name} as it stands gives ${status}: ${body}`);
    if (path === "/estimate" && method === "post") {
      await block.screenshot({ path: join(folder, "swagger-estimate.png") });
    }
    await block.locator(".opblock-summary-control").first().click(); // shut again
  }
}

mkdirSync(folder, { recursive: true });
const profile = mkdtempSync(join(tmpdir(), "farthing-browser-"));
const context = await chromium.launchPersistentContext(profile, {
  executablePath: "/usr/bin/chromium",
  headless: true,
  viewport: { width: 1280, height: 1600 },
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
try {
  const page = await watchedPage(context);
  await checkIndex(page);
  await checkSwagger(page);
} finally {
  await context.close();
}
for (const fault of faults) console.error(`fault: ${fault}`);
console.log(`screenshots: ${folder}`);
process.exit(faults.length === 0 ? 0 : 1);
