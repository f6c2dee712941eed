import { asm, defineCases } from "../../mod.ts";

/** A writable data segment that is not present, for the selector 0x78. */
const absentSegment = 0x00cf13000000ffffn;

/** Exceptions that are being delivered: vector, error code, and class (SDM table 6-4). */
const firsts = {
  debug: { nr: 1, error: false, kind: "benign" },
  breakpoint: { nr: 3, error: false, kind: "benign" },
  undefined: { nr: 6, error: false, kind: "benign" },
  "alignment-check": { nr: 17, error: true, kind: "benign" },
  "machine-check": { nr: 18, error: false, kind: "benign" },
  "divide-error": { nr: 0, error: false, kind: "contributory" },
  "invalid-tss": { nr: 10, error: true, kind: "contributory" },
  "segment-not-present": { nr: 11, error: true, kind: "contributory" },
  "stack-fault": { nr: 12, error: true, kind: "contributory" },
  "general-protection": { nr: 13, error: true, kind: "contributory" },
  "page-fault": { nr: 14, error: true, kind: "page-fault" },
  "double-fault": { nr: 8, error: true, kind: "double-fault" },
} as const;

/** What the instruction that is being carried out raises once its read is answered. */
const seconds = {
  "divide-error": {
    nr: 0,
    error: "",
    code: "div dword [rsi]",
    exit: "mmio read 0xd0000000 u32 -> 0x0",
  },
  "segment-not-present": {
    nr: 11,
    error: "0x78",
    code: "mov fs, [rsi]",
    exit: "mmio read 0xd0000000 u16 -> 0x78",
  },
  "stack-fault": {
    nr: 12,
    error: "0x78",
    code: "mov ss, [rsi]",
    exit: "mmio read 0xd0000000 u16 -> 0x78",
  },
  "general-protection": {
    nr: 13,
    error: "0x120",
    code: "mov es, [rsi]",
    exit: "mmio read 0xd0000000 u16 -> 0x123",
  },
  "page-fault": {
    nr: 14,
    error: "0x2",
    code: "movsd",
    exit: "mmio read 0xd0000000 u32 -> 0x11223344",
  },
} as const;

type First = (typeof firsts)[keyof typeof firsts];
type Second = (typeof seconds)[keyof typeof seconds];

/** Table 6-5: which of the two the guest sees, a double fault, or a shutdown. */
function outcome({ kind }: First, { nr }: Second): "second" | "double-fault" | "shutdown" {
  switch (kind) {
    case "benign":
      return "second";
    case "contributory":
      return nr === 14 ? "second" : "double-fault";
    case "page-fault":
      return "double-fault";
    case "double-fault":
      return "shutdown";
  }
}

const alsoPending = {
  undefined: true,
  "general-protection": true,
  "page-fault": true,
  "double-fault": true,
};

const rows: Record<string, { first: First; second: Second; pending: boolean }> = Object.fromEntries(
  Object.entries(firsts).flatMap(([name, first]) =>
    Object.entries(seconds).flatMap(([then, second]) => [
      [`${name}-then-${then}`, { first, second, pending: false }],
      // One of each class may as well wait still for its delivery to begin.
      ...(name in alsoPending
        ? [[`${name}-pending-then-${then}`, { first, second, pending: true }]]
        : []),
    ])
  ),
);

/** KVM_VCPUEVENT_VALID_PAYLOAD. */
const VALID_PAYLOAD = 0x10;

/**
 * An exception that meets another: the second alone (the first comes again with its instruction), a
 * double fault with error code 0, or a shutdown, by the class of each. The host restores the first
 * while an instruction of the guest waits for what it reads, which then raises the second.
 */
export default defineCases("interrupt/exception-merged", rows, ({ first, second, pending }) => ({
  spec: [
    "SDM 3A 6.15: interrupt 8, double fault exception (tables 6-4 and 6-5)",
    "APM 2 8.2.9: #DF, double-fault exception",
    "KVM API 4.32: KVM_SET_VCPU_EVENTS, exception",
  ],
  mode: "long",
  requires: pending ? ["KVM_CAP_EXCEPTION_PAYLOAD"] : [],
  machine: {
    map: [{ virtual: 0x400000, physical: 0xb000, present: false }],
    descriptors: { 0x78: absentSegment },
  },
  registers: { rax: 5n, rdi: 0x400123n, rsi: 0xd0000000n },
  handlers: { [first.nr]: "first", [second.nr]: "second", 8: "double_fault" },
  guest: asm`
    faulting:
    ${second.code}
    ud2
    first:
    mov bl, 1
    out 0xf4, al
    second:
    mov bl, 2
    out 0xf4, al
    double_fault:
    mov bl, 8
    out 0xf4, al
  `,
  drive({ vm, vcpu, run }) {
    run();
    if (pending) vm.enableCapability("KVM_CAP_EXCEPTION_PAYLOAD", 1);
    const events = vcpu.events();
    vcpu.setEvents({
      ...events,
      flags: events.flags | (pending ? VALID_PAYLOAD : 0),
      exception: {
        injected: pending ? 0 : 1,
        nr: first.nr,
        has_error_code: first.error ? 1 : 0,
        pending: pending ? 1 : 0,
        error_code: first.error && first.nr !== 8 ? 0x18 : 0,
      },
    });
  },
  trace: ({ faulting }) => {
    const outcomes = {
      shutdown: "shutdown",
      "double-fault": `
        pio out 0xf4 u8 0x5
        = rbx 0x8
        = rsp 0x7fd0
        = cr2 *
        = mem 0x7fd0 u64 [0x0 * 0x28 * 0x8000 0x30]
      `,
      second: `
        pio out 0xf4 u8 0x5
        = rbx 0x2
        ${second.nr === 14 ? "= cr2 0x400123" : ""}
        = rsp ${second.error === "" ? "0x7fd8" : "0x7fd0"}
        = mem ${second.error === "" ? "0x7fd8" : "0x7fd0"} u64 [${second.error} ${faulting} 0x28 ` +
        `0x10002 0x8000 0x30]
      `,
    };
    return `
      ${second.exit}
      ${pending ? "> enable exception-payload 0x1" : ""}
      > set-events
      ${outcomes[outcome(first, second)]}
    `;
  },
}));
