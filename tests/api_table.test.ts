import { assert, assertEquals, assertGreater } from "@std/assert";
import { capabilities } from "../ffi/abi/capabilities.ts";
import { exitReasons } from "../ffi/abi/exits.ts";
import { ioctls } from "../ffi/abi/ioctls.ts";
import { kvm_run } from "../ffi/abi/run.ts";
import * as api from "../mod.ts";
import { decodeExit } from "../src/kvm/decode_exit.ts";
import { loadCatalogue, selectCases } from "../src/suite/catalogue.ts";
import type { ApiEntry } from "./api_table/entry.ts";
import { apiTable } from "./api_table.ts";
import { projectRoot } from "./host.ts";

/** Debian's linux-doc-6.12. */
const document = "/usr/share/doc/linux-doc-6.12/html/virt/kvm/api.html";

function readDocument(): string | undefined {
  try {
    return Deno.readTextFileSync(document);
  } catch {
    return undefined;
  }
}

function textOf(html: string): string {
  return html.replace(/<[^>]*>/g, "").replace(/&gt;/g, ">").replace(/&lt;/g, "<")
    .replace(/&amp;/g, "&").trim();
}

/** The names in a heading, such as `KVM_(UN)REGISTER_COALESCED_MMIO` or `KVM_A/KVM_B (vm ioctl)`. */
function namesOf(title: string): string[] {
  return title.replace(/^[\d.]+ /, "").replace(/ \(.*\)$/, "").split(/,? |\//)
    .filter((name) => /^KVM_/.test(name))
    .flatMap((name) =>
      name.includes("(UN)") ? [name.replace("(UN)", ""), name.replace("(UN)", "UN")] : [name]
    );
}

/** Whether an entry is x86's: its architectures say so, or say nothing and Trapline knows the name. */
function isX86(architectures: string | undefined, names: readonly string[]): boolean {
  if (architectures === undefined) {
    return names.some((name) => name in ioctls || name in capabilities);
  }
  return /\bx86|\ball\b|\bnone\b/.test(architectures);
}

/** The entries of the document's sections 4, 6, 7 and 8 that x86 has, with their sections. */
function headings(html: string): [name: string, section: string][] {
  const parts = html.split(/<h3>/).slice(1);
  return parts.flatMap((part): [string, string][] => {
    const title = textOf(part.slice(0, part.indexOf("<a class=")));
    const section = /^([4678]\.\d+)\.? /.exec(title)?.[1];
    if (section === undefined) return [];
    const body = part.split(/<h[12]>/)[0];
    const found = /Architectures?<span class="colon">:<\/span><\/dt>\s*<dd[^>]*>(.*?)<\/dd>/s
      .exec(body);
    const names = namesOf(title);
    const architectures = found === null ? undefined : textOf(found[1]);
    return isX86(architectures, names) ? names.map((name) => [name, section]) : [];
  });
}

/** The exits that section 5 describes. */
function describedExits(html: string): string[] {
  const start = html.indexOf(">5. The kvm_run structure<a class=");
  const end = html.indexOf(">6. Capabilities that can be enabled on vCPUs<a class=");
  const comments = textOf(html.slice(start, end)).matchAll(/\/\* (KVM_EXIT_\w+(?: \/ \w+)*)/g);
  return [...comments].flatMap(([, names]) => names.split(" / "));
}

/** Exits that only other architectures have, as Trapline's decoder says. */
function isOther(name: string): boolean {
  const number = (exitReasons as Record<string, number>)[name];
  return number === undefined || exitOf(name) === "other-architecture";
}

function exitOf(name: string): string {
  const run = new DataView(new ArrayBuffer(kvm_run.size));
  const number = (exitReasons as Record<string, number>)[name];
  run.setUint32(kvm_run.fields.exit_reason[0], number, true);
  // The first type of those that have several.
  run.setUint32(32, 1, true);
  return decodeExit(run).reason;
}

const html = readDocument();

Deno.test({
  name: `every entry of the document is in the table, by its section${
    html === undefined ? " (skipped: needs Debian's linux-doc-6.12)" : ""
  }`,
  ignore: html === undefined,
  fn() {
    const found = headings(html!);
    assertGreater(found.length, 110);
    // Two sections of the document tell of this capability.
    const twice = new Map([["KVM_CAP_X86_USER_SPACE_MSR", "8.26"]]);
    const missing = found.filter(([name, section]) =>
      apiTable.get(name)?.section !== section && twice.get(name) !== section
    );
    assertEquals(missing, []);
    const exits = describedExits(html!).filter((name) => !isOther(name));
    assertGreater(exits.length, 12);
    assertEquals(exits.filter((name) => apiTable.get(name)?.section !== "5"), []);
    const known = new Set([...found.map(([name]) => name), ...exits]);
    const invented = [...apiTable]
      .filter(([name, { section }]) => section !== "kvm.h" && !known.has(name));
    assertEquals(invented.map(([name]) => name), []);
  },
});

Deno.test("every ioctl and every exit of x86 in <linux/kvm.h> is in the table", () => {
  const names = [
    ...Object.keys(ioctls),
    ...Object.keys(exitReasons).filter((name) => !isOther(name)),
  ];
  assertEquals(names.filter((name) => !apiTable.has(name)), []);
});

Deno.test("what wraps an entry is there", () => {
  const missing = [...apiTable].flatMap(([name, { wrapped }]) =>
    wrapped.filter((by) => !exists(name, by)).map((by) => `${name}: ${by}`)
  );
  assertEquals(missing, []);
});

function exists(name: string, by: string): boolean {
  if (by.startsWith("exit ")) return exitOf(name) === by.slice("exit ".length);
  const [owner, method] = by.split(".");
  const found = (api as Record<string, unknown>)[owner];
  return typeof found === "function" && method in found.prototype;
}

/** The words by which one finds an entry in what asserts it. */
function wordsOf(name: string, { section, wrapped }: ApiEntry): RegExp {
  const words = wrapped.map((by) =>
    by.startsWith("exit ") ? by.slice("exit ".length) : `${by.split(".")[1]}\\(`
  );
  if (section !== "kvm.h" && section !== "5") words.push(section.replace(".", "\\.") + "\\b");
  return new RegExp(`\\b(${[name, ...words].join("|")})`);
}

Deno.test("what asserts an entry is there, and has to do with it", async () => {
  const catalogue = await loadCatalogue(new URL("guests/", projectRoot));
  const wrong: string[] = [];
  for (const [name, entry] of apiTable) {
    const words = wordsOf(name, entry);
    for (const by of entry.asserted) {
      const found = by.startsWith("tests/") ? [] : selectCases(catalogue, [by]);
      const files = by.startsWith("tests/")
        ? [new URL(by, projectRoot).href]
        : found.map(({ file }) => file);
      if (files.length === 0) wrong.push(`${name}: no case matches ${by}`);
      const texts = [...new Set(files)].map((file) => Deno.readTextFileSync(new URL(file)))
        .concat(found.flatMap((entry) => entry.case.spec));
      if (texts.some((text) => words.test(text))) continue;
      wrong.push(`${name}: ${by} has neither its name nor its section nor what wraps it`);
    }
  }
  assertEquals(wrong, []);
});

Deno.test("nothing is left out without a reason, and everything says what it needs", () => {
  for (const [name, { wrapped, asserted, needs, reason }] of apiTable) {
    assert(needs !== "", `${name} says nothing of the host`);
    if (wrapped.length > 0 && asserted.length > 0) continue;
    assert(reason !== undefined, `${name} is not wrapped or not asserted, and gives no reason`);
  }
});

Deno.test("capabilities that an entry needs exist", () => {
  const unknown = [...apiTable].flatMap(([name, { needs }]) =>
    [...needs.matchAll(/KVM_CAP_\w+/g)].map(([cap]) => cap)
      .filter((cap) => !(cap in capabilities)).map((cap) => `${name}: ${cap}`)
  );
  assertEquals(unknown, []);
});
