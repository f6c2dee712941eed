/**
 * Every entry of KVM's API document that is x86's: what wraps it, what asserts it, what it needs.
 *
 * The names are those of the document's headings, of the ioctls of `<linux/kvm.h>`, and of the exits
 * of `struct kvm_run`. {@link file://./api_table.test.ts} holds the table against the document, the
 * API and the catalogue.
 */
import { capabilities } from "./api_table/capabilities.ts";
import { deviceIoctls } from "./api_table/device.ts";
import type { ApiEntry, Row } from "./api_table/entry.ts";
import { exits } from "./api_table/exits.ts";
import { systemIoctls } from "./api_table/system.ts";
import { vcpuIoctls } from "./api_table/vcpu.ts";
import { vmIoctls } from "./api_table/vm.ts";

const parts: readonly Record<string, Row>[] = [
  systemIoctls,
  vmIoctls,
  vcpuIoctls,
  deviceIoctls,
  exits,
  capabilities,
];

function split(words: string): string[] {
  return words.split(" ").filter((word) => word !== "");
}

/** The table, by the entries' names. */
export const apiTable: ReadonlyMap<string, ApiEntry> = new Map(
  parts.flatMap((part) => Object.entries(part)).map(
    ([name, [section, wrapped, asserted, needs, reason]]) => [name, {
      section,
      wrapped: wrapped.startsWith("exit ") ? [wrapped] : split(wrapped),
      asserted: split(asserted),
      needs,
      reason,
    }],
  ),
);
