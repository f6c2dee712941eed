import { asm, defineCases } from "../../mod.ts";
import { byEachCall } from "../_hypercall.ts";

interface Row {
  address: bigint;
  pages: bigint;
  attributes: bigint;
  /** What the host answers, where it is asked. */
  host?: bigint;
  answer: bigint;
}

const EINVAL = BigInt.asUintN(64, -22n);

const rows: Record<string, Row> = {
  answered: { address: 0xa000n, pages: 2n, attributes: 0x10n, host: 0n, answer: 0n },
  "answered-with-an-error": {
    address: 0x7f000n,
    pages: 0x100n,
    attributes: 0x11n,
    host: 5n,
    answer: 5n,
  },
  unaligned: { address: 0xa010n, pages: 1n, attributes: 0n, answer: EINVAL },
  "no-pages": { address: 0xa000n, pages: 0n, attributes: 0n, answer: EINVAL },
  "wraps-around": { address: 0xa000n, pages: 0xffffffffffffffffn, attributes: 0n, answer: EINVAL },
};

/** KVM_HC_MAP_GPA_RANGE is user space's where it asked for it, and KVM refuses ranges that are none. */
export default defineCases("paravirt/map-range", byEachCall(rows), ({ row, call }) => ({
  spec: [
    "KVM API 7.30: KVM_CAP_EXIT_HYPERCALL",
    "KVM x86 hypercalls: KVM_HC_MAP_GPA_RANGE",
    "KVM API 5: KVM_EXIT_HYPERCALL",
  ],
  mode: "long",
  requires: [call.requires, "KVM_CAP_EXIT_HYPERCALL"],
  registers: { rax: 12n, rbx: row.address, rcx: row.pages, rdx: row.attributes },
  guest: asm`
    ${call.instruction}
    hlt
  `,
  drive: ({ vm }) => vm.enableCapability("KVM_CAP_EXIT_HYPERCALL", 1 << 12),
  trace: `
    > enable exit-hypercall 0x1000
    ${
    row.host === undefined
      ? ""
      : `hypercall 0xc [0x${row.address.toString(16)} 0x${row.pages.toString(16)} 0x${
        row.attributes.toString(16)
      } * * *] -> 0x${row.host.toString(16)}`
  }
    hlt
    = rax 0x${row.answer.toString(16)}
  `,
}));
