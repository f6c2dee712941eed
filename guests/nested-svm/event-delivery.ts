import { asm, defineCases } from "../../mod.ts";
import { ALL, error, NPF, prepared, prepareTables, ROOT } from "./_nested_paging.ts";
import {
  machine,
  reported,
  reportExit,
  requiresNestedPaging,
  run,
  VMCB,
  vmcb,
  written,
} from "./_vmcb.ts";

const { FINAL, U, W } = error;

interface Row {
  /** What the hypervisor injects, or what its guest does. */
  inject?: bigint;
  code?: string;
  vector: number;
  /** EXITINTINFO: vector, type, error code valid (11), valid (31). */
  information: number;
  /** Where there is more than one way to tell it. */
  told?: string;
  errorCode?: number;
  state?: string;
}

const rows: Record<string, Row> = {
  interrupt: { inject: 0x80000030n, vector: 0x30, information: 0x80000030 },
  // An NMI's vector may be left out.
  nmi: {
    inject: 0x80000202n,
    vector: 2,
    information: 0x80000202,
    told: "0x80000202|0x80000200",
  },
  exception: { inject: 0x80000306n, vector: 6, information: 0x80000306 },
  "exception-with-error-code": {
    inject: 0x1234_80000b0dn,
    vector: 13,
    information: 0x80000b0d,
    errorCode: 0x1234,
  },
  "own-software-interrupt": { code: "int 0x30", vector: 0x30, information: 0x80000430 },
  "own-breakpoint": { code: "int3", vector: 3, information: 0x80000303 },
  "own-undefined": { code: "ud2", vector: 6, information: 0x80000306 },
  "own-divide-error": { code: "xor ecx, ecx\ndiv ecx", vector: 0, information: 0x80000300 },
  "own-general-protection": {
    code: "mov ds, ebp",
    vector: 13,
    information: 0x80000b0d,
    errorCode: 0x100,
  },
  "own-page-fault": {
    code: "mov [0xd123], al",
    vector: 14,
    information: 0x80000b0e,
    errorCode: 2,
    // CR2 is not the hypervisor's to keep.
    state: "= cr2 0xd123",
  },
};

const places = {
  // The gate cannot be read; the frame cannot be written, from its first word down.
  gate: { page: 2, bits: FINAL | U, address: ({ vector }: Row) => BigInt(0x2000 + vector * 16) },
  stack: { page: 7, bits: FINAL | U | W, address: () => 0x7bf8n },
};

const cases: Record<string, { row: Row; place: keyof typeof places }> = {};
for (const [name, row] of Object.entries(rows)) {
  for (const place of ["gate", "stack"] as const) cases[`${name}-${place}`] = { row, place };
}

/** An event whose delivery meets a nested page fault: the hypervisor is told which event it was. */
export default defineCases("nested-svm/event-delivery", cases, ({ row, place }) => {
  const { inject, code, information, errorCode = 0 } = row;
  const { page, bits, address } = places[place];
  return {
    spec: [
      "APM 2 15.7.2: state saved on exit (EXITINTINFO)",
      "APM 2 15.20: event injection",
      "APM 2 15.25.6: nested versus guest page faults",
    ],
    mode: "long",
    requires: requiresNestedPaging,
    machine: {
      ...machine,
      map: [{ virtual: 0xd000, physical: 0xd000, present: false }],
    },
    handlers: { [row.vector]: "handler" },
    registers: { rbp: 0x100n },
    guest: asm`
      ${run}
      ${reportExit}
      mov eax, [${VMCB + 0x88}]
      out 0x11, eax
      mov eax, [${VMCB + 0x8c}]
      out 0x12, eax
      mov eax, [${VMCB + 0xa8}]
      out 0x13, eax
      xor eax, eax
      xor ecx, ecx
      xor edx, edx
      hlt
      nested:
      ${code ?? "nop"}
      out 0xee, al
      handler:
      out 0xef, al
    `,
    drive: (context) => {
      const { write, labels } = context;
      prepareTables(context);
      const entry = (BigInt(page) << 12n | ALL) & ~1n;
      write(ROOT + 0x3000 + page * 8, new Uint8Array(BigUint64Array.of(entry).buffer));
      write(
        VMCB,
        vmcb({
          rip: labels.get("nested")!,
          nestedCr3: BigInt(ROOT),
          eventInjection: inject,
        }),
      );
    },
    trace: `
      ${prepared}
      ${reported(NPF, bits, address(row), "*")}
      pio out 0x11 u32 ${row.told ?? `0x${information.toString(16)}`}
      pio out 0x12 u32 ${information & 0x800 ? `0x${errorCode.toString(16)}` : "*"}
      pio out 0x13 u32 0x0
      hlt
      = rflags 0x46
      ${row.state ?? ""}
      ${written}
    `,
  };
});
