import { asm, defineCases } from "../../mod.ts";

/** Reasons that KVM_CAP_X86_USER_SPACE_MSR can ask for: KVM_MSR_EXIT_REASON_INVAL and _UNKNOWN. */
const INVAL = 1;
const UNKNOWN = 2;

/** An MSR that no processor and no hypervisor's interface has (SDM 4, chapter 2). */
const unknown = { rax: 0x4444444455555555n, rcx: 0x33333333400000e0n, rdx: 0x6666666677777777n };
/** EFER with a reserved bit set: KVM knows the MSR, and that the value is invalid. */
const invalid = { rax: 0xd02n, rcx: 0xc0000080n, rdx: 0n };

/** #GP(0) at the access. */
const fault = (access: string) => `
  = rbx 0xd
  = rsp 0x7fd0
  = mem 0x7fd0 u64 [0x0 ${access} 0x28 0x108d7 0x8000 0x30]
`;
const unchanged = () => "";

const rows = {
  "read-answered": {
    reasons: UNKNOWN,
    registers: unknown,
    access: "rdmsr",
    exits: "rdmsr 0x400000e0 reason=unknown -> 0x8877665544332211\npio out 0x10 u8 0x11",
    state: () => "= rax 0x44332211\n= rdx 0x88776655",
  },
  "read-refused": {
    reasons: UNKNOWN,
    registers: unknown,
    access: "rdmsr",
    exits: "rdmsr 0x400000e0 reason=unknown -> error\npio out 0x11 u8 0x55",
    state: fault,
  },
  "write-answered": {
    reasons: UNKNOWN,
    registers: unknown,
    access: "wrmsr",
    exits: "wrmsr 0x400000e0 0x7777777755555555 reason=unknown\npio out 0x10 u8 0x55",
    state: unchanged,
  },
  "write-refused": {
    reasons: UNKNOWN,
    registers: unknown,
    access: "wrmsr",
    exits: "wrmsr 0x400000e0 0x7777777755555555 reason=unknown -> error\npio out 0x11 u8 0x55",
    state: fault,
  },
  "invalid-answered": {
    reasons: INVAL,
    registers: invalid,
    access: "wrmsr",
    exits: "wrmsr 0xc0000080 0xd02 reason=inval\npio out 0x10 u8 0x2",
    state: unchanged,
  },
  "invalid-refused": {
    reasons: INVAL | UNKNOWN,
    registers: invalid,
    access: "wrmsr",
    exits: "wrmsr 0xc0000080 0xd02 reason=inval -> error\npio out 0x11 u8 0x2",
    state: fault,
  },
  // A reason that was not asked for stays between KVM and the guest.
  "unknown-not-asked-for": {
    reasons: INVAL,
    registers: unknown,
    access: "rdmsr",
    exits: "pio out 0x11 u8 0x55",
    state: fault,
  },
  "invalid-not-asked-for": {
    reasons: UNKNOWN,
    registers: invalid,
    access: "wrmsr",
    exits: "pio out 0x11 u8 0x2",
    state: fault,
  },
  // What KVM can do is KVM's.
  "valid-write": {
    reasons: INVAL | UNKNOWN,
    registers: { ...invalid, rax: 0xd01n },
    access: "wrmsr",
    exits: "pio out 0x10 u8 0x1",
    state: () => "= efer 0xd01",
  },
};

/** The host answers the MSR accesses that it asked for, or has them refused with #GP(0). */
export default defineCases("exit/user-space-msr", rows, (row) => ({
  spec: [
    "KVM API 7.21: KVM_CAP_X86_USER_SPACE_MSR",
    "KVM API 5: KVM_EXIT_X86_RDMSR, KVM_EXIT_X86_WRMSR",
  ],
  mode: "long",
  requires: ["KVM_CAP_X86_USER_SPACE_MSR", { parameter: "kvm.ignore_msrs", value: "N" }],
  machine: { rflags: { set: 0x8d5n } },
  handlers: { 13: "fault" },
  registers: row.registers,
  guest: asm`
    access:
    ${row.access}
    out 0x10, al
    hlt
    fault:
    mov bl, 13
    out 0x11, al
    hlt
  `,
  drive: ({ vm }) => vm.enableCapability("KVM_CAP_X86_USER_SPACE_MSR", row.reasons),
  trace: ({ access }) => `
    > enable x86-user-space-msr 0x${row.reasons.toString(16)}
    ${row.exits}
    hlt
    ${row.state(access)}
  `,
}));
